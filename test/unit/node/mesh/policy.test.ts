import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  callDelays,
  callFailed,
  callHeard,
  chooseLink,
  freshCall,
  type LinkFacts,
  linkLost,
  sortAddresses,
} from '../../../../node/mesh/policy.ts'
import type { DeviceId } from '../../../../protocol/index.ts'

const a = '12D3KooWa' as DeviceId
const b = '12D3KooWb' as DeviceId
const link = fc.record({ caller: fc.constantFrom(a, b), sinceMs: fc.nat(1000) })

describe('which link to keep', () => {
  it('is the same at both ends, in whatever order they see the links', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(link, { minLength: 1, selector: (one) => `${one.caller} ${String(one.sinceMs)}` }),
        (links) => {
          const chosen = chooseLink(links)
          for (const other of [[...links].reverse(), [...links].sort((x, y) => x.sinceMs - y.sinceMs)]) {
            assert.equal(chooseLink(other), chosen)
          }
        },
      ),
    )
  })

  it('is the call of the smaller id, and of equal ones the newest', () => {
    const links: LinkFacts[] = [
      { caller: b, sinceMs: 9 },
      { caller: a, sinceMs: 1 },
      { caller: a, sinceMs: 5 },
    ]
    assert.equal(chooseLink(links), links[2])
    assert.equal(chooseLink<LinkFacts>([]), undefined)
  })
})

describe('when to call again', () => {
  it('waits twice as long each time, at most five minutes and a quarter', () => {
    let state = freshCall(0)
    const waits: number[] = []
    for (let i = 0; i < 12; i += 1) {
      state = callFailed(state, 0, 0)
      waits.push(state.dueMs / 1000)
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    assert.equal(callFailed({ failures: 1e9, dueMs: 0 }, 7, 1).dueMs, 7 + callDelays.mostMs * 1.25)
  })

  it('is soon when it is heard of at a new address, the larger id a little later', () => {
    const state = { failures: 9, dueMs: 900_000 }
    assert.deepEqual(callHeard(state, { own: a, other: b, isNew: true, nowMs: 5 }), { failures: 0, dueMs: 5 })
    assert.deepEqual(callHeard(state, { own: b, other: a, isNew: true, nowMs: 5 }), {
      failures: 0,
      dueMs: 405,
    })
  })

  it('is not hurried much by hearing the same again and again', () => {
    let state = freshCall(0)
    let calls = 0
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 1000) {
      if (nowMs >= state.dueMs) {
        calls += 1
        state = callFailed(state, nowMs, 0.5)
      }
      if (nowMs % 10_000 === 0) state = callHeard(state, { own: a, other: b, isNew: false, nowMs })
    }
    assert.ok(calls < 40, `${String(calls)} calls in an hour to one who does not answer`)
  })

  it('does not go round once a second when links break as soon as they stand', () => {
    let state = freshCall(0)
    for (let i = 0; i < 8; i += 1) state = linkLost(state, 0, 100, 0)
    assert.ok(state.dueMs >= 100_000)
    assert.equal(linkLost(state, 0, 60_000, 0).dueMs, 1000)
  })
})

describe('the order of addresses', () => {
  it('leaves out our own, and has those of the other host itself last', () => {
    const own = new Set(['/ip4/127.0.0.1/tcp/1'])
    const all = ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2', '/ip6/::1/tcp/2', '/ip4/10.0.0.1/tcp/2']
    assert.deepEqual(sortAddresses(all, own), [
      '/ip4/10.0.0.1/tcp/2',
      '/ip4/127.0.0.1/tcp/2',
      '/ip6/::1/tcp/2',
    ])
  })
})
