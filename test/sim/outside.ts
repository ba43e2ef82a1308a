/**
 * Keeps the outside out of a simulation: while one runs there is no real time, no real chance and no real timer in this
 * process, and signatures are made by a hash, as thousands of real ones are most of the time of a run.
 */

import crypto, { type KeyObject } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** What is left of the outside: a way to let all that is ready run. */
export interface Outside {
  /** Resolves when no promise is ready to go on. */
  settle(): Promise<void>
  /** Puts everything back. */
  restore(): void
}

const real = {
  setImmediate: globalThis.setImmediate,
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
  dateNow: Date.now,
  random: Math.random,
  performanceNow: performance.now.bind(performance),
  createPrivateKey: crypto.createPrivateKey,
  stackTraceLimit: Error.stackTraceLimit,
  sign: crypto.sign,
  verify: crypto.verify,
  randomBytes: crypto.randomBytes,
  timeout: AbortSignal.timeout,
}

/** Real time, for the runner's own figures. Milliseconds. */
export function realMs(): number {
  return real.performanceNow()
}

/**
 * Shuts the outside out. What asks for time, chance or a timer past its `World` throws, but for `setImmediate`, by
 * which long work lets others have the thread.
 *
 * @param later - what `setImmediate` becomes
 * @param stackLines - of errors; each costs time
 */
export function shutOut(later: (run: () => void) => void, stackLines = 0): Outside {
  Error.stackTraceLimit = stackLines
  const refuse = (what: string) => () => {
    throw new TypeError(`${what} was asked for inside of a simulation`)
  }
  const put = (target: object, name: string, value: unknown) => {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  put(globalThis, 'setImmediate', (run: () => void) => {
    later(run)
  })
  put(globalThis, 'setTimeout', refuse('setTimeout'))
  put(globalThis, 'setInterval', refuse('setInterval'))
  put(Date, 'now', refuse('Date.now'))
  put(Math, 'random', refuse('Math.random'))
  put(AbortSignal, 'timeout', refuse('AbortSignal.timeout'))
  put(crypto, 'randomBytes', refuse('randomBytes'))
  put(crypto, 'createPrivateKey', keyOnce)
  put(crypto, 'sign', fakeSign)
  put(crypto, 'verify', fakeVerify)
  syncBuiltinESMExports()
  return {
    settle: () =>
      new Promise((resolve) => {
        real.setImmediate(resolve)
      }),
    restore: () => {
      put(globalThis, 'setImmediate', real.setImmediate)
      put(globalThis, 'setTimeout', real.setTimeout)
      put(globalThis, 'setInterval', real.setInterval)
      put(Date, 'now', real.dateNow)
      put(Math, 'random', real.random)
      put(AbortSignal, 'timeout', real.timeout)
      put(crypto, 'randomBytes', real.randomBytes)
      put(crypto, 'createPrivateKey', real.createPrivateKey)
      put(crypto, 'sign', real.sign)
      Error.stackTraceLimit = real.stackTraceLimit
      put(crypto, 'verify', real.verify)
      syncBuiltinESMExports()
    },
  }
}

/** Private keys by what they were made of: a machine that starts again has the same one. */
const KEYS = new Map<string, KeyObject>()

function keyOnce(input: Parameters<typeof crypto.createPrivateKey>[0]): KeyObject {
  const name = JSON.stringify(input)
  const known = KEYS.get(name) ?? real.createPrivateKey(input)
  KEYS.set(name, known)
  return known
}

/** The public part of a key, as text; of a private key it is derived once. */
const NAMES = new WeakMap<KeyObject, string>()

function nameOf(key: KeyObject): string {
  const known = NAMES.get(key)
  if (known !== undefined) return known
  const open = key.type === 'private' ? crypto.createPublicKey(key) : key
  const name = open.export({ format: 'jwk' }).x ?? ''
  NAMES.set(key, name)
  return name
}

/** Whoever has the private key can make it, nobody else in a simulation tries. 64 bytes. */
function fakeSign(_algorithm: null, message: Uint8Array, key: KeyObject): Buffer {
  return crypto.createHash('sha512').update(nameOf(key)).update(message).digest()
}

function fakeVerify(_algorithm: null, message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return fakeSign(null, message, key).equals(signature)
}
