import assert from 'node:assert/strict'
import { type Member, type OrderState, orderNameBytesMax } from '../../../../protocol/index.ts'
import { directoryName, namesToTry } from '../../../../node/orders/directory-name.ts'
import {
  atOnceMax,
  forgettable,
  hasExpired,
  isAcceptedAtOnce,
  nextExpiryMs,
  type Order,
  orderAgeMsMax,
  orderOf,
  overAgeMsMax,
  overMax,
} from '../../../../node/orders/order.ts'
import { decodeOrder, encodeOrder } from '../../../../node/orders/records.ts'
import { testSigner } from '../../../support/mesh.ts'
import { orderMessage } from './orders-mesh.ts'

const DEVICE = testSigner(1).device
const nowMs = 1_000_000_000_000

function order(more: Partial<Order> = {}): Order {
  return { ...orderOf(orderMessage(), DEVICE, nowMs), ...more }
}

describe('an order to restore', () => {
  it('expires after a day without an answer, and not before (Z1.4)', () => {
    assert.equal(hasExpired(order(), nowMs + orderAgeMsMax - 1), false)
    assert.equal(hasExpired(order(), nowMs + orderAgeMsMax), true)
  })

  it('lives no longer for a clock that was set back (Z1.4)', () => {
    assert.equal(hasExpired(order(), nowMs - orderAgeMsMax), true)
    assert.equal(nextExpiryMs([order()], nowMs - 10 * orderAgeMsMax), orderAgeMsMax)
  })

  it('that was answered expires no more', () => {
    for (const state of ['accepted', 'running', 'done', 'refused'] as const)
      assert.equal(hasExpired(order({ state }), nowMs + 2 * orderAgeMsMax), false, state)
  })

  it('that is over is remembered for a month; of many, the newest and those of the last day', () => {
    const over = (ageMs: number): Order =>
      order({ state: 'done', askedMs: nowMs - ageMs, changedMs: nowMs - ageMs })
    assert.deepEqual(forgettable([over(overAgeMsMax - 1), order({ askedMs: 0, changedMs: 0 })], nowMs), [])
    assert.equal(forgettable([over(overAgeMsMax)], nowMs).length, 1)
    const old = Array.from({ length: overMax + 3 }, (_, n) => over(orderAgeMsMax + 10 + n))
    assert.equal(forgettable(old, nowMs).length, 3)
    const ofToday = Array.from({ length: overMax + 3 }, (_, n) => over(n))
    assert.equal(forgettable(ofToday, nowMs).length, 0)
  })

  it('comes out of the catalog as it went in', () => {
    const whole = order({
      state: 'failed',
      code: 'TARGET_FULL',
      message: 'no room',
      directory: { path: '/home/ann/Restored/photos', dev: 2n ** 63n, ino: 7n },
      place: 'photos-2',
      isSettled: true,
      patterns: {
        includes: [Buffer.from('a')],
        iincludes: [],
        excludes: [Uint8Array.of(0xff)],
        iexcludes: [],
      },
    })
    for (const one of [order(), whole]) assert.deepEqual(plain(decodeOrder(encodeOrder(one))), plain(one))
    assert.throws(() => decodeOrder(Uint8Array.of(0x80)), { code: 'STORE_DAMAGED' })
  })
})

/** For comparing: whatever kind of bytes they are. */
function plain({ path, patterns, ...rest }: Order): unknown {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const lists = Object.entries(patterns) as [string, readonly Uint8Array[]][]
  return { ...rest, path: hex(path), patterns: lists.map(([kind, list]) => [kind, list.map(hex)]) }
}

describe('accepting without asking', () => {
  const member = { device: DEVICE, name: 'desktop' } as Member

  it('is for those whom the settings name, by name or id, or for all (Z1.5)', () => {
    assert.equal(isAcceptedAtOnce([], member, 0), false)
    assert.equal(isAcceptedAtOnce(['laptop'], member, 0), false)
    assert.equal(isAcceptedAtOnce(['desktop'], member, 0), true)
    assert.equal(isAcceptedAtOnce([DEVICE as string], member, 0), true)
    assert.equal(isAcceptedAtOnce('keepers', member, 0), true)
  })

  it('ends for the day after so many (Z1.5)', () => {
    assert.equal(isAcceptedAtOnce('keepers', member, atOnceMax - 1), true)
    assert.equal(isAcceptedAtOnce('keepers', member, atOnceMax), false)
  })
})

describe('the name of a directory for an order', () => {
  const tricks: readonly (readonly [wish: string, name: string])[] = [
    ['photos', 'photos'],
    ['', 'restored'],
    ['.', 'restored'],
    ['..', 'restored'],
    ['../../etc', 'etc'],
    ['/etc/passwd', 'etc-passwd'],
    ['.bashrc', 'bashrc'],
    ['-rf', 'rf'],
    ['a/../b', 'a-..-b'],
    ['a\0b', 'a-b'],
    ['a\nb\u001b[2Jc', 'a-b-2Jc'],
    ['photos\u202egpj.exe', 'photos-gpj.exe'],
    ['a b ', 'a b'],
    ['name.', 'name'],
    ['Büro 2026', 'Büro 2026'],
    ['写真', '写真'],
    ['~', 'restored'],
    ['$(reboot)', 'reboot'],
    ['\ud800x', 'x'],
  ]
  for (const [wish, name] of tricks)
    it(`is ${JSON.stringify(name)} for ${JSON.stringify(wish)} (Z2.1)`, () => {
      assert.equal(directoryName(wish), name)
    })

  it('is never too long, and never cut inside of a letter (Z2.1)', () => {
    const name = directoryName('ü'.repeat(1000))
    assert.equal(name, 'ü'.repeat(orderNameBytesMax / 2))
  })

  it('is tried with numbers behind it, so often and no more', () => {
    assert.deepEqual([...namesToTry('a', 3)], ['a', 'a-2', 'a-3'])
  })
})

describe('states of orders', () => {
  it('that are over are those from done on', () => {
    const over: readonly OrderState[] = ['done', 'failed', 'refused', 'expired', 'withdrawn']
    const open: readonly OrderState[] = ['waiting', 'accepted', 'running']
    assert.deepEqual(
      [...open, ...over].filter(
        (state) => forgettable([order({ state, changedMs: 0, askedMs: 0 })], nowMs).length > 0,
      ),
      over,
    )
  })
})
