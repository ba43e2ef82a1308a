import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

const module = new URL(
  `../../../../node/adapters/thread-priority.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
).href

describe('a thread that lets others go first', () => {
  it('has a nice value of 10, and the threads beside it keep theirs', function () {
    if (process.platform !== 'linux') this.skip()
    const script = `
      const { readdirSync, readFileSync } = await import('node:fs')
      const { lowerThisThread } = await import(${JSON.stringify(module)})
      lowerThisThread()
      const nice = (id) => Number(readFileSync('/proc/self/task/' + id + '/stat', 'utf8').split(') ')[1].split(' ')[16])
      const ids = readdirSync('/proc/self/task')
      console.log(JSON.stringify({ own: nice(process.pid), others: ids.filter((id) => id != process.pid).map(nice) }))`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...process.execArgv, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    )
    assert.notEqual(stdout, '', stderr)
    const { own, others } = JSON.parse(stdout) as { own: number; others: number[] }
    const before = Math.min(...others)
    assert.ok(others.length > 0)
    assert.equal(own, Math.max(10, before))
    assert.ok(before < 10 || before === own, String(before))
  })
})
