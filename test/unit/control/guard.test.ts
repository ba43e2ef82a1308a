import assert from 'node:assert/strict'
import { originOf, ownHosts, parseLoopback, refusal, safeHeaders } from '../../../node/control/guard.ts'

const hosts = ownHosts({ host: '127.0.0.1', port: 4518 })
const asked = { host: '127.0.0.1:4518', origin: undefined, site: undefined }

describe('guard of the dashboard’s address', () => {
  for (const host of ['127.0.0.1:4518', 'localhost:4518', 'LOCALHOST:4518', '[::1]:4518']) {
    it(`lets ask ${host} (H5.2)`, () => {
      assert.equal(refusal({ ...asked, host }, hosts), undefined)
    })
  }

  for (const [what, host] of [
    ['a name that its owner points at this machine', 'rebound.example:4518'],
    ['a name that begins like ours', '127.0.0.1.rebound.example:4518'],
    ['a name that ends like ours', 'evil-localhost:4518'],
    ['another port', '127.0.0.1:4519'],
    ['no port', '127.0.0.1'],
    ['another address of the loopback than the one listened at', '127.0.0.2:4518'],
    ['any address', '0.0.0.0:4518'],
    ['a name with a dot behind it', 'localhost.:4518'],
    ['nothing', undefined],
  ] as const) {
    it(`refuses a request that names ${what} (H5.2)`, () => {
      assert.equal(refusal({ ...asked, host }, hosts)?.code, 'ORIGIN_REFUSED')
    })
  }

  it('lets a page of its own ask, and a person who types the address', () => {
    for (const site of ['same-origin', 'none'])
      assert.equal(refusal({ ...asked, origin: 'http://127.0.0.1:4518', site }, hosts), undefined)
    assert.equal(
      refusal({ host: 'localhost:4518', origin: 'http://localhost:4518', site: undefined }, hosts),
      undefined,
    )
  })

  for (const [what, more] of [
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without an origin: a sandboxed frame, a file', { origin: 'null' }],
    ['a page of another port of this machine', { origin: 'http://127.0.0.1:3000' }],
    ['a page of another name of this machine', { origin: 'http://localhost:4518' }],
    ['a page over another protocol', { origin: 'https://127.0.0.1:4518' }],
    ['an image or a form of another site', { site: 'cross-site' }],
    ['an image or a form of another port of this machine', { site: 'same-site' }],
    ['something that browsers say one day', { site: 'else' }],
  ] as const) {
    it(`refuses ${what} (H5.3)`, () => {
      assert.equal(refusal({ ...asked, ...more }, hosts)?.code, 'ORIGIN_REFUSED')
    })
  }

  it('knows the address it listens at, whichever of the loopback it is', () => {
    assert.ok(ownHosts({ host: '127.4.5.6', port: 9 }).has('127.4.5.6:9'))
    assert.ok(ownHosts({ host: '::1', port: 9 }).has('[::1]:9'))
    assert.ok(ownHosts({ host: '127.0.0.1', port: 80 }).has('127.0.0.1'))
    assert.equal(originOf({ host: '::1', port: 9 }), 'http://[::1]:9')
  })

  it('reads where to listen', () => {
    assert.deepEqual(parseLoopback('127.0.0.1:4518'), { host: '127.0.0.1', port: 4518 })
    assert.deepEqual(parseLoopback('[::1]:0'), { host: '::1', port: 0 })
    assert.deepEqual(parseLoopback('localhost:80'), { host: 'localhost', port: 80 })
  })

  for (const text of [
    '0.0.0.0:4518',
    '[::]:4518',
    '192.168.1.9:4518',
    'pi.local:4518',
    '127.evil.example:1',
  ]) {
    it(`listens to this machine alone, not at ${text} (H5.1)`, () => {
      assert.throws(() => parseLoopback(text), {
        code: 'CONFIG_INVALID',
        message: /is not this machine alone/,
      })
    })
  }

  for (const text of ['127.0.0.1', '4518', '127.0.0.1:99999', '127.0.0.1:4518/x', '']) {
    it(`says what is wrong with "${text}"`, () => {
      assert.throws(() => parseLoopback(text), { code: 'CONFIG_INVALID', message: /HOST:PORT/ })
    })
  }

  it('lets nothing run or frame the page (H5.7)', () => {
    const policy = (safeHeaders['content-security-policy'] ?? '').split('; ')
    assert.deepEqual(policy.sort(), [
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "font-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self' blob:",
      "script-src 'self'",
      "style-src 'self'",
    ])
  })
})
