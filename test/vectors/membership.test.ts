import assert from 'node:assert/strict'
import {
  deriveVaultKeys,
  fromHex,
  leaningMembers,
  type Membership,
  openMembership,
  openVaultKeys,
  signerFromSeed,
  toHex,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, readVectors, type Vector, words } from './format.ts'

describe('vectors of the membership log', () => {
  for (const vector of readVectors('membership', ['log', 'hash', 'seed', 'vaults', 'keys'])) {
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
  const { seed } = vector.header
  if (seed === undefined) return
  const keys = openVaultKeys(membership, signerFromSeed(fromHex(seed)).device, fromHex(seed))
  assert.deepEqual(keys.map(toHex), words(vector, 'keys'))
  assert.deepEqual(
    keys.map((key) => deriveVaultKeys(key).vault),
    words(vector, 'vaults'),
  )
}
