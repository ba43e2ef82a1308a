/** The real way to the web and to programs, on receivers of this machine. */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, chmodSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCellarError } from '../../../../protocol/index.ts'
import { askWeb } from '../../../../node/adapters/ask-web.ts'
import { serveMetrics } from '../../../../node/adapters/metrics-server.ts'
import { writePublicFile } from '../../../../node/adapters/public-file.ts'
import { runProgram } from '../../../../node/adapters/run-program.ts'
import { WebReceiver } from '../../../tools/receivers.ts'

const never = new AbortController().signal

describe('asking the web', () => {
  let receiver: WebReceiver
  beforeEach(async () => {
    receiver = await WebReceiver.open()
  })
  afterEach(() => receiver.close())

  it('sends what it is given, and says the status', async () => {
    const headers = { 'Content-Type': 'text/plain', Title: '=?UTF-8?B?w6Q=?=' }
    const request = { url: `${receiver.url}/a?b=c`, method: 'PUT', headers, body: 'hellö' }
    assert.equal((await askWeb(request, never)).status, 200)
    const [got] = receiver.requests
    assert.deepEqual([got?.method, got?.path, got?.body], ['PUT', '/a?b=c', 'hellö'])
    assert.equal(got?.headers['title'], '=?UTF-8?B?w6Q=?=')
  })

  it('TE1.4: follows no redirection', async () => {
    const other = await WebReceiver.open()
    receiver.answer = () => ({ status: 307, headers: { location: `${other.url}/stolen` } })
    const { status } = await askWeb({ url: receiver.url, method: 'POST', headers: {}, body: 'x' }, never)
    assert.equal(status, 307)
    assert.equal(other.requests.length, 0)
    await other.close()
  })

  it('says how long a server asks to wait', async () => {
    receiver.answer = () => ({ status: 429, headers: { 'retry-after': '17' } })
    const { retryAfterSeconds } = await askWeb(
      { url: receiver.url, method: 'GET', headers: {}, body: undefined },
      never,
    )
    assert.equal(retryAfterSeconds, 17)
  })

  it('TE1.3: an error names the host, and nothing else of the address', async () => {
    const url = `${receiver.url.replace('http://', 'http://user:word@')}/secret-path?secret-query`
    await receiver.close()
    await assert.rejects(askWeb({ url, method: 'GET', headers: {}, body: undefined }, never), (error) => {
      assert.ok(isCellarError(error, 'HOOK_FAILED'))
      assert.doesNotMatch(JSON.stringify([error.message, error.context]), /secret|word/)
      return true
    })
  })

  it('ends when it is told to', async () => {
    receiver.answer = () => 'silence'
    const end = new AbortController()
    const asking = askWeb({ url: receiver.url, method: 'GET', headers: {}, body: undefined }, end.signal)
    await receiver.next()
    end.abort(new Error('enough'))
    await assert.rejects(asking, /enough/)
  })
})

describe('running a program', () => {
  it('gives it input and environment, and says how it ended', async () => {
    const script = 'read line; echo "$line $CELLAR_HOOK_X"; echo first >&2; echo last >&2; exit 3'
    const end = await runProgram(
      { command: ['sh', '-c', script], env: { CELLAR_HOOK_X: 'x' }, input: 'in\n' },
      never,
    )
    assert.deepEqual(end, { status: 3, signal: undefined, output: 'in x\n', complaint: 'last' })
  })

  it('does not mind one that reads nothing', async () => {
    const end = await runProgram({ command: ['true'], env: {}, input: 'x'.repeat(1_000_000) }, never)
    assert.equal(end.status, 0)
  })

  it('hands on no passphrase', async () => {
    process.env['CELLAR_PASSPHRASE'] = 'word'
    try {
      const end = await runProgram(
        { command: ['sh', '-c', 'echo "<$CELLAR_PASSPHRASE>"'], env: {}, input: '' },
        never,
      )
      assert.equal(end.output, '<>\n')
    } finally {
      delete process.env['CELLAR_PASSPHRASE']
    }
  })

  it('ends it, and what it began, when it is told to', async () => {
    const end = new AbortController()
    const directory = mkdtempSync(join(tmpdir(), 'cellar-hook-'))
    try {
      const script = 'sleep 1000 & echo $! > "$1/child"; wait'
      const running = runProgram(
        { command: ['sh', '-c', script, 'sh', directory], env: {}, input: '' },
        end.signal,
      )
      const child = await untilWritten(join(directory, 'child'))
      end.abort(new Error('too late'))
      await assert.rejects(running, /was ended: too late/)
      await untilGone(child)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('says so when there is none', async () => {
    await assert.rejects(runProgram({ command: ['/nowhere/at-all'], env: {}, input: '' }, never), {
      code: 'HOOK_FAILED',
      message: '/nowhere/at-all cannot be run: ENOENT',
    })
  })
})

describe('files that other programs read', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-file-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  it('are made with a mode, and keep the one they are given', () => {
    const path = join(directory, 'x.prom')
    writePublicFile(path, 'one', 0o644)
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['one', 0o644])
    chmodSync(path, 0o640)
    writePublicFile(path, 'two', 0o644)
    assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['two', 0o640])
    assert.deepEqual(readdirSync(directory), ['x.prom'])
  })

  it('are replaced in one step: whoever has the old one open reads it to its end', () => {
    const path = join(directory, 'status.json')
    writePublicFile(path, 'one', 0o600)
    const before = statSync(path).ino
    writePublicFile(path, 'two', 0o600)
    assert.notEqual(statSync(path).ino, before)
  })

  it('leave nothing behind when they cannot be written', () => {
    assert.throws(() => {
      writePublicFile(join(directory, 'not', 'there'), 'x', 0o600)
    })
    assert.deepEqual(readdirSync(directory), [])
  })
})

describe('the endpoint of figures', () => {
  it('answers GET /metrics, to its own names only', async () => {
    const server = await serveMetrics('127.0.0.1:0', () => Promise.resolve('rootcellar_info 1\n'))
    try {
      const url = `http://${server.address}`
      const good = await fetch(`${url}/metrics`)
      assert.deepEqual(
        [good.status, good.headers.get('content-type'), await good.text()],
        [200, 'text/plain; version=0.0.4; charset=utf-8', 'rootcellar_info 1\n'],
      )
      assert.equal((await fetch(`${url}/`)).status, 404)
      assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405)
      assert.equal(await statusWithHost(server.address, 'evil.example'), 403)
      assert.equal(await statusWithHost(server.address, 'localhost:1'), 200)
    } finally {
      await server.close()
    }
  })

  for (const listen of ['nonsense', '127.0.0.1', '127.0.0.1:99999', '192.0.2.1:0'])
    it(`says so when it cannot listen at ${listen}`, async () => {
      await assert.rejects(
        serveMetrics(listen, () => Promise.resolve('')),
        (error) => isCellarError(error, 'CONFIG_INVALID') && error.message.includes(listen),
      )
    })
})

async function statusWithHost(address: string, host: string): Promise<number> {
  const { request } = await import('node:http')
  const [name, port] = address.split(':')
  return await new Promise((resolve, reject) => {
    request({ host: name, port, path: '/metrics', headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

async function untilWritten(path: string): Promise<number> {
  for (;;) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text.endsWith('\n')) return Number(text)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    // A process that has ended and that nobody has waited for is gone as well.
    if (/^State:\s+Z/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}
