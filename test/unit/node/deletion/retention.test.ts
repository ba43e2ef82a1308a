import assert from 'node:assert/strict'
import { stringify } from 'smol-toml'
import { CellarError } from '../../../../protocol/index.ts'
import { type Catalog, memoryCatalog } from '../../../../storage/index.ts'
import { parseConfig } from '../../../../node/config/parse.ts'
import { Retention, settleMs } from '../../../../node/deletion/retention.ts'
import type { RetentionSettings } from '../../../../node/deletion/retention-settings.ts'
import { Events, type NodeEvent } from '../../../../node/events.ts'
import { retain, retentionOf } from '../../../../node/operations/retain.ts'
import { withCode } from '../../../support/mesh.ts'
import { makeSnapshot, publish, tell, type TestNode } from '../../../support/node.ts'
import { ManualClock } from '../manual-clock.ts'
import { dayMs, hourMs, openHousehold, replicate } from './household.ts'

const { signal } = new AbortController()

function settings(table: Record<string, unknown>): RetentionSettings {
  const { retention } = parseConfig(stringify({ retention: table }), 'config.toml')
  assert.ok(retention !== undefined)
  return retention
}

describe('retention by itself', () => {
  let clock: ManualClock
  let catalog: Catalog
  let open: Retention[]
  let rounds: number[]
  let judged: number
  let told: NodeEvent[]
  let events: Events
  let failure: Error | undefined
  beforeEach(() => {
    clock = new ManualClock()
    catalog = memoryCatalog()
    open = []
    rounds = []
    judged = 0
    told = []
    failure = undefined
    events = new Events()
    events.on((event) => {
      if (event.kind === 'trouble') told.push(event)
    })
  })
  afterEach(async () => {
    for (const retention of open) await retention.close()
  })

  function start(everyHours: number | undefined = 24): Retention {
    const retention = new Retention({
      clock,
      events,
      catalog,
      settings: () =>
        everyHours === 0 ? undefined : settings({ keep_last: 1, every: `${String(everyHours)}h` }),
      apply: () => {
        if (failure !== undefined) return Promise.reject(failure)
        rounds.push(clock.monotonicMs())
        return Promise.resolve()
      },
      judge: () => {
        judged++
        return Promise.resolve()
      },
    })
    retention.start()
    open.push(retention)
    return retention
  }

  it('follows other settings, a minute after they are there (Q5.3)', async () => {
    let now: RetentionSettings | undefined
    const retention = new Retention({
      clock,
      events,
      catalog,
      settings: () => now,
      apply: () => {
        rounds.push(clock.monotonicMs())
        return Promise.resolve()
      },
      judge: () => Promise.resolve(),
    })
    open.push(retention)
    retention.start()
    await clock.advance(48 * hourMs)
    assert.equal(rounds.length, 0, 'nothing is said')
    now = settings({ keep_last: 1, every: '6h' })
    events.emit({ kind: 'settings' })
    await clock.advance(settleMs - 1)
    assert.equal(rounds.length, 0, 'whoever sees that it is wrong can still take it back')
    await clock.advance(1 + 12 * hourMs)
    assert.equal(rounds.length, 3)
    now = settings({ keep_last: 1, every: '24h' })
    events.emit({ kind: 'settings' })
    await clock.advance(23 * hourMs)
    assert.equal(rounds.length, 3)
    await clock.advance(hourMs)
    assert.equal(rounds.length, 4)
    now = undefined
    events.emit({ kind: 'settings' })
    await clock.advance(100 * hourMs)
    assert.equal(rounds.length, 4)
  })

  it('begins soon after a start, and goes on as often as it was told', async () => {
    start(6)
    await clock.advance(settleMs - 1)
    assert.equal(rounds.length, 0)
    await clock.advance(1)
    assert.equal(rounds.length, 1)
    await clock.advance(24 * hourMs)
    assert.equal(rounds.length, 5)
    assert.ok((rounds[1] ?? 0) - (rounds[0] ?? 0) >= 6 * hourMs)
  })

  it('remembers its last round over a restart (U2.1)', async () => {
    const first = start()
    await clock.advance(hourMs)
    await first.close()
    await clock.advance(10 * hourMs)
    start()
    await clock.advance(10 * hourMs)
    assert.equal(rounds.length, 1)
    await clock.advance(5 * hourMs)
    assert.equal(rounds.length, 2)
  })

  it('catches up once with what it missed while the node was down', async () => {
    const first = start()
    await clock.advance(hourMs)
    await first.close()
    await clock.advance(30 * dayMs)
    start()
    await clock.advance(settleMs)
    assert.equal(rounds.length, 2)
    await clock.advance(hourMs)
    assert.equal(rounds.length, 2)
  })

  it('does not wait for a date that somebody had set wrongly', async () => {
    const wrong = Buffer.from(String(clock.nowMs() + 365 * dayMs))
    await catalog.batch([{ type: 'put', key: 'last', value: wrong }], { durable: true })
    start()
    await clock.advance(settleMs)
    assert.equal(rounds.length, 1)
  })

  it('tells what goes wrong, and tries again within the hour', async () => {
    failure = new CellarError('CONFIG_INVALID', 'it cannot be followed')
    start()
    await clock.advance(settleMs)
    assert.deepEqual(told, [
      { kind: 'trouble', code: 'CONFIG_INVALID', message: 'retention: it cannot be followed' },
    ])
    failure = undefined
    await clock.advance(2 * hourMs)
    assert.equal(rounds.length, 1)
  })

  it('judges what comes, also where nothing is forgotten by itself', async () => {
    start(0)
    await clock.advance(dayMs)
    assert.equal(judged, 1)
    for (let at = 0; at < 5; at++) events.emit({ kind: 'view' })
    await clock.advance(hourMs)
    assert.equal(judged, 2, 'many news are judged at once')
    assert.equal(rounds.length, 0)
  })

  it('ends when it is closed', async () => {
    const retention = start()
    await clock.advance(hourMs)
    await retention.close()
    await retention.close()
    await clock.advance(10 * dayMs)
    events.emit({ kind: 'view' })
    await clock.advance(dayMs)
    assert.equal(rounds.length, 1)
    assert.equal(judged, 1)
  })
})

describe('a box in the cupboard that may forget', () => {
  type Household = Awaited<ReturnType<typeof openHousehold>>
  let house: Household
  beforeEach(async () => {
    house = await openHousehold()
  })
  afterEach(() => house.close())

  const rules = settings({ keep_daily: 7, keep_weekly: 4, keep_monthly: 12 })

  function liveRoots(node: TestNode): string[] {
    return node.parts.ledger.live().map(({ root }) => root)
  }

  /** A snapshot of the laptop each morning and each evening; the Pi holds them. */
  async function days(count: number): Promise<{ root: string; atMs: number }[]> {
    const made: { root: string; atMs: number }[] = []
    for (let at = 0; at < 2 * count; at++) {
      const root = await makeSnapshot(house.laptop)
      await replicate(house.laptop, house.pi)
      made.push({ root, atMs: house.clock.nowMs() })
      await house.clock.advance(dayMs / 2)
    }
    return made
  }

  it('keeps 7 daily, 4 weekly, 12 monthly while the laptop sleeps', async () => {
    // The clock begins on a Sunday at 01:46.
    const made = await days(60)
    const first = (bucketOf: (date: Date) => string, count: number): string[] => {
      const firsts = new Map<string, string>()
      for (const { root, atMs } of made) {
        const bucket = bucketOf(new Date(atMs))
        if (!firsts.has(bucket)) firsts.set(bucket, root)
      }
      return [...firsts.values()].slice(-count)
    }
    const monday = (date: Date) => {
      const days = Math.floor(date.getTime() / dayMs)
      return String(Math.floor((days + 3) / 7))
    }
    const expected = new Set([
      ...first((date) => date.toISOString().slice(0, 10), 7),
      ...first(monday, 4),
      ...first((date) => date.toISOString().slice(0, 7), 12),
    ])
    house.pi.parts.settings.change({ ...house.pi.parts.config, retention: rules })
    const retention = retentionOf(house.pi.parts)
    retention.start()
    try {
      await house.clock.advance(settleMs)
      assert.deepEqual(new Set(liveRoots(house.pi)), expected)
      assert.ok(expected.size > 11)
      const status = await house.pi.call('status', {})
      assert.equal(status.retention?.rules, '7 daily, 4 weekly, 12 monthly')
      const ranMs = Date.parse(status.retention.last_run ?? '')
      assert.ok(Math.abs(house.clock.nowMs() - ranMs) < dayMs)
      assert.equal((await house.laptop.call('status', {})).retention, undefined)
    } finally {
      await retention.close()
    }
    // When another device comes, all of them forget the same.
    await publish(house.pi)
    await tell(house.pi, house.desktop)
    assert.deepEqual(new Set(liveRoots(house.desktop)), expected)
    // The laptop, back again, forgets them too, though it may forget nothing.
    await tell(house.pi, house.laptop)
    assert.deepEqual(new Set(liveRoots(house.laptop)), expected)
  })

  it('comes to the same again and again', async () => {
    await days(20)
    await retain(house.pi.parts, rules, signal)
    const kept = liveRoots(house.pi)
    await retain(house.pi.parts, rules, signal)
    assert.deepEqual(liveRoots(house.pi), kept)
  })

  it('keeps the same on two devices that both look after it', async () => {
    for (let at = 0; at < 12; at++) {
      await makeSnapshot(house.laptop)
      // The desktop hears of them in pairs, the Pi one by one.
      await replicate(house.laptop, house.pi)
      if (at % 2 === 1) await replicate(house.laptop, house.desktop)
      await house.clock.advance(dayMs / 2)
    }
    const same = settings({ keep_daily: 3 })
    await retain(house.pi.parts, same, signal)
    await retain(house.desktop.parts, same, signal)
    assert.deepEqual(liveRoots(house.pi).sort(), liveRoots(house.desktop).sort())
    assert.equal(liveRoots(house.pi).length, 3)
  })

  it('looks after those alone whom its settings name', async () => {
    await days(3)
    await makeSnapshot(house.desktop)
    await house.clock.advance(hourMs)
    await makeSnapshot(house.desktop)
    await replicate(house.desktop, house.pi)
    const named = settings({ keep_last: 1, devices: ['desktop'] })
    await retain(house.pi.parts, named, signal)
    assert.equal(liveRoots(house.pi).length, 6 + 1)
  })

  it('leaves alone what a device has backed up that was removed (U2.3)', async () => {
    await days(3)
    await tell(house.laptop, house.desktop)
    await house.desktop.call('deviceRemove', { device: 'laptop' })
    await publish(house.desktop)
    await tell(house.desktop, house.pi)
    await retain(house.pi.parts, settings({ keep_last: 1 }), signal)
    assert.equal(liveRoots(house.pi).length, 6)
  })

  it('forgets nothing when its settings cannot be followed (U2.2)', async () => {
    await days(1)
    const tags = settings({ keep_tags: ['kept'] })
    await assert.rejects(retain(house.pi.parts, tags, signal), withCode('CONFIG_INVALID'))
    const stranger = settings({ keep_last: 1, devices: ['phone'] })
    await assert.rejects(retain(house.pi.parts, stranger, signal), withCode('DEVICE_NOT_FOUND'))
    await assert.rejects(retain(house.laptop.parts, rules, signal), withCode('NOT_ENTITLED'))
    assert.equal(liveRoots(house.pi).length, 2)
  })
})
