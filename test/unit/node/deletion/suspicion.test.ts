import assert from 'node:assert/strict'
import type { NodeEvent } from '../../../../node/events.ts'
import { judgeAll, standingSuspicions } from '../../../../node/deletion/suspicion.ts'
import { every, makeSnapshot, tell, type TestNode, testNode } from '../../../support/node.ts'
import { dayMs, hourMs, household, openHousehold, replicate } from './household.ts'

type Household = Awaited<ReturnType<typeof openHousehold>>

const { signal } = new AbortController()

/** Nine chunks of 4 MB, named: what is below 32 MiB is not judged. */
const large = { bytes: 4_000_000 }

function files(prefix: string, from = 0, to = 9): string[] {
  return Array.from({ length: to - from }, (_, at) => `${prefix} ${String(from + at)}`)
}

function messages(node: TestNode): string[] {
  return standingSuspicions(node.parts).map(({ message }) => message)
}

describe('suspicion (R14)', () => {
  let house: Household
  let told: NodeEvent[]
  beforeEach(async () => {
    house = await openHousehold()
    told = []
    house.pi.parts.events.on((event) => {
      if (event.kind === 'trouble') told.push(event)
    })
  })
  afterEach(() => house.close())

  async function snapshot(content: readonly string[], path = '/home') {
    await house.clock.advance(hourMs)
    const root = await makeSnapshot(house.laptop, { content, path, ...large })
    await replicate(house.laptop, house.pi)
    return root
  }

  it('falls on a device whose newest snapshot has little of the one before, seen without keys', async () => {
    await snapshot(files('photo'))
    await snapshot([...files('photo', 0, 8), 'a new one'])
    await judgeAll(house.pi.parts, signal)
    assert.deepEqual(messages(house.pi), [])
    const bad = await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    const [message = ''] = messages(house.pi)
    assert.match(message, /^laptop: .* has only 0 % of what was in/)
    assert.ok(message.includes(bad.slice(0, 8)))
    assert.equal(told.length, 1)
    assert.equal(told[0]?.kind === 'trouble' && told[0].code, 'DEVICE_SUSPECT')
  })

  it('stays when later snapshots share all with that one, and over a restart (U4.2)', async () => {
    await snapshot(files('photo'))
    await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    assert.equal(messages(house.pi).length, 1)
    await house.pi.close()
    const again = await testNode({ number: 3, membership: household(), isBlind: true, before: house.pi })
    assert.equal(messages(again).length, 1)
    await again.close()
    house.pi = await testNode({ number: 3, membership: household(), isBlind: true, before: house.pi })
  })

  it('is found whichever of many snapshots between was the bad one', async () => {
    await snapshot(files('photo'))
    for (let at = 0; at < 3; at++) await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    assert.equal(messages(house.pi).length, 1)
  })

  it('judges each source by itself, and nothing small', async () => {
    await snapshot(files('photo'))
    await snapshot(files('music'), '/music')
    await house.clock.advance(hourMs)
    await makeSnapshot(house.laptop, { content: ['a'], path: '/notes' })
    await house.clock.advance(hourMs)
    await makeSnapshot(house.laptop, { content: ['b'], path: '/notes' })
    await replicate(house.laptop, house.pi)
    await judgeAll(house.pi.parts, signal)
    assert.deepEqual(messages(house.pi), [])
  })

  it('falls on a device that comes much faster than its habit', async () => {
    for (let day = 0; day < 5; day++) {
      await makeSnapshot(house.laptop)
      await house.clock.advance(dayMs)
    }
    await replicate(house.laptop, house.pi)
    await judgeAll(house.pi.parts, signal)
    assert.deepEqual(messages(house.pi), [])
    for (let at = 0; at < 30; at++) {
      await makeSnapshot(house.laptop)
      await house.clock.advance(60_000)
    }
    await replicate(house.laptop, house.pi)
    await judgeAll(house.pi.parts, signal)
    assert.match(messages(house.pi)[0] ?? '', /snapshots came within a day/)
    await makeSnapshot(house.laptop)
    await replicate(house.laptop, house.pi)
    await judgeAll(house.pi.parts, signal)
    assert.equal(told.length, 1, 'what stands is told once')
  })

  it('falls on a device that claims times that cannot be', async () => {
    const { desktop, laptop } = house
    await makeSnapshot(laptop, { timeMs: house.clock.nowMs() + 3 * hourMs })
    await replicate(laptop, desktop)
    await judgeAll(desktop.parts, signal)
    assert.match(messages(desktop)[0] ?? '', /claims a time 3 h after it came/)
    await desktop.call('deviceTrust', { device: 'laptop' })
    await judgeAll(desktop.parts, signal)
    assert.deepEqual(messages(desktop), [])
    await house.clock.advance(dayMs)
    await makeSnapshot(laptop)
    await makeSnapshot(laptop, { timeMs: house.clock.nowMs() - 5 * hourMs })
    await replicate(laptop, desktop)
    await judgeAll(desktop.parts, signal)
    assert.match(messages(desktop)[0] ?? '', /claims a time 5 h before the one it follows/)
  })

  it('is said once by the status, for as long as it stands', async () => {
    await snapshot(files('photo'))
    await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    const said = async () => {
      const { suspicions, problems } = await house.pi.call('status', {})
      return [suspicions.length, problems.filter(({ code }) => code === 'DEVICE_SUSPECT').length]
    }
    assert.deepEqual(await said(), [1, 0])
    await house.pi.call('deviceTrust', { device: 'laptop' })
    assert.deepEqual(await said(), [0, 0])
  })

  it('ends when a person says so, for what was there; what comes later is judged anew (U4.4)', async () => {
    await snapshot(files('photo'))
    await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    const { suspicion } = await house.pi.call('deviceTrust', { device: 'laptop' })
    assert.match(suspicion?.message ?? '', /has only 0 %/)
    await judgeAll(house.pi.parts, signal)
    assert.deepEqual(messages(house.pi), [])
    await snapshot(files('encrypted again'))
    await judgeAll(house.pi.parts, signal)
    assert.equal(messages(house.pi).length, 1)
    const nobody = await house.pi.call('deviceTrust', { device: 'desktop' })
    assert.equal(nobody.suspicion, undefined)
  })

  it('lets no rule forget anything of that device, judged when they are applied (U4.1, U4.3)', async () => {
    await snapshot(files('photo'))
    await snapshot(files('encrypted'))
    await makeSnapshot(house.desktop)
    await house.clock.advance(hourMs)
    await makeSnapshot(house.desktop)
    await replicate(house.desktop, house.pi)
    // Nothing was judged before: that a person forgets by rules is reason enough to look.
    const params = { snapshots: [], filter: every, rules: { last: 1 }, dryRun: false }
    const { groups, snapshot_ids: done } = await house.pi.call('forget', params)
    const [ofLaptop, ofDesktop] = groups
    assert.match(ofLaptop?.stopped ?? '', /^laptop: .*has only 0 %/)
    assert.equal(ofLaptop?.keep.length, 2)
    assert.equal(ofDesktop?.remove.length, 1)
    assert.deepEqual(
      done,
      ofDesktop.remove.map(({ id }) => id),
    )
  })

  it('does not stop a person who names a snapshot', async () => {
    await snapshot(files('photo'))
    const bad = await snapshot(files('encrypted'))
    await judgeAll(house.pi.parts, signal)
    const done = await house.pi.call('forget', { snapshots: [bad], filter: every, dryRun: false })
    assert.deepEqual(done.snapshot_ids, [bad])
  })

  it('judges again what could not be judged, and misses nothing that came between', async () => {
    await snapshot(files('photo'))
    await judgeAll(house.pi.parts, signal)
    // Announced, and not here yet.
    await makeSnapshot(house.laptop, { content: files('encrypted'), ...large })
    await tell(house.laptop, house.pi)
    await judgeAll(house.pi.parts, signal)
    assert.deepEqual(messages(house.pi), [])
    await replicate(house.laptop, house.pi)
    await judgeAll(house.pi.parts, signal)
    assert.equal(messages(house.pi).length, 1)
  })
})
