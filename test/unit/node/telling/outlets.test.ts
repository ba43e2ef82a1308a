import assert from 'node:assert/strict'
import { CONFIG_DEFAULT } from '../../../../node/config/defaults.ts'
import type { Config, MetricsConfig } from '../../../../node/config/types.ts'
import type { NodeEvent } from '../../../../node/events.ts'
import { keepTelling } from '../../../../node/telling/keep.ts'
import { Collector } from '../../../../node/telling/metrics/collect.ts'
import { Outlets } from '../../../../node/telling/outlets.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { testMembership } from '../../../support/mesh.ts'
import { makeSnapshot, type TestNode, testNode } from '../../../support/node.ts'
import { settle } from '../manual-clock.ts'
import { FakeOutside, task } from './fixtures.ts'

const { membership } = testMembership(['writer'])

function metrics(over: Partial<MetricsConfig>): Partial<Config> {
  return { metrics: { ...CONFIG_DEFAULT.metrics, ...over }, statusFile: '/status.json' }
}

describe('where figures go', () => {
  let node: TestNode
  let outside: FakeOutside
  const troubles: string[] = []

  async function open(config: Partial<Config>, isRunning = false): Promise<Outlets> {
    outside = new FakeOutside()
    node = await testNode({ number: 1, membership, config, outside, isRunning })
    troubles.length = 0
    node.parts.events.on((event: NodeEvent) => {
      if (event.kind === 'trouble') troubles.push(event.message)
    })
    return new Outlets({
      parts: node.parts,
      collector: new Collector(node.parts),
      outside: () => Promise.resolve(outside),
    })
  }
  afterEach(() => node.close())

  it('files and gateway are brought up to date at once, every so often, and after news', async () => {
    const outlets = await open(metrics({ textFile: '/x.prom', push: 'http://gw:9091', everyMs: 60_000 }))
    await outlets.start()
    await settle()
    assert.deepEqual([...outside.written.keys()], ['/status.json', '/x.prom'])
    assert.deepEqual(
      [outside.written.get('/status.json')?.mode, outside.written.get('/x.prom')?.mode],
      [0o600, 0o644],
    )
    assert.equal(outside.asked.length, 1)
    assert.equal(outside.asked[0]?.url, 'http://gw:9091/metrics/job/rootcellar/instance/device-1')
    await node.clock.advance(59_000)
    assert.equal(outside.asked.length, 1)
    await node.clock.advance(2000)
    assert.equal(outside.asked.length, 2)
    node.parts.events.emit(task())
    await node.clock.advance(1000)
    assert.equal(outside.asked.length, 3)
    assert.match(
      outside.asked[2]?.body ?? '',
      /rootcellar_task_runs_total\{task="backup",profile="photos",outcome="done"\} 1/,
    )
    await outlets.close()
  })

  it('what fails is told once, and once more after it has worked', async () => {
    const outlets = await open(metrics({ push: 'http://gw:9091', everyMs: 10_000 }))
    let status = 500
    outside.answer = () => ({ status, retryAfterSeconds: undefined })
    await outlets.start()
    await node.clock.advance(35_000)
    assert.deepEqual(troubles, ['push: the push gateway gw:9091 answered 500'])
    status = 200
    await node.clock.advance(20_000)
    status = 500
    await node.clock.advance(20_000)
    assert.equal(troubles.length, 2)
    await outlets.close()
  })

  it('an endpoint that cannot listen is told of, and keeps nothing from running', async () => {
    const outlets = await open(metrics({ listen: '127.0.0.1:1' }))
    await outlets.start()
    assert.deepEqual(troubles, ['metrics endpoint: nobody listens here'])
    assert.equal(outlets.address, undefined)
    await outlets.close()
  })

  it('the endpoint follows the settings', async () => {
    const outlets = await open(metrics({}))
    const open_: string[] = []
    outside.serve = ((listen: string) => {
      if (listen === 'bad') return Promise.reject(new CellarError('CONFIG_INVALID', 'no'))
      open_.push(listen)
      return Promise.resolve({
        address: listen,
        close: async () => {
          open_.splice(open_.indexOf(listen), 1)
        },
      })
    }) as FakeOutside['serve']
    await outlets.start()
    const { settings } = node.parts
    const set = async (listen: string | undefined) => {
      settings.change({ ...settings.current, ...metrics({ listen }) })
      await settle()
    }
    await set('a')
    assert.deepEqual(open_, ['a'])
    await set('b')
    assert.deepEqual(open_, ['b'])
    await set(undefined)
    assert.deepEqual(open_, [])
    await set('c')
    await outlets.close()
    assert.deepEqual(open_, [])
  })

  it('where no node runs, only what follows from a task is written, at the end', async () => {
    await open(metrics({ textFile: '/x.prom' }))
    const close = await keepTelling(node.parts, () => Promise.resolve(outside))
    await close()
    assert.equal(outside.written.size, 0)
    const again = await keepTelling(node.parts, () => Promise.resolve(outside))
    node.parts.events.emit(task())
    assert.equal(outside.written.size, 0)
    await again()
    assert.deepEqual([...outside.written.keys()], ['/status.json', '/x.prom'])
    assert.match(outside.written.get('/x.prom')?.text ?? '', /^rootcellar_running 0$/m)
  })
})

describe('figures of a node', () => {
  it('say bytes that only snapshots with too few copies need, and those that wait to be freed', async () => {
    const node = await testNode({ number: 1, membership })
    const valueOf = (text: string, name: string) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
    const figures = async () => (await node.call('metrics', {})).text
    assert.equal(valueOf(await figures(), 'rootcellar_unreplicated_bytes'), 0)
    const root = await makeSnapshot(node, { content: ['one'], bytes: 5000 })
    const before = await figures()
    const bytes = valueOf(before, 'rootcellar_unreplicated_bytes')
    assert.ok(bytes > 5000 && bytes < 7000, String(bytes))
    assert.equal(valueOf(before, 'rootcellar_snapshots_unreplicated'), 1)
    assert.equal(valueOf(before, 'rootcellar_reclaim_waiting_bytes'), 0)
    await node.call('forget', {
      snapshots: [root],
      filter: { devices: [], paths: [], tags: [] },
      dryRun: false,
    })
    const after = await figures()
    assert.equal(valueOf(after, 'rootcellar_unreplicated_bytes'), 0)
    assert.equal(valueOf(after, 'rootcellar_reclaim_waiting_bytes'), bytes)
    await node.close()
  })

  it('are not gathered anew for each that asks', async () => {
    const node = await testNode({ number: 1, membership })
    const collector = new Collector(node.parts)
    const first = await collector.text()
    await makeSnapshot(node)
    assert.equal(await collector.text(), first)
    await node.clock.advance(5000)
    assert.notEqual(await collector.text(), first)
    await node.close()
  })
})
