/** How much is scrubbed, how fast, and who is asked for what: pure. */
import assert from 'node:assert/strict'
import type { DeviceId, RootId } from '../../../../protocol/index.ts'
import { sayLost, sayMended } from '../../../../node/watching/saying.ts'
import { bytesDue, chooseAudits, paceMs } from '../../../../node/watching/plan.ts'
import { testSigner } from '../../../support/mesh.ts'
import { testChunk } from '../../../support/chunks.ts'
import { seeded } from '../../../tools/seeded.ts'

const dayMs = 86_400_000
const GiB = 1024 ** 3

describe('how much is scrubbed', () => {
  it('is a share for each day since the last time, the first time that of one day', () => {
    assert.equal(bytesDue(4, 100 * GiB, undefined), 4 * GiB)
    assert.equal(bytesDue(4, 100 * GiB, dayMs), 4 * GiB)
    assert.equal(bytesDue(4, 100 * GiB, dayMs / 4), GiB)
    assert.equal(bytesDue(4, 100 * GiB, 3 * dayMs), 12 * GiB)
  })

  it('makes up for a week, and no more', () => {
    assert.equal(bytesDue(4, 100 * GiB, 7 * dayMs), 28 * GiB)
    assert.equal(bytesDue(4, 100 * GiB, 400 * dayMs), 28 * GiB)
  })

  it('is never more than all', () => {
    assert.equal(bytesDue(100, 5 * GiB, 7 * dayMs), 5 * GiB)
    assert.equal(bytesDue(100, 0, dayMs), 0)
  })
})

describe('how fast is read', () => {
  it('is as fast as it goes where nothing is said', () => {
    assert.equal(paceMs(1024 ** 2, undefined, 0), 0)
  })

  it('waits for what is left of the time that so many bytes may take', () => {
    assert.equal(paceMs(1024 ** 2, 1024, 0), 1000)
    assert.equal(paceMs(1024 ** 2, 1024, 400), 600)
    assert.equal(paceMs(1024 ** 2, 1024, 4000), 0)
  })
})

describe('whom to ask for proofs', () => {
  const pi = testSigner(2).device
  const desktop = testSigner(3).device
  const roots = Array.from({ length: 9 }, (_, at) => testChunk(`root ${String(at)}`).id)
  const [newest, ...older] = roots as [RootId, ...RootId[]]
  const none = new Map<DeviceId, readonly RootId[]>()

  it('is everybody, of the newest and some others, each once', () => {
    const held = new Map([
      [pi, roots],
      [desktop, [newest]],
    ])
    const chosen = chooseAudits({ held, doubted: none, rootsEach: 4 }, seeded('audits'))
    const ofPi = chosen.filter(({ device }) => device === pi).map(({ root }) => root)
    assert.equal(ofPi[0], newest)
    assert.equal(new Set(ofPi).size, 4)
    assert.deepEqual(
      chosen.filter(({ device }) => device === desktop),
      [{ device: desktop, root: newest }],
    )
  })

  it('comes to every root in time', () => {
    const random = seeded('turns')
    const seen = new Set<RootId>()
    for (let turn = 0; turn < 50; turn++)
      for (const { root } of chooseAudits(
        { held: new Map([[pi, roots]]), doubted: none, rootsEach: 3 },
        random,
      ))
        seen.add(root)
    assert.equal(seen.size, roots.length)
  })

  it('V3.2 asks again for what is in doubt, as long as the device says that it holds it', () => {
    const doubted = new Map([[pi, [older[7] as RootId, testChunk('released').id]]])
    const held = new Map([[pi, roots]])
    for (const seed of ['a', 'b', 'c']) {
      const chosen = chooseAudits({ held, doubted, rootsEach: 1 }, seeded(seed)).map(({ root }) => root)
      assert.deepEqual(chosen, [older[7], newest])
    }
  })

  it('is nobody where nothing is held', () => {
    assert.deepEqual(
      chooseAudits({ held: new Map([[pi, []]]), doubted: none, rootsEach: 4 }, seeded('x')),
      [],
    )
  })
})

describe('what is said of damage', () => {
  const root = testChunk('snapshot').id

  it('names where it was mended from', () => {
    assert.match(sayMended(['peer']), /^a chunk was damaged .* it was mended from other devices$/)
    assert.match(sayMended(['source', 'peer', 'peer']), /^3 chunks .* from other devices and from the files/)
  })

  it('names the snapshots that need what is lost, the first five', () => {
    assert.match(sayLost(1, [root]), new RegExp(`a damaged chunk .* snapshot ${root.slice(0, 8)}$`))
    assert.match(
      sayLost(
        4,
        Array.from({ length: 8 }, () => root),
      ),
      /4 damaged chunks .*, 3 more$/,
    )
    assert.doesNotMatch(sayLost(2, []), /snapshot/)
  })
})
