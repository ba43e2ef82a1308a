import assert from 'node:assert/strict'
import { fromHex, leaningMembers, type Membership, openMembership } from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, readVectors, type Vector, words } from './format.ts'

describe('vectors of the membership log', () => {
  for (const vector of readVectors('membership', ['log', 'hash'])) {
    const log = words(vector, 'log').map(fromHex)
    const open = (): Membership => openMembership([...log, vector.body])
    if (field(vector, 'expect') === 'success') {
      it(`read ${vector.name}`, () => checkGood(vector, open()))
    } else {
      it(`refuse ${vector.name}, after a log that is good`, () => {
        if (log.length > 0) openMembership(log)
        assertRefuses(vector, open)
      })
    }
  }
})

function checkGood(vector: Vector, membership: Membership): void {
  assert.equal(membership.headHash, field(vector, 'hash'))
  assert.equal(membership.epoch, words(vector, 'log').length)
  const leaning = leaningMembers(membership).map(({ name }) => name)
  assert.deepEqual(leaning, vector.name.startsWith('lean-given') ? ['laptop'] : [])
}
