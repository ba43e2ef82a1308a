/** Story 1: I pair the devices of my household, typing one short code once per device. */

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openNetwork } from '../../node/adapters/libp2p-network.ts'
import { systemWorld } from '../../node/adapters/system-world.ts'
import { type Joined } from '../../node/client.ts'
import type { Network } from '../../node/network.ts'
import { CHUNKS_PROTOCOL, type DeviceId, isCellarError, SYNC_PROTOCOL } from '../../protocol/index.ts'
import { type Device, finish, type JsonLine, jsonLines } from '../tools/cellar.ts'
import {
  admittedBy,
  exitError,
  failedWith,
  Household,
  openInvitation,
  placeOf,
  sees,
  statusOf,
  untilLinked,
  untilStatus,
} from '../tools/household.ts'

/** A code with the number of a right one and other words. */
function wrongCode(code: string, word: string): string {
  const [number = ''] = code.split('-')
  return [number, word, word, word, word].join('-')
}

/** A network of the test's own, which is a member of nothing. */
async function stranger(seed: Uint8Array): Promise<Network> {
  return await openNetwork({ seed, listen: [], mdns: false, clock: systemWorld.clock })
}

/** The code of the error with which something is refused; fails if it is not. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (isCellarError(error)) return error.code
    throw error
  }
  assert.fail('nothing was refused')
}

describe('story 1: pairing by a short code', function () {
  this.timeout(240_000)
  let house: Household
  let desktop: Device
  let laptop: Device
  let at: string

  before(async () => {
    house = new Household()
    desktop = house.device('desktop')
    await desktop.init()
    await desktop.start()
    at = placeOf(desktop)
    laptop = house.device('laptop')
  })
  after(() => house[Symbol.asyncDispose]())

  /** Joins from a home of its own that must be refused. @returns the error code */
  async function refusedJoin(name: string, code: string, status = 12): Promise<string> {
    const finished = await house
      .device(name)
      .try('--json', 'join', code, '--at', at, '--listen', '127.0.0.1:0')
    return failedWith(finished, status)
  }

  it('a code shown on one and typed on the other pairs them, and both show the same check words', async () => {
    const invitation = await openInvitation(desktop, '--role', 'writer')
    assert.match(invitation.code, /^\d{4}-[a-z]+-[a-z]+-[a-z]+-[a-z]+$/)
    const { stdout } = await laptop.join(invitation.code, at)
    const joined = jsonLines(stdout).at(-1) as unknown as Joined
    const admitted = await admittedBy(invitation)
    assert.equal(joined.check_words.length, 3)
    assert.deepEqual(joined.check_words, admitted.check_words)
    assert.equal(joined.device, admitted.device)
    assert.deepEqual([joined.role, joined.name, joined.inviter_name], ['writer', 'laptop', 'desktop'])
    await laptop.start()
    await untilLinked(laptop, desktop)
    await untilLinked(desktop, laptop)
  })

  it('a wrong code three times burns it, and the inviter is told', async () => {
    const before = (await statusOf(desktop))?.devices.length
    const invitation = await openInvitation(desktop, '--role', 'writer')
    for (const [n, word] of ['abandon', 'ability', 'able'].entries()) {
      assert.equal(await refusedJoin(`guesser-${String(n)}`, wrongCode(invitation.code, word)), 'CODE_WRONG')
    }
    const ended = await invitation.ended
    const told = jsonLines(ended.stdout).filter((line) => line['message_type'] === 'wrong_try')
    assert.deepEqual(
      told.map((line) => line['left']),
      [2, 1, 0],
    )
    assert.equal(failedWith(ended, 12), 'PAIRING_REFUSED')
    assert.equal(await refusedJoin('guesser-3', invitation.code), 'PAIRING_REFUSED')
    assert.equal((await statusOf(desktop))?.devices.length, before)
  })

  it('a code ends by itself, and the inviter is told', async () => {
    const invitation = await openInvitation(desktop, '--role', 'writer', '--ttl', '1s')
    const ended = await invitation.ended
    assert.equal(failedWith(ended, 12), 'CODE_EXPIRED')
    assert.equal(await refusedJoin('late', invitation.code), 'PAIRING_REFUSED')
  })

  it('a one-time token pairs a device without a person, once, and says where to call', async () => {
    const invitation = await openInvitation(desktop, '--role', 'storer', '--token')
    const pi = house.device('pi')
    const child = pi.spawn(['--json', 'join', '-', '--name', 'pi', '--listen', '127.0.0.1:0'], 'pipe')
    const ended = finish(child)
    child.stdin?.end(`${invitation.code}\n`)
    const { status, stderr } = await ended
    assert.equal(status, 0, stderr)
    assert.equal((await admittedBy(invitation)).role, 'storer')
    assert.equal(await refusedJoin('second', invitation.code), 'PAIRING_REFUSED')
  })

  it('a device without a code reaches nothing, also while an invitation is open', async () => {
    const network = await stranger(systemWorld.random.bytes(32))
    try {
      const signal = AbortSignal.timeout(60_000)
      assert.equal(await refusal(network.dial(at, signal)), 'NOT_A_MEMBER')
      assert.equal(await refusal(network.dial(at, signal, 'guest')), 'NOT_A_MEMBER')
      const invitation = await openInvitation(desktop, '--role', 'writer')
      const device: DeviceId = await network.dial(at, signal, 'guest')
      for (const protocol of [SYNC_PROTOCOL, CHUNKS_PROTOCOL]) {
        const code = await refusal(
          network.open(device, protocol, signal).then((channel) => channel.receive(signal)),
        )
        assert.match(code, /^(NOT_A_MEMBER|PEER_PROTOCOL|PEER_GONE)$/)
      }
      await invitation.close()
    } finally {
      await network.close()
    }
  })

  it('joining that was interrupted goes on with the same code, as one device', async () => {
    const invitation = await openInvitation(desktop, '--role', 'writer')
    const phone = house.device('phone')
    const child = phone.spawn([
      '--json',
      'join',
      invitation.code,
      '--at',
      at,
      '--name',
      'phone',
      '--listen',
      '127.0.0.1:0',
    ])
    const killed = finish(child)
    const isAsked = (line: JsonLine): boolean => line['step'] === 'confirming'
    await new Promise<void>((resolve) => {
      let text = ''
      child.stdout?.on('data', (part: string) => {
        text += part
        if (jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)).some(isAsked)) resolve()
      })
      void killed.then(() => {
        resolve()
      })
    })
    child.kill('SIGKILL')
    await killed
    const { stdout } = await phone.join(invitation.code, at)
    const joined = jsonLines(stdout).at(-1) as unknown as Joined
    const admitted = await admittedBy(invitation)
    assert.equal(admitted.device, joined.device)
    const status = await statusOf(desktop)
    assert.equal(status?.devices.filter((one) => one.name.startsWith('phone')).length, 1)
  })

  it('a removed device is cut off at once and cannot come back', async () => {
    await desktop.run('devices', 'remove', 'laptop')
    await untilStatus(desktop, 'laptop cut off', (status) => !sees(status, 'laptop'))
    await untilStatus(laptop, 'cut off from desktop', (status) => !sees(status, 'desktop'))
    await laptop.stop()

    // With its own key it is refused at the door.
    const keyFile = join(laptop.home, 'device.key')
    const [, seed = ''] = readFileSync(keyFile, 'utf8').split('\n')
    const network = await stranger(Buffer.from(seed, 'base64'))
    try {
      assert.equal(await refusal(network.dial(at, AbortSignal.timeout(60_000))), 'NOT_A_MEMBER')
    } finally {
      await network.close()
    }

    // Not even with a new code: a removed key never counts again.
    const back = house.path('laptop-back')
    mkdirSync(back, { mode: 0o700 })
    writeFileSync(join(back, 'joining.key'), readFileSync(keyFile), { mode: 0o600 })
    const invitation = await openInvitation(desktop, '--role', 'writer')
    const refused = await house
      .device('laptop-back')
      .try('--json', 'join', invitation.code, '--at', at, '--listen', '127.0.0.1:0')
    assert.notEqual(refused.status, 0)
    assert.equal(exitError(refused)['error_code'], 'MEMBERSHIP_INVALID')
    await invitation.close()

    // The same machine comes back with a new key.
    renameSync(laptop.home, house.path('laptop-old'))
    const again = house.device('laptop')
    await desktop.admit(again, 'writer')
    await again.start()
    await untilLinked(again, desktop)
  })
})
