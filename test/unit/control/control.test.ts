import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  type CallContext,
  type Handlers,
  handleOf,
  type MethodName,
  type NodeHandle,
  type ParamsOf,
  type ResultOf,
} from '../../../node/api.ts'
import { connectNode } from '../../../node/control/client.ts'
import { type ControlServer, type ControlServerOptions, serveControl } from '../../../node/control/server.ts'
import { closeWaitMs } from '../../../node/control/limits.ts'
import { CellarError, isCellarError } from '../../../protocol/errors.ts'
import { NODE, RESTORED, STATUS, SUMMARY } from '../cli/fixtures.ts'
import { ManualClock } from '../node/manual-clock.ts'

type Some = {
  readonly [M in MethodName]?: (params: ParamsOf<M>, context: CallContext<M>) => Promise<ResultOf<M>>
}

const never = (): AbortSignal => new AbortController().signal
const list = { snapshot: 'latest', filter: { devices: [], paths: [], tags: [] }, paths: [], recursive: true }
const dumped = { snapshot: 'latest', filter: list.filter, path: '/a', archive: 'tar' } as const
const streamed: ParamsOf<'backup'> = {
  paths: [],
  excludes: [],
  iexcludes: [],
  excludeCaches: false,
  excludeIfPresent: [],
  oneFileSystem: false,
  stdin: { name: 'in' },
  tags: [],
  dryRun: false,
  skipIfUnchanged: false,
  verbose: false,
}
const restored: ParamsOf<'restore'> = {
  snapshot: 'latest',
  filter: list.filter,
  target: '/t',
  includes: [],
  iincludes: [],
  excludes: [],
  iexcludes: [],
  overwrite: 'always',
  delete: false,
  dryRun: false,
  verify: false,
  verbose: false,
}

describe('control socket', () => {
  let directory: string
  let path: string
  let server: ControlServer | undefined

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-control-'))
    path = join(directory, 'control.sock')
  })

  afterEach(async () => {
    await server?.close()
    server = undefined
    rmSync(directory, { recursive: true })
  })

  async function serve(handlers: Some, more: Partial<ControlServerOptions> = {}): Promise<NodeHandle> {
    server = await serveControl({
      path,
      handle: handleOf(handlers as Handlers, async () => undefined),
      ...more,
    })
    const handle = await connectNode(path)
    assert.ok(handle)
    return handle
  }

  it('is for its owner alone', async () => {
    await serve({})
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('gives events and the result, in order', async () => {
    const handle = await serve({
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
    const handle = await serve({
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

  it('carries bytes out, at the pace of who reads them', async () => {
    let sent = 0
    const block = Buffer.alloc(1 << 20, 7)
    const handle = await serve({
      dump: async (_params, { output }) => {
        for (let n = 0; n < 64; n++) {
          await output(block)
          sent += block.byteLength
        }
        return { bytes: sent }
      },
    })
    let read = 0
    let ahead = 0
    const output = async (bytes: Uint8Array): Promise<void> => {
      assert.ok(bytes.every((byte) => byte === 7))
      read += bytes.byteLength
      await new Promise((resolve) => setImmediate(resolve))
      ahead = Math.max(ahead, sent - read)
    }
    assert.deepEqual(await handle.call('dump', dumped, { signal: never(), output }), { bytes: 64 << 20 })
    assert.equal(read, 64 << 20)
    assert.ok(ahead < 8 << 20, `${String(ahead)} bytes ahead of the reader`)
  })

  it('gives the failure of an output back as it was: a reader that went away is not the end of the node', async () => {
    const handle = await serve({
      dump: async (_params, { output }) => {
        await output(new Uint8Array(1 << 20))
        return { bytes: 1 << 20 }
      },
    })
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    await assert.rejects(
      handle.call('dump', dumped, { signal: never(), output: () => Promise.reject(gone) }),
      (error) => error === gone,
    )
  })

  it('does not keep the bytes of a method beyond its wait', async () => {
    const handle = await serve({
      dump: async (_params, { output }) => {
        const buffer = Buffer.alloc(100_000)
        for (let n = 0; n < 20; n++) await output(buffer.fill(n))
        return { bytes: 0 }
      },
    })
    const parts: Buffer[] = []
    await handle.call('dump', dumped, {
      signal: never(),
      output: async (bytes) => void parts.push(Buffer.from(bytes)),
    })
    const all = Buffer.concat(parts)
    for (let n = 0; n < 20; n++)
      assert.ok(all.subarray(n * 100_000, (n + 1) * 100_000).every((byte) => byte === n))
  })

  it('carries bytes in, at the pace of the method', async () => {
    let taken = 0
    let given = 0
    let ahead = 0
    const handle = await serve({
      backup: async (_params, { input }) => {
        for await (const bytes of input) {
          taken += bytes.byteLength
          ahead = Math.max(ahead, given - taken)
          await new Promise((resolve) => setImmediate(resolve))
        }
        return { ...SUMMARY, total_bytes_processed: taken }
      },
    })
    async function* input(): AsyncGenerator<Uint8Array> {
      for (let n = 0; n < 64; n++) {
        given += 1 << 20
        yield Buffer.alloc(1 << 20, n)
      }
    }
    const summary = await handle.call('backup', streamed, { signal: never(), input: input() })
    assert.equal(summary.total_bytes_processed, 64 << 20)
    assert.ok(ahead < 8 << 20, `${String(ahead)} bytes ahead of the method`)
  })

  it('fails the method when its input fails: half an input is none', async () => {
    let taken: () => void = () => undefined
    const half = new Promise<void>((resolve) => (taken = resolve))
    let told: (error: unknown) => void = () => undefined
    const seen = new Promise<unknown>((resolve) => (told = resolve))
    const handle = await serve({
      backup: async (_params, { input }) => {
        try {
          for await (const bytes of input) {
            assert.equal(Buffer.from(bytes).toString(), 'half')
            taken()
          }
        } catch (error) {
          told(error)
          throw error
        }
        throw new RangeError('half an input was taken for a whole one')
      },
    })
    async function* input(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      await half
      throw new CellarError('COMMAND_FAILED', 'the command failed')
    }
    await assert.rejects(handle.call('backup', streamed, { signal: never(), input: input() }), {
      code: 'COMMAND_FAILED',
    })
    assert.ok(isCellarError(await seen, 'ABORTED'))
  })

  it('aborts the method when the caller aborts', async () => {
    let ended: (reason: unknown) => void = () => undefined
    const reason = new Promise<unknown>((resolve) => (ended = resolve))
    const started = new AbortController()
    const handle = await serve({
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
    const handle = await serve({
      backup: (_params, { signal, onEvent }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new CellarError('ABORTED', 'stopped')))
          onEvent({ message_type: 'saved', snapshot_id: 'x' })
        }),
    })
    const call = handle.call('backup', streamed, {
      signal: never(),
      onEvent: () => void server?.close(),
    })
    await assert.rejects(call, { code: 'NODE_STOPPED' })
    assert.equal(await connectNode(path), undefined)
    assert.ok(!existsSync(path))
  })

  it('closes within seconds although a method does not end when told to, and names it (H4.1)', async () => {
    const clock = new ManualClock()
    let begun: () => void = () => undefined
    const started = new Promise<void>((resolve) => (begun = resolve))
    const handle = await serve(
      { devices: () => new Promise(() => void begun()), status: async () => STATUS },
      { world: { clock, random: { bytes: (length) => new Uint8Array(length) } } },
    )
    const call = handle.call('devices', {}, { signal: never() })
    const failed = assert.rejects(call, { code: 'NODE_STOPPED' })
    await started
    const closed = server?.close()
    await clock.advance(closeWaitMs)
    assert.deepEqual(await closed, ['devices'])
    await failed
  })

  it('closes although somebody has begun a request and says no more', async () => {
    await serve({ status: async () => STATUS })
    const sent = request({ socketPath: path, method: 'POST', path: '/v1/status', agent: false })
    sent.on('error', () => undefined)
    sent.write('{')
    while (server?.calls() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await server?.close()
    sent.destroy()
  })

  it('lets what is under way end when it drains, and takes nothing more', async () => {
    let finish: () => void = () => undefined
    let begun: () => void = () => undefined
    const started = new Promise<void>((resolve) => (begun = resolve))
    const handle = await serve({
      status: () =>
        new Promise((resolve) => {
          finish = () => resolve(STATUS)
          begun()
        }),
      devices: async () => [],
    })
    const call = handle.call('status', {}, { signal: never() })
    await started
    const drained = server?.drain()
    await assert.rejects(handle.call('devices', {}, { signal: never() }), { code: 'NODE_STOPPED' })
    finish()
    assert.deepEqual(await call, STATUS)
    await drained
  })

  it('answers stop before it stops', async () => {
    let asked = 0
    const handle = await serve({}, { onStop: () => (asked += 1) })
    assert.deepEqual(await handle.call('stop', {}, { signal: never() }), { pid: process.pid })
    assert.equal(asked, 1)
  })

  it('is not taken for a node when it is stale, a file, or not there', async () => {
    assert.equal(await connectNode(path), undefined)
    writeFileSync(path, '')
    assert.equal(await connectNode(path), undefined)
    rmSync(path)
    await leaveStaleSocket(path)
    assert.ok(existsSync(path))
    assert.equal(await connectNode(path), undefined)
    const handle = await serve({ status: async () => STATUS })
    assert.deepEqual(await handle.call('status', {}, { signal: never() }), STATUS)
  })

  it('is not taken from a node that runs', async () => {
    await serve({ status: async () => STATUS })
    await assert.rejects(serveControl({ path, handle: handleOf({} as Handlers, async () => undefined) }), {
      code: 'STORE_IN_USE',
    })
    const handle = await connectNode(path)
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
      const handle = await serve({ status: async () => STATUS })
      const answer = await raw(path, method, url, body)
      assert.match(answer, /^\{"error":\{"code":"(USAGE|FORMAT_INVALID)"/)
      assert.deepEqual(await handle.call('status', {}, { signal: never() }), STATUS)
    })
  }

  it('refuses parameters that do not fit before the method begins, and says which (H3.1)', async () => {
    let begun = 0
    const handle = await serve({ ls: async () => ({ nodes: (begun += 1) }) })
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
    await serve({ status: async () => STATUS })
    assert.deepEqual(JSON.parse(await raw(path, 'POST', '/v1/status', '{}')), { result: STATUS })
  })

  it('leaves progress out while nobody reads it, and nothing else', async () => {
    const count = 100_000
    let told: () => void = () => undefined
    const all = new Promise<void>((resolve) => (told = resolve))
    await serve({
      restore: async (_params, { onEvent }) => {
        for (let n = 0; n < count; n++)
          onEvent({ message_type: 'status', seconds_elapsed: n, percent_done: 0 })
        onEvent({ message_type: 'notice', message: 'last' })
        told()
        return RESTORED
      },
    })
    const response = await unread(path, '/v1/restore', restored)
    await all
    const lines: string[] = []
    for await (const line of createInterface({ input: response })) lines.push(line)
    assert.ok(lines.length > 2 && lines.length < count / 2, `${String(lines.length)} lines`)
    assert.deepEqual(JSON.parse(lines.at(-2) ?? ''), { event: { message_type: 'notice', message: 'last' } })
    assert.deepEqual(JSON.parse(lines.at(-1) ?? ''), { result: RESTORED })
  })

  it('cuts off who reads nothing of what cannot be left out; others go on (H6.1)', async () => {
    let reason: unknown
    let ended: () => void = () => undefined
    const end = new Promise<void>((resolve) => (ended = resolve))
    const handle = await serve({
      status: async () => STATUS,
      ls: async (_params, { onEvent, signal }) => {
        const node = { ...NODE, path: `/${'x'.repeat(100_000)}` }
        let n = 0
        for (; !signal.aborted && n < 2000; n++) {
          onEvent(node)
          await new Promise((resolve) => setImmediate(resolve))
        }
        reason = signal.reason
        ended()
        return { nodes: n }
      },
    })
    const response = await unread(path, '/v1/ls', list)
    response.on('error', () => undefined)
    await end
    assert.ok(isCellarError(reason, 'ABORTED'))
    assert.match(reason.message, /does not read/)
    response.destroy()
    assert.deepEqual(await handle.call('status', {}, { signal: never() }), STATUS)
  })

  it('lets a method wait for who reads slowly, by handing out nothing', async () => {
    let ahead = 0
    let sent = 0
    let read = 0
    const handle = await serve({
      ls: async (_params, { onEvent, output }) => {
        for (let n = 0; n < 300; n++) {
          onEvent({ ...NODE, path: `/${'x'.repeat(100_000)}` })
          sent += 1
          ahead = Math.max(ahead, sent - read)
          await output(new Uint8Array(0))
        }
        return { nodes: sent }
      },
    })
    await handle.call('ls', list, { signal: never(), onEvent: () => void (read += 1) })
    assert.equal(read, 300)
    assert.ok(ahead < 100, `${String(ahead)} events ahead of the reader`)
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

/** Begins a call and reads nothing but the head of its answer. */
async function unread(socketPath: string, path: string, params: unknown): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path, agent: false }, resolve)
    sent.on('error', reject)
    sent.end(JSON.stringify(params))
  })
}

/** A socket whose process is gone: bound and never unlinked. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { spawnSync } = await import('node:child_process')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script])
}
