/** A member that breaks the rules, and a stranger: the node lives on in bounds, serves the honest, and tells of it. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '../../node/client.ts'
import type { Channel, Network } from '../../node/network.ts'
import {
  AUDIT_PROTOCOL,
  CHUNKS_PROTOCOL,
  type ChunkId,
  type DeviceId,
  frameBytesMax,
  idsPerMessageMax,
  type Listing,
  type ListingHash,
  type MeshId,
  type Message,
  nextListing,
  proveIdsMax,
  type RootId,
  SYNC_PROTOCOL,
  signListing,
  UPLOAD_PROTOCOL,
} from '../../protocol/index.ts'
import type { Device } from '../tools/cellar.ts'
import {
  type EvilPeer,
  flood,
  hear,
  memoryOf,
  openBareEvilPeer,
  openBareMember,
  openEvilPeer,
  say,
  troublesOf,
  untilEnded,
} from '../tools/evil-peer.ts'
import { backUp, Household, placeOf, statusOf, until, untilLinked } from '../tools/household.ts'
import { seeded } from '../tools/seeded.ts'

const mebibyte = 1024 * 1024
/** Above what a node takes that serves and receives; a flood that piles up goes far beyond. */
const memoryMax = 500 * mebibyte
const protocols = [SYNC_PROTOCOL, CHUNKS_PROTOCOL, AUDIT_PROTOCOL, UPLOAD_PROTOCOL]
const chance = seeded('hostile peer')

describe('a member that breaks the rules', function () {
  this.timeout(300_000)
  let house: Household
  let victim: Device
  let honest: Device
  let evilHome: string
  let source: string
  let status: Status
  let peer: EvilPeer | undefined

  before(async () => {
    house = new Household()
    source = house.path('documents')
    mkdirSync(source)
    writeFileSync(join(source, 'photo'), chance.bytes(8 * mebibyte))
    victim = house.device('desktop')
    honest = house.device('laptop')
    const evil = house.device('evil')
    await victim.init()
    await victim.start()
    await victim.admit(honest, 'writer')
    await victim.admit(evil, 'writer')
    await honest.start()
    await untilLinked(honest, victim)
    await backUp(honest, source, '--wait=2')
    evilHome = evil.home
    status = (await statusOf(victim)) ?? assert.fail('the victim does not run')
  })
  after(() => house[Symbol.asyncDispose]())

  afterEach(async () => {
    await peer?.[Symbol.asyncDispose]()
    peer = undefined
    await stillServes()
  })

  /** The node is the same process, in bounds, and an honest peer's backup still comes to it. */
  async function stillServes(): Promise<void> {
    appendFileSync(join(source, 'diary'), 'one more day\n')
    const { summary } = await backUp(honest, source, '--wait=2')
    assert.equal(summary.waited?.reached, true)
    assert.equal((await statusOf(victim))?.pid, victim.pid)
    const memory = memoryOf(victim)
    assert.ok(memory === undefined || memory < memoryMax, `${String(memory)} bytes of memory`)
  }

  async function evilPeer(prepare = beQuiet): Promise<EvilPeer> {
    peer = await openEvilPeer(evilHome, status.device.id as DeviceId, placeOf(victim), prepare)
    return peer
  }

  /** Lets the victim ask for listings and says nothing: what is told of this peer is then of its attacks alone. */
  function beQuiet(network: Network): void {
    network.handle(SYNC_PROTOCOL, 'members', async (channel) => {
      while ((await channel.receive()) !== undefined);
    })
  }

  /** Waits until the victim's status tells of this peer. */
  async function untilTold(code: string): Promise<void> {
    await until(`the victim tells of ${code}`, async () =>
      (await troublesOf(victim)).find((text) => text.startsWith(`${code}: `) && text.includes('evil')),
    )
  }

  /** A hello that would do. */
  function hello(from: EvilPeer): Message {
    return {
      type: 'hello',
      mesh: status.mesh.id as MeshId,
      device: from.signer.device,
      incarnation: 1,
      version: 1,
      epoch: 0,
      membershipHead: '00'.repeat(32),
      program: 'evil 1',
    }
  }

  /** A channel on which the victim listens. */
  async function greeted(from: EvilPeer, protocol: string): Promise<Channel> {
    const channel = await from.open(protocol)
    if (protocol === SYNC_PROTOCOL) await say(channel, hello(from))
    return channel
  }

  for (const protocol of protocols) {
    it(`garbage in frames of every length on ${protocol}`, async () => {
      const from = await evilPeer()
      for (const length of [0, 1, 2, 100, 70_000, frameBytesMax]) {
        const channel = await greeted(from, protocol)
        await channel.send(chance.bytes(length)).catch(() => undefined) // it may have been broken off already
        await untilEnded(channel)
      }
      await untilTold('PEER_PROTOCOL')
    })

    it(`a frame longer than allowed on ${protocol}`, async () => {
      await using bare = await openBareMember(evilHome, placeOf(victim))
      const stream = await bare.open(protocol)
      stream.send(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
      await until('the stream is reset', () => (stream.status === 'open' ? undefined : true))
      await untilTold('FRAME_TOO_LONG')
    })

    it(`messages out of their order on ${protocol}`, async () => {
      const from = await evilPeer()
      const messages: Message[] = [
        { type: 'done', request: 7 },
        { type: 'absent', request: 1, ids: [] },
        { type: 'listing', heads: [], body: new Uint8Array(0), isMore: false },
        { type: 'membership', entries: [chance.bytes(100)] },
        { type: 'pake', fields: [chance.bytes(32)] },
        hello(from),
      ]
      for (const message of messages) {
        const channel = await greeted(from, protocol)
        await say(channel, message)
        await untilEnded(channel)
      }
      await untilTold('PEER_PROTOCOL')
    })

    it(`hundreds of streams at once on ${protocol}`, async () => {
      await using bare = await openBareMember(evilHome, placeOf(victim))
      let refused = 0
      const opening = Array.from({ length: 500 }, () => bare.open(protocol).catch(() => void refused++))
      await Promise.all(opening)
      await stillServes()
    })
  }

  it('another mesh, or a chunk in place of a hello', async () => {
    const from = await evilPeer()
    const other = await from.open(SYNC_PROTOCOL)
    await say(other, { ...hello(from), mesh: 'ab'.repeat(32) as MeshId } as Message)
    await untilEnded(other)
    const chunk = await from.open(SYNC_PROTOCOL)
    await chunk.send(Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), chance.bytes(1000)]))
    await untilEnded(chunk)
    await untilTold('PEER_PROTOCOL')
  })

  it('small messages without end, the answers never read', async () => {
    const from = await evilPeer()
    const listens = await greeted(from, SYNC_PROTOCOL)
    await flood(listens, { type: 'ping' })
    await stillServes()
    const asks = await from.open(CHUNKS_PROTOCOL)
    await flood(asks, { type: 'want', request: 1, ids: [] })
  })

  it('ten million chunks asked for that are not there', async () => {
    const from = await evilPeer()
    const channel = await from.open(CHUNKS_PROTOCOL)
    const ids = Array.from({ length: idsPerMessageMax }, () => randomBytes(32).toString('hex') as ChunkId)
    const asking = flood(channel, { type: 'want', request: 1, ids }, Math.ceil(10_000_000 / ids.length))
    await stillServes()
    channel.abort(new Error('enough'))
    await asking
  })

  it('a chunk that is there asked for again and again, and never read', async () => {
    const from = await evilPeer()
    const { last_backup: last } = (await statusOf(honest)) ?? {}
    const channel = await from.open(CHUNKS_PROTOCOL)
    const ids = Array<ChunkId>(idsPerMessageMax).fill(last?.snapshot_id as ChunkId)
    const asking = flood(channel, { type: 'want', request: 1, ids }, 10_000)
    const lying = flood(await from.open(CHUNKS_PROTOCOL), { type: 'corrupt', ids }, 1000)
    await stillServes()
    await peer?.[Symbol.asyncDispose]()
    await Promise.all([asking, lying])
    assert.equal(
      (await statusOf(victim))?.problems.some(({ code }) => code === 'CHUNK_CORRUPT'),
      false,
    )
  })

  it('proofs asked for without end, of what is there and of what is not', async () => {
    const from = await evilPeer()
    const { last_backup: last } = (await statusOf(honest)) ?? {}
    const nonce = randomBytes(32)
    const there = [last?.snapshot_id as ChunkId]
    const nowhere = Array.from({ length: proveIdsMax }, () => randomBytes(32).toString('hex') as ChunkId)
    const asking = [there, nowhere].map(async (ids) =>
      flood(await from.open(AUDIT_PROTOCOL), { type: 'prove', request: 1, nonce, ids }, 10_000),
    )
    await stillServes()
    await Promise.all(asking)
    const codes: string[] = []
    for (let n = 0; n < 500 && !codes.includes('PEER_BUSY'); n++) {
      const channel = await from.open(AUDIT_PROTOCOL)
      await say(channel, { type: 'prove', request: 2, nonce, ids: nowhere })
      const heard = await hear(channel)
      const answer = heard?.kind === 'message' ? heard.message : undefined
      codes.push(answer?.type === 'error' ? answer.code : String(answer?.type))
      await channel.close()
    }
    assert.equal(codes.at(-1), 'PEER_BUSY') // W6.4
  })

  describe('with lies in its listings', () => {
    let mesh: MeshId
    beforeEach(() => {
      mesh = status.mesh.id as MeshId
    })

    /** Tells the victim of a newest listing, and answers its question for it. */
    async function tell(
      seq: number,
      hash: ListingHash,
      answer: (channel: Channel) => Promise<void>,
    ): Promise<void> {
      const asked = Promise.withResolvers<undefined>()
      const from = await evilPeer((network) => {
        network.handle(SYNC_PROTOCOL, 'members', async (channel) => {
          await hear(channel)
          await say(channel, hello(peer ?? assert.fail()))
          await say(channel, {
            type: 'heads',
            heads: [{ device: network.device, incarnation: 1, seq, hash }],
          })
          for (let frame = await hear(channel); frame !== undefined; frame = await hear(channel)) {
            if (frame.kind !== 'message' || frame.message.type !== 'getListing') continue
            await answer(channel)
            asked.resolve(undefined)
          }
        })
      })
      assert.ok(from.network.connected().length > 0)
      await asked.promise
    }

    function fields(seq: number, prev: ListingHash | undefined) {
      const adds = [{ seq, n: 0, root: 'cd'.repeat(32) as RootId, source: new Uint8Array(16), sizeClass: 3 }]
      const body = {
        adds,
        forgetBase: { seq: 0, digest: '00'.repeat(32) },
        forgets: [],
        holds: [],
        shedding: [],
        horizon: [],
        leans: false,
        full: false,
        pins: [],
      }
      return { mesh, incarnation: 1, seq, prev, epoch: 1, atMs: 1, body }
    }

    /** A listing of this device, signed or not, sent as an answer. */
    const send =
      (listing: Listing, heads = [listing.signed.bytes]) =>
      async (channel: Channel) => {
        await say(channel, { type: 'listing', heads, body: listing.bodyBytes, isMore: false })
      }

    const signer = async () => {
      const from = await evilPeer()
      await from[Symbol.asyncDispose]()
      return from.signer
    }

    it('a bad signature', async () => {
      const listing = signListing(fields(1, undefined), await signer())
      const forged = Buffer.from(listing.signed.bytes)
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
      await tell(1, listing.signed.hash, send(listing, [forged]))
      await untilTold('LISTING_INVALID')
      assert.equal((await statusOf(victim))?.snapshots.nowhere, 0)
    })

    it('a body that is not the signed one', async () => {
      const listing = signListing(fields(1, undefined), await signer())
      await tell(1, listing.signed.hash, (channel) =>
        say(channel, {
          type: 'listing',
          heads: [listing.signed.bytes],
          body: chance.bytes(500),
          isMore: false,
        }),
      )
      await untilTold('LISTING_INVALID')
    })

    it('a gap, and a predecessor that is none', async () => {
      const self = await signer()
      const late = signListing(fields(9, 'ab'.repeat(32) as ListingHash), self)
      await tell(9, late.signed.hash, send(late))
      await peer?.[Symbol.asyncDispose]()
      const first = nextListing(
        undefined,
        { mesh, incarnation: 1, epoch: 1, atMs: 1, holds: [], horizon: [], leans: false },
        self,
      )
      const wrong = signListing(fields(2, 'ab'.repeat(32) as ListingHash), self)
      await tell(2, wrong.signed.hash, send(wrong, [first.signed.bytes, wrong.signed.bytes]))
      await stillServes()
      assert.equal((await statusOf(victim))?.snapshots.nowhere, 0)
    })

    it('parts of a listing without end', async () => {
      let ended = false
      await tell(5, 'ef'.repeat(32) as ListingHash, async (channel) => {
        try {
          for (;;)
            await say(channel, { type: 'listing', heads: [], body: new Uint8Array(mebibyte), isMore: true })
        } catch {
          ended = true
        }
      })
      assert.equal(ended, true)
      await untilTold('PEER_PROTOCOL')
    })
  })

  it('a stranger is shown the door, however often it comes', async () => {
    for (let n = 0; n < 30; n++) {
      const isServed = await strangerIsServed().catch(() => false)
      assert.equal(isServed, false)
    }
  })

  /** Comes with a key of nobody. @returns whether anything was answered */
  async function strangerIsServed(): Promise<boolean> {
    await using bare = await openBareEvilPeer(randomBytes(32), placeOf(victim))
    let answers = 0
    for (const protocol of protocols) {
      const stream = await bare.open(protocol)
      stream.addEventListener('message', () => answers++)
      stream.send(Buffer.from([0, 0, 0, 1, 0]))
      await until('the stream is reset', () => (stream.status === 'open' ? undefined : true))
    }
    return answers > 0
  }
})
