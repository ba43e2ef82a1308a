import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { MemoryHub, memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { openNetwork } from '../../../../node/adapters/libp2p-network.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { cpaceKey, cpaceTag } from '../../../../node/mesh/pairing/cpace.ts'
import {
  InvitationDesk,
  type InviteOptions,
  type PairingEvent,
} from '../../../../node/mesh/pairing/invite.ts'
import { type Joined, type JoinOptions, join } from '../../../../node/mesh/pairing/join.ts'
import { decodePairing, encodePairing } from '../../../../node/mesh/pairing/messages.ts'
import type { Network } from '../../../../node/network.ts'
import {
  admitMember,
  type CellarError,
  type Clock,
  type DeviceId,
  foundMesh,
  type Membership,
  openMembership,
  type Random,
  signerFromSeed,
  PAIR_PROTOCOL,
} from '../../../../protocol/index.ts'
import { ManualClock, settle } from '../manual-clock.ts'

const random: Random = { bytes: (length) => Uint8Array.from(randomBytes(length)) }
const signal = () => AbortSignal.timeout(20_000)
const code = (wanted: string) => (error: CellarError) => {
  assert.equal(error.code, wanted, error.stack)
  return true
}

/** One device that founded a mesh, and others that may join. */
class Household {
  readonly hub = new MemoryHub()
  readonly clock: Clock
  readonly events: PairingEvent[] = []
  readonly vaultKey = random.bytes(32)
  readonly signer = signerFromSeed(random.bytes(32))
  readonly networks: Network[] = []
  membership: Membership
  network: Network
  desk: InvitationDesk
  admissions = 0

  constructor(clock: Clock = systemWorld.clock, network?: (seed: Uint8Array) => Network) {
    this.clock = clock
    this.membership = foundMesh(this.signer, { name: 'desk', nonce: random.bytes(16), atMs: 0 })
    this.network = network?.(new Uint8Array(32)) ?? this.device(this.signer.device)
    this.desk = this.openDesk()
  }

  openDesk(): InvitationDesk {
    return new InvitationDesk({
      network: this.network,
      clock: this.clock,
      random,
      mesh: this.membership.mesh,
      name: 'desk',
      vaultKey: this.vaultKey,
      admit: async ({ device, name, role }) => {
        await Promise.resolve()
        this.admissions += 1
        if (!this.membership.members.has(device)) {
          const terms = { device, name, role, atMs: 0 }
          this.membership = admitMember(this.membership, this.signer, terms)
        }
        this.network.members(new Set(this.membership.members.keys()))
        return this.membership.entries
      },
      onEvent: (event) => this.events.push(event),
    })
  }

  device(device = signerFromSeed(random.bytes(32)).device): Network {
    const network = memoryNetwork(this.hub, { device, mdns: true })
    this.networks.push(network)
    return network
  }

  join(
    network: Network,
    options: Partial<JoinOptions> & { code: string },
    keep: (joined: Joined) => Promise<void> = () => Promise.resolve(),
  ) {
    return join(
      { network, clock: this.clock, random, keep },
      { name: `laptop ${network.device.slice(-6)}`, ...options },
      signal(),
    )
  }

  async close(): Promise<void> {
    this.desk.close()
    await Promise.all(this.networks.map((network) => network.close()))
  }
}

/** Another code than the one shown, with the same number. */
function wrongCode(right: string): string {
  const [number = '', first = '', ...rest] = right.split('-')
  return [number, first === 'zoo' ? 'zone' : 'zoo', ...rest].join('-')
}

describe('pairing', () => {
  let house: Household
  beforeEach(() => {
    house = new Household()
  })
  afterEach(() => house.close())

  it('pairs by a code, found on the local network', async () => {
    const invitation = house.desk.invite({ role: 'keeper' })
    const laptop = house.device()
    const joined = await house.join(laptop, { code: invitation.code })
    const paired = await invitation.done
    assert.deepEqual(paired, {
      device: laptop.device,
      name: `laptop ${laptop.device.slice(-6)}`,
      role: 'keeper',
      checkWords: joined.checkWords,
      isConfirmed: true,
    })
    assert.equal(joined.checkWords.length, 3)
    assert.equal(joined.inviter, house.signer.device)
    assert.equal(joined.inviterName, 'desk')
    assert.deepEqual(joined.vaultKey, house.vaultKey)
    const membership = openMembership(joined.entries)
    assert.equal(membership.mesh, joined.mesh)
    assert.equal(membership.members.get(laptop.device)?.role, 'keeper')
  })

  it('gives the newcomer the name that the inviter chose, and ends', async () => {
    const invitation = house.desk.invite({ role: 'storer', name: 'pi' })
    await house.join(house.device(), { code: invitation.code })
    const { name, isConfirmed } = await invitation.done
    assert.deepEqual({ name, isConfirmed }, { name: 'pi', isConfirmed: true })
  })

  it('gives a storer no vault key', async () => {
    const invitation = house.desk.invite({ role: 'storer', mayForget: true })
    const joined = await house.join(house.device(), { code: invitation.code })
    assert.equal(joined.vaultKey, undefined)
    assert.equal(joined.role, 'storer')
    assert.equal(joined.mayForget, true)
  })

  it('pairs by an address, and by a token', async () => {
    const first = house.desk.invite({ role: 'writer' })
    await house.join(house.device(), { code: first.code, at: [house.network.addresses()[0] ?? ''] })
    const second = house.desk.invite({ role: 'storer', token: true })
    assert.match(second.code, /^rc1-/)
    await house.join(house.device(), { code: second.code })
    assert.equal((await second.done).role, 'storer')
  })

  it('lets one use a code, and one only', async () => {
    const invitation = house.desk.invite({ role: 'writer' })
    const at = house.network.addresses()
    await house.join(house.device(), { code: invitation.code, at })
    await assert.rejects(house.join(house.device(), { code: invitation.code, at }), code('PAIRING_REFUSED'))
    assert.equal(house.admissions, 1)
  })

  it('burns a code by three wrong tries, and tells of each', async () => {
    const invitation = house.desk.invite({ role: 'writer' })
    const attacker = house.device()
    const at = house.network.addresses()
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(house.join(attacker, { code: wrongCode(invitation.code), at }), code('CODE_WRONG'))
    }
    await assert.rejects(invitation.done, code('PAIRING_REFUSED'))
    await assert.rejects(house.join(house.device(), { code: invitation.code, at }), code('PAIRING_REFUSED'))
    assert.deepEqual(
      house.events.map((event) =>
        event.kind === 'wrong' ? [event.kind, event.device === attacker.device, event.triesLeft] : event.kind,
      ),
      [['wrong', true, 2], ['wrong', true, 1], ['wrong', true, 0], 'burned'],
    )
    assert.equal(house.admissions, 0)
  })

  it('counts guesses made at the same time', async () => {
    const invitation = house.desk.invite({ role: 'writer' })
    const at = house.network.addresses()
    const tries = Array.from({ length: 8 }, () =>
      house.join(house.device(), { code: wrongCode(invitation.code), at }),
    )
    const codes = (await Promise.allSettled(tries)).map((one) =>
      one.status === 'rejected' ? (one.reason as CellarError).code : 'joined',
    )
    assert.equal(house.events.filter((event) => event.kind === 'wrong').length, 3)
    assert.equal(codes.filter((one) => one === 'CODE_WRONG').length, 3)
  })

  it('still takes the right code after two wrong tries', async () => {
    const invitation = house.desk.invite({ role: 'writer' })
    const at = house.network.addresses()
    for (let i = 0; i < 2; i += 1)
      await assert.rejects(house.join(house.device(), { code: wrongCode(invitation.code), at }))
    await house.join(house.device(), { code: invitation.code, at })
  })

  it('expires by running time', async () => {
    const clock = new ManualClock()
    const late = new Household(clock)
    const invitation = late.desk.invite({ role: 'writer' })
    assert.equal(invitation.expiresAtMs, clock.nowMs() + 900_000)
    await clock.advance(899_999)
    const ended = assert.rejects(invitation.done, code('CODE_EXPIRED'))
    await clock.advance(2)
    await ended
    await assert.rejects(
      late.join(late.device(), { code: invitation.code, at: late.network.addresses() }),
      code('PAIRING_REFUSED'),
    )
    await late.close()
  })

  it('keeps several inviters and several invitations apart by their numbers', async () => {
    const other = new Household()
    const neighbour = memoryNetwork(house.hub, { device: other.signer.device, mdns: true })
    other.network = neighbour
    other.desk = other.openDesk()
    const theirs = other.desk.invite({ role: 'keeper' })
    const ours = [house.desk.invite({ role: 'writer' }), house.desk.invite({ role: 'storer' })]
    const joined = await house.join(house.device(), { code: ours[1]?.code ?? '' })
    assert.equal(joined.inviter, house.signer.device)
    assert.equal(joined.role, 'storer')
    assert.equal((await house.join(house.device(), { code: theirs.code })).inviter, other.signer.device)
    assert.equal((await house.join(house.device(), { code: ours[0]?.code ?? '' })).role, 'writer')
    await other.close()
    await neighbour.close()
  })

  it('says that nobody shows the number', async () => {
    await assert.rejects(
      house.join(house.device(), { code: '0000-zoo-zoo-zoo-zoo', seekMs: 50 }),
      code('NO_PEER'),
    )
  })

  it('closes the door with the last invitation', async () => {
    const invitation = house.desk.invite({ role: 'writer' })
    const guest = house.device()
    await guest.dial(house.network.addresses()[0] ?? '', signal(), 'guest')
    invitation.cancel()
    await assert.rejects(invitation.done, code('ABORTED'))
    await assert.rejects(
      house.device().dial(house.network.addresses()[0] ?? '', signal(), 'guest'),
      code('NOT_A_MEMBER'),
    )
  })

  it('goes on after an interruption: admitted, but not stored', async () => {
    const invitation = house.desk.invite({ role: 'writer' })
    const laptop = house.device()
    const at = house.network.addresses()
    await assert.rejects(
      house.join(laptop, { code: invitation.code, at }, () => Promise.reject(new Error('the disk is full'))),
      /the disk is full/,
    )
    assert.equal(house.membership.epoch, 1)
    await settle()
    // The same device with the same code; nobody else any more.
    await assert.rejects(house.join(house.device(), { code: invitation.code, at }), code('CODE_EXPIRED'))
    const joined = await house.join(laptop, { code: invitation.code, at })
    assert.equal(openMembership(joined.entries).epoch, 1)
    assert.equal((await invitation.done).isConfirmed, true)
    // And with a new code.
    const again = house.desk.invite({ role: 'writer' })
    assert.equal(openMembership((await house.join(laptop, { code: again.code, at })).entries).epoch, 1)
  })

  it('is not fooled by one in the middle that knows no code', async () => {
    const invitation = house.desk.invite({ role: 'keeper' })
    const middle = house.device()
    // It passes on every message unchanged; but both ends bind the devices that their connections prove.
    middle.handle(PAIR_PROTOCOL, 'anyone', async (near) => {
      await middle.dial(house.network.addresses()[0] ?? '', signal(), 'guest')
      const far = await middle.open(house.network.device, PAIR_PROTOCOL, signal())
      const pump = async (from: typeof near, to: typeof near) => {
        for (let frame = await from.receive(); frame !== undefined; frame = await from.receive())
          await to.send(frame)
      }
      await Promise.race([pump(near, far), pump(far, near)])
    })
    const victim = house.device()
    await assert.rejects(
      house.join(victim, { code: invitation.code, at: middle.addresses() }),
      code('CODE_WRONG'),
    )
    assert.equal(house.admissions, 0)
    assert.equal(house.events[0]?.kind, 'wrong')
  })

  it('survives garbage instead of messages', async () => {
    const invitation = house.desk.invite({ role: 'keeper' })
    const guest = house.device()
    await guest.dial(house.network.addresses()[0] ?? '', signal(), 'guest')
    for (const garbage of [
      Buffer.alloc(0),
      Buffer.from([0xff]),
      Buffer.alloc(5000, 0x80),
      Buffer.from('[0]'),
      randomBytes(300),
    ]) {
      const channel = await guest.open(house.network.device, PAIR_PROTOCOL, signal())
      await channel.send(garbage)
      await assert.rejects(async () => {
        if ((await channel.receive()) === undefined) throw new Error('ended')
      })
    }
    await house.join(house.device(), { code: invitation.code })
    assert.equal(house.events.filter((event) => event.kind === 'wrong').length, 0)
  })

  it('P3.1: takes a share that is no element, or the neutral one, as a wrong guess', async () => {
    const invitation = house.desk.invite({ role: 'keeper' })
    const burned = assert.rejects(invitation.done, code('PAIRING_REFUSED'))
    const neutral = new Uint8Array(32)
    const noElement = new Uint8Array(32).fill(255)
    for (const [at, share] of [neutral, noElement, neutral].entries()) {
      const guest = house.device()
      await guest.dial(house.network.addresses()[0] ?? '', signal(), 'guest')
      const channel = await guest.open(house.network.device, PAIR_PROTOCOL, signal())
      const nonce = random.bytes(16)
      await channel.send(encodePairing({ type: 'start', number: invitation.number, nonce }))
      const theirs = decodePairing((await channel.receive()) ?? assert.fail(), 'share')
      assert.ok(theirs.type === 'share')
      // Whoever sends the neutral share knows what comes of it, whatever the code is.
      const mine = { share, data: Buffer.from(guest.device) }
      const other = { share: theirs.share, data: Buffer.from(house.network.device) }
      const session = Buffer.concat([nonce, theirs.nonce])
      const tag = cpaceTag(session, cpaceKey(session, neutral, mine, other), mine)
      await channel.send(encodePairing({ type: 'proof', share, tag }))
      assert.equal(decodePairing((await channel.receive()) ?? assert.fail(), 'welcome').type, 'refuse')
      assert.equal(house.events.filter((event) => event.kind === 'wrong').length, at + 1)
    }
    await burned
    assert.equal(house.admissions, 0)
  })

  it('does not offer to read what this device cannot read', () => {
    const storer = new InvitationDesk({
      network: house.network,
      clock: house.clock,
      random,
      mesh: house.membership.mesh,
      name: 'pi',
      admit: () => Promise.resolve([]),
    })
    for (const role of ['keeper', 'writer'] as const) {
      const options: InviteOptions = { role }
      assert.throws(() => storer.invite(options), code('NOT_ENTITLED'))
    }
  })
})

describe('pairing over real connections', () => {
  it('pairs by HOST:PORT without a device id, and makes both members', async () => {
    const house = new Household()
    const open = (seed: Uint8Array) => openNetwork({ seed, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
    const seed = random.bytes(32)
    const desk = await open(seed)
    const laptop = await open(random.bytes(32))
    try {
      house.network = desk
      house.desk = house.openDesk()
      const invitation = house.desk.invite({ role: 'writer' })
      const port = /tcp\/(\d+)/.exec(desk.addresses()[0] ?? '')?.[1] ?? ''
      const keep = async (joined: Joined) => {
        laptop.members(new Set([...openMembership(joined.entries).members.keys(), desk.device] as DeviceId[]))
        await Promise.resolve()
      }
      await assert.rejects(
        house.join(laptop, { code: wrongCode(invitation.code), at: [`localhost:${port}`] }),
        code('CODE_WRONG'),
      )
      const joined = await house.join(laptop, { code: invitation.code, at: [`localhost:${port}`] }, keep)
      assert.equal(joined.inviter, desk.device)
      assert.deepEqual((await invitation.done).checkWords, joined.checkWords)
      await laptop.dial(`127.0.0.1:${port}`, signal())
      assert.deepEqual(laptop.connected(), [desk.device])
      await assert.rejects(
        house.join(laptop, { code: invitation.code, at: ['127.0.0.1:1'] }),
        code('PEER_GONE'),
      )
    } finally {
      await house.close()
      await Promise.all([desk.close(), laptop.close()])
    }
  })
})
