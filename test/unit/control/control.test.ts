import assert from 'node:assert/strict'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type Handlers, handleOf } from '../../../node/api.ts'
import { connectNode } from '../../../node/control/client.ts'
import { serveControl } from '../../../node/control/server.ts'
import { closeWaitMs } from '../../../node/control/limits.ts'
import { CellarError, isCellarError } from '../../../protocol/errors.ts'
import { NODE, STATUS } from '../cli/fixtures.ts'
import { ManualClock } from '../node/manual-clock.ts'
import { list, never, restored, Served, streamed } from './served.ts'

describe('control socket', () => {
  const served = new Served()

  it('is for its owner alone', async () => {
    await served.serve({})
    assert.equal(statSync(served.path).mode & 0o777, 0o600)
  })

  it('gives events and the result, in order', async () => {
    const handle = await served.serve({
      ls: async (params, { onEvent }) => {
        for (let n = 0; n < 1000; n++)
          onEvent({ ...NODE, path: `/${String(n)}`, name: params.snapshot as string })
        return { nodes: 1000 }
      },
    })
    const paths: string[] = []
    const result = await handle.call('ls', list, {
      signal: never(),
      onEvent: (event) => event.message_type === 'node' && paths.push(event.path),
    })
    assert.deepEqual(result, { nodes: 1000 })
    assert.deepEqual(
      paths,
      Array.from({ length: 1000 }, (_, n) => `/${String(n)}`),
    )
  })

  it('carries an error with code, message and context', async () => {
    const handle = await served.serve({
      status: async () => {
        throw new CellarError('STORE_FULL', 'the disk is full', { bytes: 5 })
      },
      devices: async () => {
        throw new TypeError('a bug')
      },
    })
    await assert.rejects(handle.call('status', {}, { signal: never() }), {
      code: 'STORE_FULL',
      message: 'the disk is full',
      context: { bytes: 5 },
    })
    await assert.rejects(handle.call('devices', {}, { signal: never() }), {
      code: 'INTERNAL',
      message: 'TypeError: a bug',
    })
  })

  it('aborts the method when the caller aborts', async () => {
    let ended: (reason: unknown) => void = () => undefined
    const reason = new Promise<unknown>((resolve) => (ended = resolve))
    const started = new AbortController()
    const handle = await served.serve({
      restore: (_params, { signal, onEvent }) =>
        new Promise((_resolve, reject) => {
          onEvent({ message_type: 'status', seconds_elapsed: 0, percent_done: 0 })
          signal.addEventListener('abort', () => {
            ended(signal.reason)
            reject(new CellarError('ABORTED', 'stopped'))
          })
        }),
    })
    const call = handle.call('restore', restored, {
      signal: started.signal,
      onEvent: () => started.abort(),
    })
    await assert.rejects(call, { code: 'ABORTED' })
    assert.ok(isCellarError(await reason, 'ABORTED'))
  })

  it('aborts what is under way when the node closes, and says so (H4.1)', async () => {
    const handle = await served.serve({
      backup: (_params, { signal, onEvent }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new CellarError('ABORTED', 'stopped')))
          onEvent({ message_type: 'saved', snapshot_id: 'x' })
        }),
    })
    const call = handle.call('backup', streamed, {
      signal: never(),
      onEvent: () => void served.server?.close(),
    })
    await assert.rejects(call, { code: 'NODE_STOPPED' })
    assert.equal(await connectNode(served.path), undefined)
    assert.ok(!existsSync(served.path))
  })

  it('closes within seconds although a method does not end when told to, and names it (H4.1)', async () => {
    const clock = new ManualClock()
    let begun: () => void = () => undefined
    const started = new Promise<void>((resolve) => (begun = resolve))
    const handle = await served.serve(
      { devices: () => new Promise(() => void begun()), status: async () => STATUS },
      { world: { clock, random: { bytes: (length) => new Uint8Array(length) } } },
    )
    const call = handle.call('devices', {}, { signal: never() })
    const failed = assert.rejects(call, { code: 'NODE_STOPPED' })
    await started
    const closed = served.server?.close()
    await clock.advance(closeWaitMs)
    assert.deepEqual(await closed, ['devices'])
    await failed
  })

  it('closes although somebody has begun a request and says no more', async () => {
    await served.serve({ status: async () => STATUS })
    const sent = request({ socketPath: served.path, method: 'POST', path: '/v1/status', agent: false })
    sent.on('error', () => undefined)
    sent.write('{')
    while (served.server?.calls() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await served.server?.close()
    sent.destroy()
  })

  it('lets what is under way end when it drains, and takes nothing more', async () => {
    let finish: () => void = () => undefined
    let begun: () => void = () => undefined
    const started = new Promise<void>((resolve) => (begun = resolve))
    const handle = await served.serve({
      status: () =>
        new Promise((resolve) => {
          finish = () => resolve(STATUS)
          begun()
        }),
      devices: async () => [],
    })
    const call = handle.call('status', {}, { signal: never() })
    await started
    const drained = served.server?.drain()
    await assert.rejects(handle.call('devices', {}, { signal: never() }), { code: 'NODE_STOPPED' })
    finish()
    assert.deepEqual(await call, STATUS)
    await drained
  })

  it('answers stop before it stops', async () => {
    let asked = 0
    const handle = await served.serve({}, { onStop: () => (asked += 1) })
    assert.deepEqual(await handle.call('stop', {}, { signal: never() }), { pid: process.pid })
    assert.equal(asked, 1)
  })

  it('is not taken for a node when it is stale, a file, or not there', async () => {
    assert.equal(await connectNode(served.path), undefined)
    writeFileSync(served.path, '')
    assert.equal(await connectNode(served.path), undefined)
    rmSync(served.path)
    await leaveStaleSocket(served.path)
    assert.ok(existsSync(served.path))
    assert.equal(await connectNode(served.path), undefined)
    const handle = await served.serve({ status: async () => STATUS })
    assert.deepEqual(await handle.call('status', {}, { signal: never() }), STATUS)
  })

  it('is not taken from a node that runs', async () => {
    await served.serve({ status: async () => STATUS })
    await assert.rejects(
      serveControl({ path: served.path, handle: handleOf({} as Handlers, async () => undefined) }),
      {
        code: 'STORE_IN_USE',
      },
    )
    const handle = await connectNode(served.path)
    assert.deepEqual(await handle?.call('status', {}, { signal: never() }), STATUS)
  })

  for (const [what, method, url, body] of [
    ['another verb', 'GET', '/v1/status', ''],
    ['an unknown method', 'POST', '/v1/format', '{}\n'],
    ['a name of every object', 'POST', '/v1/constructor', '{}\n'],
    ['no JSON', 'POST', '/v1/status', '{\n'],
    ['no table', 'POST', '/v1/status', '[]\n'],
    ['half a table', 'POST', '/v1/status', '{'],
    ['nothing', 'POST', '/v1/status', ''],
  ] as const) {
    it(`refuses ${what}, and goes on`, async () => {
      const handle = await served.serve({ status: async () => STATUS })
      const answer = await raw(served.path, method, url, body)
      assert.match(answer, /^\{"error":\{"code":"(USAGE|FORMAT_INVALID)"/)
      assert.deepEqual(await handle.call('status', {}, { signal: never() }), STATUS)
    })
  }

  it('refuses parameters that do not fit before the method begins, and says which (H3.1)', async () => {
    let begun = 0
    const handle = await served.serve({ ls: async () => ({ nodes: (begun += 1) }) })
    await assert.rejects(handle.call('ls', { ...list, recursive: 'no' } as never, { signal: never() }), {
      code: 'USAGE',
      message: 'the parameters of ls do not fit: recursive must be true or false',
      context: { method: 'ls', parameter: 'recursive' },
    })
    await assert.rejects(handle.call('ls', { ...list, recursiv: true } as never, { signal: never() }), {
      code: 'USAGE',
    })
    assert.equal(begun, 0)
  })

  it('takes a line that ends with the request', async () => {
    await served.serve({ status: async () => STATUS })
    assert.deepEqual(JSON.parse(await raw(served.path, 'POST', '/v1/status', '{}')), { result: STATUS })
  })
})

async function raw(socketPath: string, method: string, path: string, body: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (bytes: Buffer) => parts.push(bytes))
      response.on('end', () => resolve(Buffer.concat(parts).toString()))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A socket whose process is gone: bound and never unlinked. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawnSync } = await import('node:child_process')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
}
