import assert from 'node:assert/strict'
import { PROFILE_DEFAULT } from '../../../../node/config/defaults.ts'
import type { ProfileConfig } from '../../../../node/config/types.ts'
import { settleMs } from '../../../../node/deletion/retention.ts'
import { retainAll, retentionOf } from '../../../../node/operations/retain.ts'
import type { RootId } from '../../../../protocol/index.ts'
import { sourceLabel } from '../../../../node/source-label.ts'
import { withCode } from '../../../support/mesh.ts'
import { every, makeSnapshot, type TestNode } from '../../../support/node.ts'
import { hourMs, openHousehold, replicate } from './household.ts'

const { signal } = new AbortController()

describe('rules of a profile', () => {
  let house: Awaited<ReturnType<typeof openHousehold>>
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  const photos: ProfileConfig = {
    ...PROFILE_DEFAULT,
    name: 'photos',
    sources: ['/home/photos/', '/mnt/../cards'],
    retention: { last: 1 },
  }

  function set(node: TestNode, profiles: readonly ProfileConfig[], last?: number): void {
    const retention = last === undefined ? undefined : { rules: { last }, everyMs: 24 * hourMs, devices: [] }
    node.parts.settings.change({ ...node.parts.config, profiles, retention })
  }

  async function make(node: TestNode, ...paths: string[]): Promise<RootId[]> {
    const roots: RootId[] = []
    for (let round = 0; round < 3; round++) {
      await house.clock.advance(hourMs)
      const { vault, signer } = node.parts
      assert.ok(vault !== undefined)
      const source = sourceLabel(
        vault.keys,
        signer.device,
        paths.map((path) => Buffer.from(path)),
      )
      roots.push(await makeSnapshot(node, { path: paths.join(','), source }))
    }
    return roots
  }

  const liveOf = (node: TestNode, roots: readonly RootId[]) =>
    roots.filter((root) => node.parts.ledger.isLive(root)).length

  it('are applied to its sources, however they are written, and others keep to the rules for all (Q4.1)', async () => {
    const { desktop } = house
    const own = await make(desktop, '/home/photos', '/cards')
    const alone = await make(desktop, '/home/photos')
    set(desktop, [photos], 2)
    await retainAll(desktop.parts, signal)
    assert.deepEqual([liveOf(desktop, own), liveOf(desktop, alone)], [1, 2])
  })

  it('are applied where there are none for all, and nothing else is touched', async () => {
    const { desktop } = house
    const own = await make(desktop, '/home/photos', '/cards')
    const alone = await make(desktop, '/home/photos')
    set(desktop, [photos])
    await retainAll(desktop.parts, signal)
    assert.deepEqual([liveOf(desktop, own), liveOf(desktop, alone)], [1, 3])
  })

  it('keep more than the rules for all, too', async () => {
    const { desktop } = house
    const own = await make(desktop, '/home/photos', '/cards')
    set(desktop, [{ ...photos, retention: { last: -1 } }], 1)
    await retainAll(desktop.parts, signal)
    assert.equal(liveOf(desktop, own), 3)
  })

  it("touch no snapshot of another device, and by name only this device's own (Q4.1)", async () => {
    const { desktop, laptop } = house
    const others = await make(laptop, '/home/photos', '/cards')
    await replicate(laptop, desktop)
    const own = await make(desktop, '/home/photos', '/cards')
    set(desktop, [photos])
    await retainAll(desktop.parts, signal)
    assert.deepEqual([liveOf(desktop, own), liveOf(desktop, others)], [1, 3])
    const params = { snapshots: [], filter: every, dryRun: true }
    const done = await desktop.call('forget', { ...params, profile: 'photos', rules: { last: 1 } })
    assert.deepEqual(done.snapshot_ids, [])
    await assert.rejects(desktop.call('forget', { ...params, profile: 'fotos' }), withCode('CONFIG_INVALID'))
    await assert.rejects(
      desktop.call('forget', { ...params, profile: 'photos', snapshots: ['x'] }),
      withCode('USAGE'),
    )
  })

  it('are said by status, with when they are applied, also where there are none for all', async () => {
    const { desktop } = house
    const status = async () => (await desktop.call('status', {})).retention
    set(desktop, [photos, { ...photos, name: 'letters', retention: undefined }])
    const profiles = [{ name: 'photos', rules: '1 last' }]
    assert.deepEqual(await status(), { profiles, devices: [], every: '1d' })
    const retention = retentionOf(desktop.parts)
    retention.start()
    try {
      await house.clock.advance(settleMs)
      assert.ok((await status())?.last_run !== undefined)
    } finally {
      await retention.close()
    }
    set(desktop, [photos], 7)
    const said = await status()
    assert.deepEqual([said?.rules, said?.profiles], ['7 last', profiles])
    set(desktop, [])
    assert.equal(await status(), undefined)
  })

  it('are refused on a device that may forget nothing', async () => {
    const { laptop } = house
    set(laptop, [photos])
    await assert.rejects(retainAll(laptop.parts, signal), withCode('NOT_ENTITLED'))
  })
})
