/** What the screen of devices says: who is there, what a removal means, what to type. */

import assert from 'node:assert/strict'
import type { DeviceInfo, DeviceLoss, PruneResult, WaitingReclaim } from '../../../node/api.ts'
import { squaresPath } from '../../../node/dashboard/page/devices/squares.ts'
import {
  addressText,
  consequences,
  devicesSentence,
  isGrave,
  joinCommand,
  mayAdmit,
  minutesLeft,
  roleText,
  sizeBytes,
} from '../../../node/dashboard/page/devices/words.ts'

function device(name: string, more: Partial<DeviceInfo> = {}): DeviceInfo {
  return {
    id: `id-${name}`,
    name,
    role: 'writer',
    capabilities: ['backup', 'read', 'store'],
    self: false,
    connected: true,
    snapshots_held: 0,
    snapshots_total: 0,
    snapshots_own: 0,
    addresses: [],
    ...more,
  }
}

const harmless: DeviceLoss = {
  ...{ device: 'id-pi', name: 'pi', self: false, connected: false, holds: 3, lost: 0, one_left: 0 },
  ...{ too_few: 0, readers_left: 2, waits_for: 0 },
}

const nothingWaits: PruneResult = {
  ...{ message_type: 'pruned', dry_run: true, snapshots_released: 0, chunks_removed: 0 },
  ...{ bytes_removed: 0, bytes_freed: 0, waiting: [] },
}

function waits(device: string, ids: readonly string[], bytes: number, free?: number): WaitingReclaim {
  const block = { kind: 'leaning' as const, message: 'it has to be heard', device }
  const if_removed = free === undefined ? {} : { bytes_if_removed: free }
  return { block, snapshot_ids: [...ids], bytes, ...if_removed }
}

/** What removing a device means, as `tone: text`. */
function said(one: DeviceInfo, loss: Partial<DeviceLoss>, waiting: WaitingReclaim[] = []): string[] {
  const all = consequences(one, { ...harmless, ...loss }, { ...nothingWaits, waiting })
  return all.map(({ tone, text }) => `${tone}: ${text}`)
}

describe('the screen of devices', () => {
  it('says who is there, and who is not', () => {
    const self = device('desktop', { self: true })
    const away = (name: string) => device(name, { connected: false })
    const say = (...devices: DeviceInfo[]) => devicesSentence(devices).sentence
    assert.equal(devicesSentence([self]).isAlone, true)
    assert.equal(say(self), 'This device is alone: its backups are on no other.')
    assert.equal(say(self, device('gone', { removed: true })), say(self))
    assert.equal(say(self, device('pi')), 'Both devices are connected.')
    assert.equal(say(self, device('pi'), device('laptop')), 'All 3 devices are connected.')
    assert.equal(say(self, away('pi')), '2 devices belong to this mesh; no other is connected now.')
    assert.equal(
      say(self, device('pi'), away('laptop')),
      '3 devices belong to this mesh; laptop is not connected.',
    )
    assert.equal(
      say(self, device('pi'), away('laptop'), away('phone')),
      '4 devices belong to this mesh; laptop and phone are not connected.',
    )
    const many = [1, 2, 3, 4].map((n) => away(`box-${n}`))
    assert.match(say(self, device('pi'), ...many), /; 4 devices are not connected\.$/)
  })

  it('names what is special about a role, and knows who may pair others', () => {
    assert.equal(roleText(device('laptop')), 'writer')
    assert.equal(roleText(device('laptop', { capabilities: ['backup', 'read', 'lean'] })), 'writer, thin')
    const box = device('pi', { role: 'storer', capabilities: ['store', 'forget'] })
    assert.equal(roleText(box), 'storer, may forget')
    assert.equal(
      mayAdmit([device('laptop', { self: true }), device('pi', { capabilities: ['admit'] })]),
      false,
    )
    assert.equal(mayAdmit([device('desktop', { self: true, capabilities: ['admit'] })]), true)
  })

  it('says what to type on the other device, and for how long it is good', () => {
    assert.equal(addressText('/ip4/192.168.1.20/tcp/4517/p2p/12D3KooW'), '192.168.1.20:4517')
    assert.equal(addressText('/ip6/fd00::1/tcp/4517'), '[fd00::1]:4517')
    assert.equal(addressText('/unix/somewhere'), '/unix/somewhere')
    assert.equal(joinCommand('42-a-b-c-d'), 'cellar join 42-a-b-c-d')
    assert.equal(joinCommand('42-a-b-c-d', '10.0.0.1:1'), 'cellar join 42-a-b-c-d --at 10.0.0.1:1')
    const [nowMs, minuteMs] = [Date.parse('2026-01-01T00:00:00Z'), 60_000]
    const left = (ms: number) => minutesLeft(new Date(nowMs + ms).toISOString(), nowMs)
    // The clock of the page lags by up to a quarter of a minute.
    assert.equal(left(15 * minuteMs + 14_000), '15 min')
    assert.equal(left(30_000), 'less than a minute')
    assert.equal(left(24 * 60 * minuteMs), '24 hours')
    assert.equal(left(0), undefined)
    assert.equal(minutesLeft('no time', nowMs), undefined)
  })

  it('reads a size that somebody typed', () => {
    assert.equal(sizeBytes('500 GiB'), 500 * 1024 ** 3)
    assert.equal(sizeBytes(' 1.5t '), 1.5 * 1024 ** 4)
    assert.equal(sizeBytes('20MB'), 20 * 1024 ** 2)
    assert.equal(sizeBytes('700'), 700)
    for (const wrong of ['', 'much', '-5G', '5 parsecs', '1e9'])
      assert.equal(sizeBytes(wrong), undefined, wrong)
  })

  it('says what the removal of a device takes away, and what it does not', () => {
    const box = device('pi', { capabilities: ['store'] })
    assert.deepEqual(said(box, {}), [
      'plain: Every snapshot stays on as many other devices as it should be on.',
      'plain: pi has made no snapshots.',
      'plain: No space here waits for pi: removing it frees nothing.',
      'plain: What pi stores stays on its disk. It comes back only as a new device, with a new code.',
    ])
    const laptop = device('laptop', { snapshots_own: 1200 })
    const all = said(laptop, {})
    assert.ok(all.some((it) => it.includes('sealed under a new key')))
    assert.ok(all.some((it) => it.includes('Its own 1,200 snapshots stay')))
  })

  it('has somebody agree where the mesh would lose something for ever', () => {
    const box = device('pi', { capabilities: ['store'] })
    const grave = (loss: Partial<DeviceLoss>, one = box) =>
      isGrave(consequences(one, { ...harmless, ...loss }, nothingWaits))
    assert.equal(grave({}), false)
    assert.equal(grave({ one_left: 2, too_few: 3 }), false)
    assert.equal(grave({ lost: 1 }), true)
    assert.equal(grave({ readers_left: 0 }), false)
    assert.equal(grave({ readers_left: 0 }, device('laptop')), true)
    assert.match(
      said(box, { lost: 2, lost_bytes: 3 * 1024 ** 2 })[0] ?? '',
      /^bad: 2 snapshots \(about 3.00 MiB\) are on no other device: the mesh loses them\. Connect pi first/,
    )
    assert.ok(said(box, { one_left: 1 }).includes('warn: Of 1 snapshot only one copy is left.'))
  })

  it('says which space waits for the device, and what its removal would free', () => {
    const laptop = device('laptop')
    const of = (...waiting: WaitingReclaim[]) =>
      said(laptop, {}, waiting).find((it) => it.includes('waits here') || it.includes('wait here'))
    assert.equal(of(waits('pi', ['a'], 100, 100)), undefined)
    assert.equal(
      of(waits('laptop', ['a', 'b'], 2048, 1024), waits('laptop', ['b'], 1024, 0)),
      'plain: 3.00 KiB of 2 forgotten snapshots wait here for laptop: 1.00 KiB can be freed as soon as it is removed.',
    )
    assert.equal(
      of(waits('id-laptop', ['a'], 2048)),
      'plain: 2.00 KiB of 1 forgotten snapshot waits here for laptop, and for more than that: removing it alone frees nothing.',
    )
  })

  it('draws squares as one path, each dark one once', () => {
    const rows = [
      [true, true, false, true],
      [false, false, false, false],
      [false, true, true, false],
    ]
    assert.equal(squaresPath(rows), 'M0 0h2v1h-2zM3 0h1v1h-1zM1 2h2v1h-2z')
  })
})
