import assert from 'node:assert/strict'
import type { MethodName } from '../../../node/api.ts'
import { faultOf, isMethodName } from '../../../node/control/validate.ts'

const filter = { devices: [], paths: [], tags: [] }
const ls = { snapshot: 'latest', filter, paths: [], recursive: false }
const invite = { role: 'writer', mayForget: false, ttlMs: 900_000, token: false }

describe('parameters of a call', () => {
  for (const [method, params] of [
    ['status', {}],
    ['ls', ls],
    ['ls', { ...ls, snapshot: { b64: '/w==' }, paths: ['/a', { b64: '/w==' }] }],
    ['snapshots', { filter: { ...filter, tags: [['a', 'b'], ['']] }, snapshots: [], latest: 1 }],
    ['invite', invite],
    ['invite', { ...invite, name: 'pi', quotaBytes: 1e12 }],
  ] as const) {
    it(`may be ${method} ${JSON.stringify(params)}`, () => {
      assert.equal(faultOf(method, params), undefined)
    })
  }

  for (const [method, params, parameter, sentence] of [
    ['status', [], '', 'they must be a table'],
    ['status', null, '', 'they must be a table'],
    ['status', { verbose: true }, 'verbose', 'there is no verbose'],
    ['ls', {}, 'snapshot', 'snapshot is missing'],
    ['ls', { ...ls, recursiv: true }, 'recursiv', 'there is no recursiv (did you mean recursive?)'],
    ['ls', { ...ls, recursive: 'yes' }, 'recursive', 'recursive must be true or false'],
    ['ls', { ...ls, paths: '/a' }, 'paths', 'paths must be a list'],
    ['ls', { ...ls, paths: ['/a', 5] }, 'paths[1]', /^paths\[1\] fits none of the forms/],
    ['ls', { ...ls, paths: [{ b64: 'x', b32: 'x' }] }, 'paths[0]', /^paths\[0\] fits none of the forms/],
    ['ls', { ...ls, filter: { ...filter, devices: undefined } }, 'filter.devices', /filter\.devices/],
    ['ls', { ...ls, filter: { ...filter, host: [] } }, 'filter.host', 'there is no filter.host'],
    ['snapshots', { filter, snapshots: [], latest: 0 }, 'latest', /^latest must be >= 1/],
    ['snapshots', { filter, snapshots: [], latest: 1.5 }, 'latest', 'latest must be a whole number'],
    ['invite', { ...invite, role: 'king' }, 'role', 'role must be one of keeper, writer, storer'],
    ['invite', { ...invite, ttlMs: 999 }, 'ttlMs', /^ttlMs must be >= 1000/],
    ['invite', { ...invite, ttlMs: 86_400_001 }, 'ttlMs', /^ttlMs must be <= 86400000/],
    ['deviceRename', { device: 'pi', name: 3 }, 'name', 'name must be a text'],
  ] as const) {
    it(`may not be ${method} ${JSON.stringify(params)}; ${parameter || 'all of it'} is named (H3.1, H3.2)`, () => {
      const fault = faultOf(method, params)
      assert.equal(fault?.parameter, parameter)
      if (typeof sentence === 'string') assert.equal(fault.sentence.split(' (there are ')[0], sentence)
      else assert.match(fault.sentence, sentence)
    })
  }

  it('are not repeated in the error: they may hold a secret (H3.2)', () => {
    const secret = 'correct horse'
    for (const params of [
      { ...ls, snapshot: [secret] },
      { ...ls, recursive: secret },
      { ...ls, filter: secret },
      { ...ls, paths: [{ b64: [secret] }] },
      secret,
    ]) {
      const fault = faultOf('ls', params)
      assert.ok(fault !== undefined && !JSON.stringify(fault).includes('horse'))
    }
    const fault = faultOf('invite', { ...invite, role: secret })
    assert.ok(fault !== undefined && !JSON.stringify(fault).includes('horse'))
  })

  it('are checked in time though they name a million paths', () => {
    const paths = Array.from({ length: 1_000_000 }, (_, n) => `/home/ann/${String(n)}`)
    const started = performance.now()
    assert.equal(faultOf('ls', { ...ls, paths }), undefined)
    assert.ok(performance.now() - started < 5000)
  })

  it('belong to methods that are there', () => {
    for (const name of ['status', 'backup'] satisfies MethodName[]) assert.ok(isMethodName(name))
    for (const name of ['constructor', '__proto__', 'toString', '', 'schema', 'Status'])
      assert.ok(!isMethodName(name), name)
  })
})
