import assert from 'node:assert/strict'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { CellarError, isCellarError } from '../../../protocol/errors.ts'
import { NODE, RESTORED, STATUS, SUMMARY } from '../cli/fixtures.ts'
import { dumped, list, never, restored, Served, streamed } from './served.ts'

describe('pace of the control socket', () => {
  const served = new Served()

  it('carries bytes out, at the pace of who reads them', async () => {
    let sent = 0
    const block = Buffer.alloc(1 << 20, 7)
    const handle = await served.serve({
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
    const handle = await served.serve({
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
    const handle = await served.serve({
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
    const handle = await served.serve({
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
    const handle = await served.serve({
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

  it('leaves progress out while nobody reads it, and nothing else', async () => {
    const count = 100_000
    let told: () => void = () => undefined
    const all = new Promise<void>((resolve) => (told = resolve))
    await served.serve({
      restore: async (_params, { onEvent }) => {
        for (let n = 0; n < count; n++)
          onEvent({ message_type: 'status', seconds_elapsed: n, percent_done: 0 })
        onEvent({ message_type: 'notice', message: 'last' })
        told()
        return RESTORED
      },
    })
    const response = await unread(served.path, '/v1/restore', restored)
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
    const handle = await served.serve({
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
    const response = await unread(served.path, '/v1/ls', list)
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
    const handle = await served.serve({
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

/** Begins a call and reads nothing but the head of its answer. */
async function unread(socketPath: string, path: string, params: unknown): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path, agent: false }, resolve)
    sent.on('error', reject)
    sent.end(JSON.stringify(params))
  })
}
