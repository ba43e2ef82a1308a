/** Memory given back: when the process has grown, and only then; and by all of its heaps. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { grownBytesMin, keepTrimmed, lookEveryMs } from '../../../../node/trim.ts'
import { ManualClock } from '../manual-clock.ts'

describe('giving memory back', () => {
  it('happens when the process has grown since the last time, and not otherwise', async () => {
    const clock = new ManualClock()
    let resident = 100 * grownBytesMin
    let trims = 0
    const close = keepTrimmed({
      clock,
      residentBytes: () => resident,
      trim: () => {
        trims++
        resident /= 2
      },
    })
    await clock.advance(lookEveryMs - 1)
    assert.equal(trims, 0)
    await clock.advance(1)
    assert.equal(trims, 1)
    await clock.advance(100 * lookEveryMs)
    assert.equal(trims, 1)
    resident += grownBytesMin - 1
    await clock.advance(lookEveryMs)
    assert.equal(trims, 1)
    resident += 1
    await clock.advance(lookEveryMs)
    assert.equal(trims, 2)
    await close()
  })

  it('is done by the heaps of threads too, which keep no long end (glibc)', function () {
    if (process.platform !== 'linux') this.skip()
    const isSource = import.meta.url.endsWith('.ts')
    const memory = new URL(`../../../../node/adapters/memory.${isSource ? 'ts' : 'js'}`, import.meta.url).href
    const loader = isSource ? ['--import', import.meta.resolve('tsx')] : []
    const script = threadsThatFill(memory)
    const lefts = Array.from({ length: 5 }, () => {
      const said = execFileSync(process.execPath, [...loader, '--input-type=module', '-e', script])
      const [full = 0, left = 0] = JSON.parse(said.toString()) as number[]
      assert.ok(full > 40, `${String(full)} MiB: the threads filled theirs`)
      return left
    })
    // One process of thirty keeps one end: a small block that was freed late lies behind it, and is joined to it by the
    // trimming itself, after which glibc looks at ends no more.
    const whole = lefts.filter((left) => left < 20)
    assert.ok(whole.length >= 2, `${lefts.join(', ')} MiB are left`)
  })
})

/** Two threads of 24 MiB each in blocks that are not mapped one by one; prints by how many MiB the process had grown. */
function threadsThatFill(memory: string): string {
  return `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    import { trimMemory, tuneMemory } from '${memory}'
    tuneMemory(true)
    const MiB = 1024 * 1024
    const beforeBytes = process.memoryUsage.rss()
    const grown = () => (process.memoryUsage.rss() - beforeBytes) / MiB
    const script = \`
      import { parentPort } from 'node:worker_threads'
      const kept = Array.from({ length: 24 }, () => Buffer.allocUnsafeSlow(\${MiB}).fill(1))
      parentPort.once('message', () => kept.length = 0)
      parentPort.postMessage('full')
    \`
    const threads = [0, 1].map(() => new Worker(script, { eval: true }))
    await Promise.all(threads.map((thread) => once(thread, 'message')))
    const full = grown()
    const ended = threads.map((thread) => once(thread, 'exit'))
    for (const thread of threads) thread.postMessage('end')
    await Promise.all(ended)
    trimMemory()
    console.log(JSON.stringify([full, grown()]))`
}
