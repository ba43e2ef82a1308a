import assert from 'node:assert/strict'
import { fromHex, type ListingHash, nextListing, openListing } from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, rootOf } from '../a-mesh.ts'

describe('the next listing', () => {
  const membership = meshOf({ laptop: 'writer' })
  const empty = {
    mesh: membership.mesh,
    incarnation: 1,
    epoch: 1,
    atMs: AT_MS,
    holds: [],
    horizon: [],
    leans: false,
  }

  it('keeps what was said, chains to it, and opens to the same', () => {
    const device = new Device('keeper')
    const first = device.next(membership, { adds: ['a'] })
    const second = device.next(membership, { adds: ['b', 'c'], forgets: [device.dotOf('a')] })
    assert.equal(second.signed.head.prev, first.signed.hash)
    assert.deepEqual(
      second.body.adds.map(({ seq, n, root }) => [seq, n, root]),
      [
        [1, 0, rootOf('a')],
        [2, 0, rootOf('b')],
        [2, 1, rootOf('c')],
      ],
    )
    const opened = openListing(second.signed.bytes, second.bodyBytes)
    assert.deepEqual(opened.signed.head, second.signed.head)
    assert.equal(opened.signed.hash, second.signed.hash)
    assert.deepEqual(opened.body.forgets, second.body.forgets)
    assert.equal(second.body.forgets[0]?.seq, 2)
  })

  it('keeps the round of a root that is still being let go, and begins a new one after a pause', () => {
    const device = new Device('keeper')
    const root = rootOf('a')
    const holds = [root]
    assert.deepEqual(device.next(membership, { holds, shedding: [root] }).body.shedding, [{ root, seq: 1 }])
    assert.deepEqual(device.next(membership, { holds, shedding: [root] }).body.shedding, [{ root, seq: 1 }])
    assert.deepEqual(device.next(membership, { holds }).body.shedding, [])
    assert.deepEqual(device.next(membership, { holds, shedding: [root] }).body.shedding, [{ root, seq: 4 }])
  })

  it('sorts what is held and says it once', () => {
    const roots = ['c', 'a', 'b', 'a'].map(rootOf)
    const { body } = new Device('keeper').next(membership, { holds: roots })
    assert.deepEqual(body.holds, [...new Set(roots)].sort())
  })

  it('refuses to go back in horizon or epoch, to skip to another mesh, and to sign for others', () => {
    const device = new Device('keeper')
    const hash = '1'.repeat(64) as ListingHash
    const entry = { device: device.device, incarnation: 1, seq: 4, hash }
    const first = device.next(membership, { horizon: [entry] })
    const next = (change: object): unknown =>
      nextListing(first, { ...empty, horizon: [entry], ...change }, device.signer)
    assert.throws(() => next({ horizon: [{ ...entry, seq: 3 }] }), RangeError)
    assert.throws(() => next({ horizon: [{ ...entry, hash: '2'.repeat(64) }] }), RangeError)
    assert.throws(() => next({ horizon: [] }), RangeError)
    assert.throws(() => next({ epoch: 0 }), RangeError)
    assert.throws(() => next({ incarnation: 2 }), RangeError)
    assert.throws(
      () => nextListing(first, { ...empty, horizon: [entry] }, new Device('laptop').signer),
      RangeError,
    )
    assert.ok(next({}))
  })

  it('is named by its content alone, so that a second signature makes no second listing', () => {
    const { signed, bodyBytes } = new Device('keeper').next(membership)
    const forged = Uint8Array.from(signed.bytes)
    forged.set(fromHex('00'), forged.length - 1)
    assert.throws(() => openListing(forged, bodyBytes), { code: 'LISTING_INVALID' })
  })
})
