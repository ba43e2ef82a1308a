import assert from 'node:assert/strict'
import type { Config } from '../../../../node/config/types.ts'
import { sayingOf } from '../../../../node/saying.ts'
import { copiesGraceMs, fewCopiesCondition, lateCondition } from '../../../../node/telling/conditions.ts'
import { settleMs, Watch } from '../../../../node/telling/watch.ts'
import { removeMember } from '../../../../protocol/index.ts'
import { testMembership } from '../../../support/mesh.ts'
import { makeSnapshot, publish, tell, type TestNode, testNode } from '../../../support/node.ts'
import { ManualClock, settle } from '../manual-clock.ts'
import { FakeOutside, hook, task } from './fixtures.ts'
import { replaceChunk } from '../../../support/chunks.ts'

const dayMs = 86_400_000
const { membership } = testMembership(['writer', 'storer'])

/** A node that looks for silences, and one that it looks for. */
class Pair {
  readonly clock = new ManualClock()
  readonly outside = new FakeOutside()
  readonly #config: Partial<Config>
  desktop!: TestNode
  laptop!: TestNode
  #watch!: Watch
  #isFull = false

  private constructor(config: Partial<Config>) {
    this.#config = { hooks: [hook()], silence: [{ device: 'device-3', afterMs: undefined }], ...config }
  }

  static async open(config: Partial<Config> = {}): Promise<Pair> {
    const pair = new Pair(config)
    const { clock } = pair
    pair.laptop = await testNode({ number: 2, membership, clock })
    await pair.#openDesktop()
    return pair
  }

  async #openDesktop(before?: TestNode): Promise<void> {
    const { clock, outside } = this
    const again = before !== undefined && { before }
    this.desktop = await testNode({ number: 1, membership, clock, outside, config: this.#config, ...again })
    this.#watch = new Watch(this.desktop.parts)
    this.#watch.start()
    await settle()
  }

  /** The desktop ends; time goes by; it starts again. */
  async desktopIsOff(ms: number): Promise<void> {
    const before = this.desktop
    await this.#closeDesktop()
    await this.clock.advance(ms)
    await this.#openDesktop(before)
  }

  /** The laptop says something new, and the desktop hears of it. */
  async laptopSpeaks(): Promise<void> {
    this.#isFull = !this.#isFull
    await this.laptop.parts.ledger.publish(sayingOf(this.laptop.store, this.#isFull))
    await tell(this.laptop, this.desktop)
  }

  async #closeDesktop(): Promise<void> {
    await this.#watch.close()
    await this.desktop.parts.ledger.noteTime()
    await this.desktop.close()
  }

  titles(): string[] {
    return this.outside.titles()
  }

  async close(): Promise<void> {
    await this.#closeDesktop()
    await this.laptop.close()
  }
}

describe('looking for what should be told', () => {
  let pair: Pair
  afterEach(() => pair.close())

  it('TE8.1: a device that falls silent is told of once, and once when it is back', async () => {
    pair = await Pair.open()
    await pair.clock.advance(dayMs)
    await pair.laptopSpeaks()
    await pair.clock.advance(7 * dayMs - 3_600_000)
    assert.deepEqual(pair.titles(), [])
    await pair.clock.advance(2 * 3_600_000)
    assert.deepEqual(pair.titles(), ['device-2 has been silent for 8 days'])
    await pair.clock.advance(10 * dayMs)
    assert.equal(pair.titles().length, 1)
    await pair.laptopSpeaks()
    await pair.clock.advance(3_600_000)
    assert.deepEqual(pair.titles().slice(1), ['device-2 is back'])
    await pair.clock.advance(7 * dayMs)
    assert.equal(pair.titles().length, 3, 'silent again')
  })

  it('TE8.1: over restarts too', async () => {
    pair = await Pair.open()
    await pair.clock.advance(8 * dayMs)
    assert.equal(pair.titles().length, 1)
    await pair.desktopIsOff(3_600_000)
    await pair.clock.advance(dayMs)
    assert.equal(pair.titles().length, 1)
    await pair.laptopSpeaks()
    await pair.clock.advance(3_600_000)
    assert.deepEqual(pair.titles().slice(1), ['device-2 is back'])
  })

  it('TE8.2: when everything was off for two weeks nobody was silent', async () => {
    pair = await Pair.open()
    await pair.clock.advance(dayMs)
    await pair.desktopIsOff(14 * dayMs)
    await pair.clock.advance(dayMs)
    assert.deepEqual(pair.titles(), [])
  })

  it('TE8.2: but on a device that is on for a while each day, days count', async () => {
    pair = await Pair.open()
    for (let day = 0; day < 8; day++) {
      await pair.desktopIsOff(dayMs - 3_600_000)
      await pair.clock.advance(3_600_000)
    }
    assert.equal(pair.titles().length, 1)
  })

  it('TE8.3: after a start the others have their time to be heard of', async () => {
    pair = await Pair.open()
    await pair.clock.advance(7 * dayMs - 3_600_000)
    await pair.desktopIsOff(2 * 3_600_000)
    await pair.clock.advance(settleMs - 1000)
    assert.deepEqual(pair.titles(), [])
    await pair.laptopSpeaks()
    await pair.clock.advance(3_600_000)
    assert.deepEqual(pair.titles(), [])
  })

  it('TE8.4: a device that is heard of and makes no new snapshots is told of in the same way', async () => {
    pair = await Pair.open()
    await makeSnapshot(pair.laptop)
    await tell(pair.laptop, pair.desktop)
    for (let day = 0; day < 8; day++) {
      await pair.laptopSpeaks()
      await pair.clock.advance(dayMs)
    }
    assert.deepEqual(pair.titles(), ['device-2 has made no backup for 8 days'])
    await makeSnapshot(pair.laptop)
    await tell(pair.laptop, pair.desktop)
    await pair.clock.advance(3_600_000)
    assert.deepEqual(pair.titles().slice(1), ['device-2 backs up again'])
  })

  it('TE8.4: one that is back from a silence has its time again to back up', async () => {
    pair = await Pair.open()
    await makeSnapshot(pair.laptop)
    await tell(pair.laptop, pair.desktop)
    await pair.clock.advance(10 * dayMs)
    await pair.laptopSpeaks()
    await pair.clock.advance(dayMs)
    assert.deepEqual(pair.titles(), ['device-2 has been silent for 8 days', 'device-2 is back'])
    for (let day = 0; day < 7; day++) {
      await pair.laptopSpeaks()
      await pair.clock.advance(dayMs)
    }
    assert.deepEqual(pair.titles().slice(2), ['device-2 has made no backup for 18 days'])
  })

  it('a device that was removed is not silent', async () => {
    pair = await Pair.open()
    const { ledger } = pair.desktop.parts
    await ledger.changeMembership((before, signer) =>
      removeMember(before, signer, { device: pair.laptop.parts.signer.device, atMs: 0 }),
    )
    await pair.clock.advance(30 * dayMs)
    assert.deepEqual(pair.titles(), [])
  })

  it('each device has its own time, or none', async () => {
    const silence = [
      { device: 'device-2', afterMs: dayMs },
      { device: 'device-3', afterMs: 2 * dayMs },
    ]
    pair = await Pair.open({ silence })
    await pair.clock.advance(dayMs + 3_600_000)
    assert.deepEqual(pair.titles(), ['device-2 has been silent for 25 hours'])
    await pair.clock.advance(dayMs)
    assert.equal(pair.titles().length, 2)
  })

  it('status says who is silent, and so do the figures', async () => {
    pair = await Pair.open()
    await pair.clock.advance(8 * dayMs)
    const { telling, problems } = await pair.desktop.call('status', {})
    assert.deepEqual(
      telling.silent.map(({ name, lacks }) => [name, lacks]),
      [['device-2', 'sign']],
    )
    assert.ok(
      problems.some(({ code, message }) => code === 'PEER_GONE' && message.startsWith('device-2 has been')),
    )
    const { text } = await pair.desktop.call('metrics', {})
    assert.match(text, /^rootcellar_device_silent\{device="device-2"\} 1$/m)
    assert.match(text, /^rootcellar_device_silent\{device="device-3"\} 0$/m)
  })

  it('TE5.2: a problem that stands is told once, and when it is over', async () => {
    pair = await Pair.open()
    const { store } = pair.desktop
    const root = await makeSnapshot(pair.desktop)
    const bytes = store.get(root)
    await pair.clock.advance(3_600_000)
    await store.quarantine(root)
    await pair.clock.advance(2 * dayMs)
    assert.deepEqual(pair.titles(), ['Trouble on device-1: CHUNK_CORRUPT'])
    await replaceChunk(store, root, bytes)
    await pair.clock.advance(3_600_000)
    assert.deepEqual(pair.titles().slice(1), ['No more trouble on device-1: CHUNK_CORRUPT'])
  })

  it('a profile that lags is told of on its own device', async () => {
    const { PROFILE_DEFAULT } = await import('../../../../node/config/defaults.ts')
    const photos = { ...PROFILE_DEFAULT, name: 'photos', silentAfterMs: 3 * dayMs }
    pair = await Pair.open({ profiles: [photos], silentAfterMs: undefined })
    pair.desktop.parts.events.emit(task())
    await pair.clock.advance(2 * dayMs)
    assert.deepEqual(pair.titles(), [])
    await pair.clock.advance(dayMs + 3_600_000)
    assert.deepEqual(pair.titles(), ['No backup of "photos" on device-1 for 4 days'])
    const { problems } = await pair.desktop.call('status', {})
    assert.ok(problems.some(({ code }) => code === 'BACKUP_LATE'))
    pair.desktop.parts.events.emit(task())
    await pair.clock.advance(3_600_000)
    assert.equal(pair.titles().at(-1), '"photos" is backed up again on device-1')
    await publish(pair.desktop)
  })
})

describe('a profile that lags', () => {
  const record = {
    lastSuccessMs: 1000,
    runs: { done: 1, partly: 0, failed: 0, 'put-off': 0 },
    copiedMs: 1000,
  }

  it('is late after its time, if it has one and ever worked', () => {
    const late = (silentAfterMs: number | undefined, lastSuccessMs: number, nowMs: number) =>
      lateCondition({ name: 'x', silentAfterMs }, { ...record, lastSuccessMs }, 'pi', nowMs).length
    assert.deepEqual([late(500, 1000, 1499), late(500, 1000, 1500)], [0, 1])
    assert.equal(late(undefined, 1000, 1e12), 0)
    assert.equal(late(500, 0, 1e12), 0)
  })

  it('has too few copies once that goes on for a day', () => {
    const few = (wanted: number | undefined, copies: number | undefined, nowMs: number) =>
      fewCopiesCondition({ name: 'x', copies: wanted }, record, copies, 'pi', nowMs).length
    assert.deepEqual([few(2, 1, 1000 + copiesGraceMs - 1), few(2, 1, 1000 + copiesGraceMs)], [0, 1])
    assert.deepEqual([few(2, 2, 1e12), few(undefined, 1, 1e12), few(2, undefined, 1e12)], [0, 0, 0])
  })
})
