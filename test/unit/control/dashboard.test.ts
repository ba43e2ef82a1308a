import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Handlers, handleOf } from '../../../node/api.ts'
import { dashboardLimits, ticketMs } from '../../../node/control/limits.ts'
import { type ControlServer, serveControl } from '../../../node/control/server.ts'
import { connectNode } from '../../../node/control/client.ts'
import { CellarError } from '../../../protocol/errors.ts'
import { NODE, STATUS, SUMMARY } from '../cli/fixtures.ts'
import { ManualClock } from '../node/manual-clock.ts'
import { ask } from './asking.ts'
import type { Some } from './served.ts'

const every = { devices: [], paths: [], tags: [] }
const listed = JSON.stringify({ snapshot: 'latest', filter: every, paths: [], recursive: true })

describe('dashboard address', () => {
  let directory: string
  let server: ControlServer | undefined
  let clock: ManualClock
  let troubles: CellarError[]
  let drawn: number

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-dashboard-'))
    clock = new ManualClock()
    troubles = []
    drawn = 0
  })

  afterEach(async () => {
    await server?.close()
    server = undefined
    rmSync(directory, { recursive: true })
  })

  const socket = (): string => join(directory, 'control.sock')
  const tokenFile = (): string => join(directory, 'dashboard.token')
  const bearer = (): { authorization: string } => ({
    authorization: `Bearer ${readFileSync(tokenFile(), 'utf8').trim()}`,
  })

  async function serve(handlers: Some = {}, listen: string | false = '127.0.0.1:0'): Promise<void> {
    server = await serveControl({
      path: socket(),
      handle: handleOf({ status: async () => STATUS, ...handlers } as Handlers, async () => undefined),
      dashboard: {
        listen: listen === false ? undefined : listen,
        tokenFile: tokenFile(),
        onTrouble: (error) => troubles.push(error),
      },
      world: { clock, random: { bytes: (length) => new Uint8Array(length).fill(++drawn) } },
    })
  }

  async function link(): Promise<URL> {
    const handle = await connectNode(socket())
    const { url } = await handle!.call('dashboard', {}, { signal: AbortSignal.timeout(20_000) })
    return new URL(url)
  }

  /** Opens a link as a browser does. @returns the cookie it is to send */
  async function enter(at: URL): Promise<string> {
    const { status, headers } = await ask(at, `${at.pathname}${at.search}`, {}, 'GET')
    assert.equal(status, 200)
    return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
  }

  it('answers who has the token', async () => {
    await serve()
    const { status, body, headers } = await ask(await link(), '/v1/status', bearer())
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/x-ndjson')
    assert.deepEqual(JSON.parse(body), { result: STATUS })
  })

  for (const [what, headers] of [
    ['no token', {}],
    ['a wrong token', { authorization: `Bearer ${'a'.repeat(43)}` }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['a cookie that it did not give', { cookie: 'cellar=x' }],
  ] as const) {
    it(`answers nothing to ${what} (H5.4)`, async () => {
      let asked = 0
      await serve({ status: async () => ((asked += 1), STATUS) })
      const at = await link()
      for (const path of ['/v1/status', '/v1/format', '/v1/status/', '/v1//status', '/V1/status']) {
        const { status, body } = await ask(at, path, headers)
        assert.ok(status === 401 || status === 404, `${path}: ${status}`)
        assert.match(body, /"code":"(TOKEN_WRONG|USAGE)"/)
      }
      assert.equal((await ask(at, '/v1/schema', headers, 'GET')).status, 401)
      assert.equal((await ask(at, '/', headers, 'GET')).status, 401)
      assert.equal(asked, 0)
    })
  }

  it('lets a browser in that opens a link, once, by a strict cookie (H5.6)', async () => {
    await serve()
    const at = await link()
    const path = `${at.pathname}${at.search}`
    const { status, headers } = await ask(at, path, {}, 'GET')
    assert.equal(status, 200)
    const cookie = headers['set-cookie']?.[0] ?? ''
    assert.match(cookie, new RegExp(`^cellar_${at.port}=[\\w-]{43}; `))
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=86400'])
      assert.ok(cookie.includes(part), part)
    const sent = { cookie: cookie.split(';')[0] ?? '' }
    assert.deepEqual(JSON.parse((await ask(at, '/v1/status', sent)).body), { result: STATUS })
    assert.equal((await ask(at, '/', sent, 'GET')).status, 200)
    const again = await ask(at, path, {}, 'GET')
    assert.equal(again.status, 401)
    assert.equal(again.headers['set-cookie'], undefined)
  })

  it('lets nobody in by a link that is too old (H5.6)', async () => {
    await serve()
    const at = await link()
    await clock.advance(ticketMs)
    assert.equal((await ask(at, `${at.pathname}${at.search}`, {}, 'GET')).status, 401)
  })

  it('takes a link from a page of another site, and nothing else (H5.3)', async () => {
    await serve()
    const at = await link()
    const foreign = { 'sec-fetch-site': 'cross-site' }
    assert.equal((await ask(at, '/', foreign, 'GET')).status, 403)
    assert.equal((await ask(at, `${at.pathname}${at.search}`, foreign, 'GET')).status, 200)
  })

  it('is not fooled by a name that points at this machine (H5.2)', async () => {
    let asked = 0
    await serve({ status: async () => ((asked += 1), STATUS) })
    const at = await link()
    const cookie = await enter(await link())
    const host = `rebound.example:${at.port}`
    for (const headers of [
      { host, ...bearer() },
      { host, cookie },
      { host, origin: `http://${host}`, cookie, 'sec-fetch-site': 'same-origin' },
    ]) {
      const { status, body } = await ask(at, '/v1/status', headers)
      assert.equal(status, 403)
      assert.match(body, /"code":"ORIGIN_REFUSED"/)
    }
    const opened = await link()
    assert.equal((await ask(opened, `${opened.pathname}${opened.search}`, { host }, 'GET')).status, 403)
    assert.equal((await ask(opened, `${opened.pathname}${opened.search}`, {}, 'GET')).status, 200)
    assert.equal(asked, 0)
  })

  it('is not asked by a page of another origin, whatever the browser sends along (H5.3)', async () => {
    let asked = 0
    await serve({ status: async () => ((asked += 1), STATUS) })
    const at = await link()
    const cookie = await enter(at)
    for (const origin of [
      'https://evil.example',
      'null',
      'http://127.0.0.1:1',
      `http://localhost:${at.port}`,
    ]) {
      assert.equal((await ask(at, '/v1/status', { cookie, origin })).status, 403)
      assert.equal((await ask(at, '/v1/status', { ...bearer(), origin })).status, 403)
    }
    assert.equal((await ask(at, '/v1/status', { cookie, 'sec-fetch-site': 'same-site' })).status, 403)
    assert.equal(asked, 0)
    const own = { cookie, origin: at.origin, 'sec-fetch-site': 'same-origin' }
    assert.equal((await ask(at, '/v1/status', own)).status, 200)
  })

  it('allows no page of another origin to read an answer (H5.4)', async () => {
    await serve()
    const at = await link()
    const origin = 'https://evil.example'
    const asking = { origin, 'access-control-request-method': 'POST' }
    for (const answer of [
      await ask(at, '/v1/status', { ...bearer(), ...asking }, 'OPTIONS', ''),
      await ask(at, '/v1/status', { ...bearer(), origin }),
      await ask(at, '/v1/status', bearer()),
    ]) {
      for (const name of Object.keys(answer.headers)) assert.doesNotMatch(name, /^access-control-/)
    }
  })

  it('says in every answer that it may not be framed, guessed at or kept (H5.7)', async () => {
    await serve()
    const at = await link()
    for (const { status, headers } of [
      await ask(at, '/', {}, 'GET'),
      await ask(at, '/v1/status', bearer()),
      await ask(at, '/v1/schema', bearer(), 'GET'),
      await ask(at, '/v1/status', {}),
      await ask(at, '/v1/status', { host: 'rebound.example' }),
      await ask(at, '/nowhere', bearer(), 'GET'),
      await ask(at, '/v1/status', bearer(), 'POST', 'no JSON'),
      await ask(at, `${at.pathname}${at.search}`, {}, 'GET'),
    ]) {
      assert.equal(headers['x-frame-options'], 'DENY', String(status))
      assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
    }
  })

  it('streams what a method tells, before its result', async () => {
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => (finish = resolve))
    await serve({
      ls: async (_params, { onEvent }) => {
        onEvent(NODE)
        await finished
        return { nodes: 1 }
      },
    })
    const at = await link()
    const lines: string[] = []
    await new Promise<void>((resolve, reject) => {
      const sent = request(
        { host: at.hostname, port: at.port, path: '/v1/ls', method: 'POST', headers: bearer(), agent: false },
        (response) => {
          response.on('data', (bytes: Buffer) => {
            lines.push(bytes.toString())
            finish() // only now: the event came before the end
          })
          response.on('end', resolve)
        },
      )
      sent.on('error', reject)
      sent.end(listed)
    })
    assert.equal(lines.join(''), `${JSON.stringify({ event: NODE })}\n{"result":{"nodes":1}}\n`)
  })

  it('aborts a method whose page went away', async () => {
    let told: () => void = () => undefined
    const gone = new Promise<void>((resolve) => (told = resolve))
    let begun: () => void = () => undefined
    const started = new Promise<void>((resolve) => (begun = resolve))
    await serve({
      ls: (_params, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            told()
            reject(new CellarError('ABORTED', 'stopped'))
          })
          begun()
        }),
    })
    const at = await link()
    const sent = request({
      host: at.hostname,
      port: at.port,
      path: '/v1/ls',
      method: 'POST',
      headers: bearer(),
      agent: false,
    })
    sent.on('error', () => undefined)
    sent.end(listed)
    await started
    sent.destroy()
    await gone
  })

  it('takes no more than its limits (H6.1)', async () => {
    const taken: number[] = []
    await serve({
      backup: async (_params, { input }) => {
        for await (const bytes of input) taken.push(bytes.byteLength)
        return SUMMARY
      },
      ls: (_params, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new CellarError('ABORTED', 'stopped'))),
        ),
    })
    const at = await link()
    const most = dashboardLimits.lineBytesMax
    assert.equal((await ask(at, '/v1/status', bearer(), 'POST', '{}'.padEnd(most))).status, 200)
    assert.equal((await ask(at, '/v1/status', bearer(), 'POST', '{}'.padEnd(most + 1))).status, 400)
    const backup = JSON.stringify({
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
    })
    assert.match((await ask(at, '/v1/backup', bearer(), 'POST', `${backup}\nraw`)).body, /"code":"USAGE"/)
    assert.deepEqual(taken, [])
    const many = Array.from({ length: dashboardLimits.callsMax }, () =>
      ask(at, '/v1/ls', bearer(), 'POST', listed).catch(() => undefined),
    )
    while ((server?.calls() ?? 0) < dashboardLimits.callsMax)
      await new Promise((resolve) => setImmediate(resolve))
    let busy = await ask(at, '/v1/status', bearer())
    // The last of them may not have been taken up yet.
    while (busy.status === 200) busy = await ask(at, '/v1/status', bearer())
    assert.equal(busy.status, 503)
    assert.match(busy.body, /"code":"NODE_BUSY"/)
    await server?.close()
    for (const answer of await Promise.all(many)) assert.match(answer?.body ?? '', /"code":"NODE_STOPPED"/)
  })

  it('takes a free port where another program listens', async () => {
    const other = createServer()
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    )
    try {
      await serve({}, `127.0.0.1:${port}`)
      const at = await link()
      assert.notEqual(Number(at.port), port)
      assert.equal((await ask(at, '/v1/status', bearer())).status, 200)
      assert.deepEqual(troubles, [])
    } finally {
      other.close()
    }
  })

  for (const [what, code, prepare, listen] of [
    ['is to listen to more than this machine', 'CONFIG_INVALID', () => undefined, '0.0.0.0:0'],
    [
      'has a token that others can read',
      'KEY_MODE',
      () => {
        writeFileSync(tokenFile(), 'x', { mode: 0o644 })
      },
      '127.0.0.1:0',
    ],
    ['cannot have the address', 'CONFIG_INVALID', () => undefined, '127.0.0.1:1x'],
  ] as const) {
    it(`is not there when it ${what}; the node is, and tells why (H5.1, H5.5)`, async () => {
      prepare()
      await serve({}, listen)
      assert.deepEqual(
        troubles.map((trouble) => trouble.code),
        [code],
      )
      await assert.rejects(link(), { code: 'CONFIG_INVALID' })
      const handle = await connectNode(socket())
      assert.deepEqual(await handle?.call('status', {}, { signal: AbortSignal.timeout(20_000) }), STATUS)
    })
  }

  it('is not there when the settings want none', async () => {
    await serve({}, false)
    assert.deepEqual(troubles, [])
    await assert.rejects(link(), { code: 'CONFIG_INVALID', message: /dashboard is off/ })
  })
})
