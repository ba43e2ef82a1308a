/** A set of ids in little memory answers as a set does. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../../../protocol/index.ts'
import { SeenIds } from '../../../../node/deletion/seen-ids.ts'
import { seeded } from '../../../tools/seeded.ts'

describe('ids that a walk has seen', () => {
  it('are each new once, however many', () => {
    const random = seeded('seen')
    const ids = Array.from({ length: 20_000 }, () => Buffer.from(random.bytes(32)).toString('hex') as ChunkId)
    const seen = new SeenIds()
    for (const id of ids) assert.equal(seen.add(id), true)
    for (const id of ids) assert.equal(seen.add(id), false)
  })

  it('may begin with zeros', () => {
    const seen = new SeenIds()
    const zeros = '0'.repeat(64) as ChunkId
    assert.deepEqual([seen.add(zeros), seen.add(zeros)], [true, false])
  })
})
