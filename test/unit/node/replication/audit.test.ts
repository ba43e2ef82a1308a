/** Proofs of possession: who has the chunks can prove it, who has not cannot, and asking is bounded. */
import assert from 'node:assert/strict'
import { memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { Events, type NodeEvent } from '../../../../node/events.ts'
import type { Channel, Network } from '../../../../node/network.ts'
import { Auditor, proofAgeMsMax } from '../../../../node/replication/audit.ts'
import { ProofBudgets, type ProverParts, serveProofs } from '../../../../node/replication/prover.ts'
import { sampleChunks } from '../../../../node/replication/sample.ts'
import {
  AUDIT_PROTOCOL,
  CellarError,
  type ChunkId,
  concatBytes,
  decodeFrame,
  encodeCbor,
  encodeMessage,
  type Message,
  proofOf,
  type Prove,
  proveIdsMax,
} from '../../../../protocol/index.ts'
import { type ChunkStore, memoryStore } from '../../../../storage/index.ts'
import { testChunk, testTree } from '../../../support/chunks.ts'
import { MemoryHub, testSigner } from '../../../support/mesh.ts'
import { seeded } from '../../../tools/seeded.ts'
import { ManualClock } from '../manual-clock.ts'

const asker = testSigner(1).device
const holder = testSigner(2).device
const third = testSigner(3).device
const random = seeded('audit')
const signal = () => AbortSignal.timeout(5000)

/** A store whose bytes of one chunk are not what its id says. */
function withRot(store: ChunkStore, rotten: ChunkId): ChunkStore {
  const get = (id: ChunkId): Uint8Array => {
    if (id === rotten) throw new CellarError('CHUNK_CORRUPT', 'rotten', { id })
    return store.get(id)
  }
  const has = store.has.bind(store)
  const links = store.links.bind(store)
  return Object.assign(Object.create(store) as ChunkStore, { get, has, links })
}

describe('proofs of possession', () => {
  let networks: Network[]
  let clock: ManualClock
  let events: Events
  let troubles: NodeEvent[]
  let bad: ChunkId[]
  let here: ChunkStore
  let there: ChunkStore
  let auditor: Auditor
  let budgets: ProofBudgets
  const tree = testTree('audited', 20)

  beforeEach(async () => {
    const hub = new MemoryHub()
    networks = [asker, holder, third].map((device) => memoryNetwork(hub, { device }))
    for (const network of networks) network.members(new Set([asker, holder, third]))
    const [mine, theirs, other] = networks as [Network, Network, Network]
    await mine.dial(theirs.addresses()[0]!, signal())
    await mine.dial(other.addresses()[0]!, signal())
    await theirs.dial(other.addresses()[0]!, signal())
    clock = new ManualClock()
    events = new Events()
    troubles = []
    bad = []
    events.on((event) => {
      if (event.kind === 'trouble' || event.kind === 'bad-chunk') troubles.push(event)
    })
    here = memoryStore()
    there = memoryStore()
    for (const store of [here, there]) {
      for (const { id, bytes } of tree.chunks) await store.put(id, bytes)
      await store.commit()
    }
    auditor = new Auditor({ store: here, network: mine, clock, random, events })
    budgets = new ProofBudgets(clock)
  })

  afterEach(async () => {
    for (const network of networks) await network.close()
  })

  function serve(parts: Partial<ProverParts> = {}): void {
    const prover: ProverParts = {
      store: there,
      budgets,
      self: holder,
      bad: (id) => bad.push(id),
      ...parts,
    }
    networks[1]?.handle(AUDIT_PROTOCOL, 'members', (channel, from) => serveProofs(prover, from, channel))
  }

  /** Answers by hand. */
  function answer(reply: (message: Message, channel: Channel) => Promise<void>): void {
    networks[1]?.handle(AUDIT_PROTOCOL, 'members', async (channel) => {
      const frame = await channel.receive()
      const decoded = frame === undefined ? undefined : decodeFrame(frame)
      if (decoded?.kind === 'message') await reply(decoded.message, channel)
    })
  }

  const codes = () => troubles.map((one) => (one.kind === 'trouble' ? one.code : one.kind))

  it('A6.1 are given by who has the chunks, and stay good for a while', async () => {
    serve()
    assert.equal(auditor.isProven(holder, tree.root.id), false)
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'proven')
    assert.equal(auditor.isProven(holder, tree.root.id), true)
    assert.equal(auditor.isProven(third, tree.root.id), false)
    await clock.advance(proofAgeMsMax)
    assert.equal(auditor.isProven(holder, tree.root.id), false)
    assert.deepEqual(troubles, [])
  })

  it('A6.2 cannot be given by who has lost the chunks: it is told, and rests', async () => {
    serve({ store: memoryStore() })
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'failed')
    assert.equal(auditor.isProven(holder, tree.root.id), false)
    assert.ok(auditor.restMs(holder, tree.root.id) > 0)
    assert.deepEqual(codes(), ['COPY_UNPROVEN'])
  })

  it('A6.2 end an earlier proof when they fail', async () => {
    serve()
    await auditor.audit(holder, tree.root.id, signal())
    for (const { id } of tree.chunks) await there.quarantine(id)
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'failed')
    assert.equal(auditor.isProven(holder, tree.root.id), false)
  })

  it('W6.2 are refused when they are of other chunks, or made up', async () => {
    answer(async (message, channel) => {
      if (message.type !== 'prove') return
      const macs = message.ids.map(() => new Uint8Array(random.bytes(32)))
      await channel.send(encodeMessage({ type: 'proof', request: message.request, macs }))
    })
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'failed')
  })

  it('W6.2 cannot be had from another holder: the answering device stands in them', async () => {
    networks[2]?.handle(AUDIT_PROTOCOL, 'members', (channel, from) =>
      serveProofs({ store: there, budgets, self: third, bad: (id) => bad.push(id) }, from, channel),
    )
    answer(async (message, channel) => {
      const passed = await networks[1]!.open(third, AUDIT_PROTOCOL, signal())
      await passed.send(encodeMessage(message))
      await channel.send((await passed.receive()) ?? new Uint8Array(0))
      await passed.close()
    })
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'failed')
    serve()
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'proven')
  })

  it('W6.3 are for one question: the next has another nonce', async () => {
    const nonces: string[] = []
    answer((message) => {
      if (message.type === 'prove') nonces.push(Buffer.from(message.nonce).toString('hex'))
      return Promise.resolve()
    })
    for (let n = 0; n < 3; n++) await auditor.audit(holder, tree.root.id, signal())
    assert.equal(new Set(nonces).size, 3)
  })

  it('A6.2 say nothing when the holder is away, ends early, or does not speak of proofs', async () => {
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'later')
    answer(() => Promise.resolve())
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'later')
    await networks[1]?.close()
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'later')
    assert.ok(auditor.restMs(holder, tree.root.id) > 0)
    assert.equal(codes().includes('COPY_UNPROVEN'), false)
  })

  it('are not waited for without end', async () => {
    answer(async (_, channel) => {
      await channel.receive().catch(() => undefined) // until the asker has had enough
    })
    const asked = auditor.audit(holder, tree.root.id, signal())
    await clock.advance(120_000)
    assert.equal(await asked, 'later')
  })

  const nothing = (count: number) => Array.from({ length: count }, () => new Uint8Array(32))
  const wrongAnswers: Readonly<Record<string, (question: Prove) => Uint8Array>> = {
    'no frame of ours': () => Uint8Array.of(7, 7, 7),
    'a chunk': () => Uint8Array.of(1, 0, 0, 0, 0, 9),
    'another message': () => encodeMessage({ type: 'pong' }),
    'the answer to another question': ({ request, ids }) =>
      encodeMessage({ type: 'proof', request: request + 1, macs: nothing(ids.length) }),
    'too few parts': ({ request, ids }) =>
      encodeMessage({ type: 'proof', request, macs: nothing(ids.length - 1) }),
  }
  for (const [what, reply] of Object.entries(wrongAnswers)) {
    it(`are no evidence when the answer is ${what}`, async () => {
      answer(async (message, channel) => {
        if (message.type === 'prove') await channel.send(reply(message))
      })
      assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'later')
      assert.equal(auditor.isProven(holder, tree.root.id), false)
      assert.deepEqual(codes(), ['PEER_PROTOCOL'])
    })
  }

  it('W6.2 are compared with sound chunks only: rot here says nothing of the holder', async () => {
    serve()
    const network = networks[0]!
    const rotten = withRot(here, tree.root.id)
    auditor = new Auditor({ store: rotten, network, clock, random, events })
    assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'later')
    assert.equal(auditor.isProven(holder, tree.root.id), false)
    assert.deepEqual(codes(), ['bad-chunk'])
  })

  describe('on the answering side', () => {
    /** Sends frames to the holder, and gives what comes back until it ends the channel, or breaks it off. */
    async function say(...frames: Uint8Array[]): Promise<(Message | 'broken')[]> {
      const channel = await networks[0]!.open(holder, AUDIT_PROTOCOL, signal())
      const heard: (Message | 'broken')[] = []
      try {
        for (const frame of frames) await channel.send(frame)
        await channel.close()
        for (let frame = await channel.receive(signal()); frame !== undefined; ) {
          const decoded = decodeFrame(frame)
          if (decoded.kind === 'message') heard.push(decoded.message)
          frame = await channel.receive(signal())
        }
      } catch {
        heard.push('broken')
      }
      return heard
    }

    const nonce = new Uint8Array(32).fill(9)
    const prove = (...ids: ChunkId[]) => encodeMessage({ type: 'prove', request: 5, nonce, ids })

    it('name with zeros what is not there', async () => {
      serve()
      const [leaf] = tree.chunks
      const heard = await say(prove(leaf!.id, 'ee'.repeat(32) as ChunkId))
      assert.deepEqual(heard, [
        {
          type: 'proof',
          request: 5,
          macs: [new Uint8Array(proofOf(nonce, holder, leaf!.bytes)), new Uint8Array(32)],
        },
      ])
    })

    it('A6.3 look at the hash, and set aside what has rotted', async () => {
      const [leaf] = tree.chunks
      serve({ store: withRot(there, leaf!.id) })
      const [heard] = await say(prove(leaf!.id))
      assert.deepEqual(heard, { type: 'proof', request: 5, macs: [new Uint8Array(32)] })
      assert.deepEqual(bad, [leaf!.id])
    })

    it('W6.1 refuse garbage, other messages, nothing, too much and the same twice', async () => {
      serve()
      const { id } = tree.root
      const raw = (ids: Uint8Array) => concatBytes([Uint8Array.of(0), encodeCbor([13, 5, nonce, ids])])
      assert.deepEqual(
        await say(raw(Buffer.from(id, 'hex'))).then((all) => all.length),
        1,
        'the form is right',
      )
      for (const frame of [
        Uint8Array.of(0),
        random.bytes(1000),
        encodeMessage({ type: 'want', request: 1, ids: [id] }),
        encodeMessage({ type: 'proof', request: 1, macs: [nonce] }),
        raw(new Uint8Array(0)),
        raw(random.bytes(32 * (proveIdsMax + 1))),
        raw(Buffer.from(id + id, 'hex')),
        raw(random.bytes(33)),
      ])
        assert.deepEqual(await say(frame), ['broken'])
    })

    it('W6.4 A6.4 bound what one device may have read, over all its channels, and let others ask', async () => {
      serve()
      const large = testChunk('large', [], 4 * 1024 * 1024)
      await there.put(large.id, large.bytes)
      await there.commit()
      let answers = 0
      let busy: Message | 'broken' | undefined
      for (let n = 0; n < 100 && busy === undefined; n++) {
        const [heard] = await say(prove(large.id))
        if (heard !== 'broken' && heard?.type === 'proof') answers++
        else busy = heard
      }
      assert.ok(answers >= 60 && answers <= 66, String(answers))
      assert.equal(busy !== 'broken' && busy?.type === 'error' && busy.code, 'PEER_BUSY')
      assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'later')
      assert.ok(auditor.restMs(holder, 'ab'.repeat(32) as ChunkId) > 0, 'it is not asked about others either')
      assert.equal(auditor.restMs(third, tree.root.id), 0)
      assert.equal(budgets.mayAsk(third), true)
      await clock.advance(60_000)
      assert.equal(await auditor.audit(holder, tree.root.id, signal()), 'proven')
    })

    it('W6.4 count also what is asked for in vain', async () => {
      serve()
      let answers = 0
      for (let n = 0; n < 200; n++) {
        const ids = Array.from({ length: proveIdsMax }, () => random.bytes(32).toString('hex') as ChunkId)
        const [heard] = await say(prove(...ids))
        if (heard === 'broken' || heard?.type !== 'proof') break
        answers++
      }
      assert.ok(answers > 100 && answers < 150, String(answers))
    })
  })

  describe('by sample', () => {
    it('take ends of ways down and what lies on them, each once and not too many', async () => {
      const store = memoryStore()
      const leaves = Array.from({ length: 300 }, (_, n) => testChunk(`leaf ${String(n)}`))
      const trees = Array.from({ length: 3 }, (_, n) =>
        testChunk(
          `tree ${String(n)}`,
          leaves.slice(n * 100, n * 100 + 100).map(({ id }) => id),
        ),
      )
      const root = testChunk(
        'root',
        trees.map(({ id }) => id),
      )
      for (const { id, bytes } of [...leaves, ...trees, root]) await store.put(id, bytes)
      await store.commit()
      const seen = new Set<ChunkId>()
      for (let n = 0; n < 200; n++) {
        const ids = sampleChunks(store, root.id, random)
        assert.ok(ids.length >= 3 && ids.length <= proveIdsMax)
        assert.equal(new Set(ids).size, ids.length)
        for (const id of ids) seen.add(id)
      }
      assert.ok(seen.size > 290, 'no chunk is safe from being asked for')
      assert.deepEqual(sampleChunks(store, leaves[0]!.id, random), [leaves[0]!.id])
    })

    it('stay within one message however deep a snapshot is', async () => {
      const store = memoryStore()
      let below = testChunk('bottom')
      await store.put(below.id, below.bytes)
      for (let n = 0; n < 200; n++) {
        below = testChunk(`level ${String(n)}`, [below.id])
        await store.put(below.id, below.bytes)
      }
      await store.commit()
      const ids = sampleChunks(store, below.id, random)
      assert.equal(ids.length, proveIdsMax)
      assert.equal(ids[0], testChunk('bottom').id)
    })
  })
})
