/** Whole nodes in one process, with stores in memory and a clock that a test sets: what operations are tried on. */
import { type ChunkId, encodeRoot, type Membership, type RootId, type World } from '../../protocol/index.ts'
import { type Catalog, type ChunkStore, memoryCatalog, memoryStore } from '../../storage/index.ts'
import { MemoryHub, memoryNetwork } from '../../node/adapters/memory-network.ts'
import { handleOf, type MethodName, type ParamsOf, type ResultOf } from '../../node/api.ts'
import { assembleNode, closeAll, type Closer } from '../../node/assemble.ts'
import { type Config, CONFIG_DEFAULT } from '../../node/config.ts'
import type { ConnectedNode } from '../../node/connect.ts'
import { entryKey } from '../../node/ledger/records.ts'
import { Online } from '../../node/online.ts'
import { handlersOf } from '../../node/operations/index.ts'
import type { NodeParts } from '../../node/parts.ts'
import type { Outside } from '../../node/telling/outside.ts'
import { sayingOf } from '../../node/saying.ts'
import type { Surroundings } from '../../node/schedule/surroundings.ts'
import { sourceLabel } from '../../node/source-label.ts'
import { openVault } from '../../node/vault.ts'
import { ManualClock } from '../unit/node/manual-clock.ts'
import { testChunk } from './chunks.ts'
import { assertFits } from './fits.ts'

/** What a node for tests is made of. */
export interface TestNodeOptions {
  /** As of `testSigner`. */
  readonly number: number
  readonly membership: Membership
  readonly clock?: ManualClock
  readonly config?: Partial<Config>
  /** It frees space by itself, whenever it may. */
  readonly isRunning?: boolean
  /** It has no vault key. */
  readonly isBlind?: boolean
  /** Left out: it reaches nobody. */
  readonly hub?: MemoryHub
  /** Who is told goes there. */
  readonly outside?: Outside
  /** Left out: power from the wall, and a network without a price. */
  readonly surroundings?: Surroundings
  /** In the place of one without a bound. */
  readonly store?: ChunkStore
  /** Of an earlier node, to go on from. */
  readonly before?: TestNode
}

/** A node, and its methods as others call them. */
export interface TestNode {
  readonly parts: NodeParts
  readonly clock: ManualClock
  readonly catalog: Catalog
  readonly store: ChunkStore
  call<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>
  close(): Promise<void>
}

const VAULT_KEY = new Uint8Array(32).fill(7)

/** A filter that everything fits. */
export const every = { devices: [], paths: [], tags: [] }

let drawn = 0

/** Assembles a node as `openNode` does, without files. */
export async function testNode(options: TestNodeOptions): Promise<TestNode> {
  const { number, membership, before, hub } = options
  const clock = options.clock ?? before?.clock ?? new ManualClock()
  const catalog = before?.catalog ?? memoryCatalog()
  const store = before?.store ?? options.store ?? memoryStore()
  if (before === undefined) {
    await catalog.sub('ledger').batch(
      membership.entries.map((value, epoch) => ({ type: 'put', key: entryKey(epoch), value }) as const),
      { durable: true },
    )
  }
  const world: World = {
    clock,
    random: { bytes: (length) => new Uint8Array(length).fill(100 + (++drawn % 150)) },
  }
  const closers: Closer[] = []
  const parts = await assembleNode(
    {
      home: { directory: '/nowhere' } as NodeParts['home'],
      config: { ...CONFIG_DEFAULT, ...options.config },
      limits: {},
      keys: {
        device: new Uint8Array(32).fill(number),
        vault: options.isBlind === true ? undefined : VAULT_KEY,
      },
      world,
      // What a restart goes on from must outlive the node.
      catalog: { ...boundMethods(catalog), close: () => Promise.resolve() },
      storePath: '/nowhere',
      openStore: () => Promise.resolve({ ...boundMethods(store), close: () => Promise.resolve() }),
      openVault,
      isRunning: options.isRunning === true,
      ...(options.surroundings !== undefined && { surroundings: options.surroundings }),
      outside: () => Promise.resolve(options.outside ?? notGiven()),
      connect: (all) => Promise.resolve(connectTo(all, hub)),
    },
    closers,
  )
  const handle = handleOf(handlersOf(parts), () => closeAll(closers))
  return {
    parts,
    clock,
    catalog,
    store,
    call: async (method, params) => {
      const onEvent = (event: unknown) => {
        assertFits(method, 'event', event)
      }
      const result = await handle.call(method, params, { signal: AbortSignal.timeout(20_000), onEvent })
      assertFits(method, 'result', result)
      return result
    },
    close: () => handle.close(),
  }
}

function notGiven(): never {
  throw new TypeError('this test gave no outside to its node')
}

/** All methods of an object, bound to it. */
function boundMethods<T extends object>(object: T): T {
  const methods: Record<string, unknown> = {}
  for (let at: object = object; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const value = (object as Record<string, unknown>)[name]
      if (typeof value === 'function' && name !== 'constructor' && !(name in methods))
        methods[name] = (value as (...args: unknown[]) => unknown).bind(object)
    }
  }
  return methods as T
}

function connectTo(parts: NodeParts, hub = new MemoryHub()): ConnectedNode {
  const { ledger, store, events, signer, world } = parts
  const network = memoryNetwork(hub, { device: signer.device })
  network.members(new Set([...ledger.membership.members.keys()]))
  const online = new Online({
    ledger,
    store,
    network,
    ...world,
    events,
    doubts: parts.watching.doubts,
    orders: parts.orders,
  })
  online.start()
  return {
    network,
    online,
    onPairing: () => () => undefined,
    close: async () => {
      await online.close()
      await network.close()
    },
  } as unknown as ConnectedNode
}

/** What a snapshot of a test is. */
export interface TestSnapshot {
  /** @defaultValue now, by the clock of the node */
  readonly timeMs?: number
  /** @defaultValue /home */
  readonly path?: string
  readonly tags?: readonly string[]
  /** The label it is announced under. @defaultValue that of its path */
  readonly source?: Uint8Array
  /** Names what is in it; equal names, equal chunks. @defaultValue unlike all others */
  readonly content?: readonly string[]
  /** Bytes of each chunk of content. */
  readonly bytes?: number
  /** @defaultValue true: stored and held here before it is announced */
  readonly isHeld?: boolean
  /** @defaultValue true: a listing says it at once */
  readonly isSigned?: boolean
}

let made = 0

/** Large ones are made once: hashing is what takes time. */
const LEAVES = new Map<string, ReturnType<typeof testChunk>>()

function leafOf(name: string, bytes: number): ReturnType<typeof testChunk> {
  const key = `${name}/${String(bytes)}`
  const leaf = LEAVES.get(key) ?? testChunk(name, [], bytes)
  if (bytes > 1_000_000) LEAVES.set(key, leaf)
  return leaf
}

/** Seals, holds and announces a snapshot, and signs the listing that says so. */
export async function makeSnapshot(node: TestNode, options: TestSnapshot = {}): Promise<RootId> {
  const { parts, clock } = node
  const { vault, signer, ledger } = parts
  if (vault === undefined) throw new TypeError('who makes snapshots reads them')
  const { path = '/home', content = [`content ${String(++made)}`], bytes = 100 } = options
  const leaves = content.map((name) => leafOf(name, bytes))
  const tree = testChunk(
    `tree of ${content.join(' ')}`,
    leaves.map(({ id }) => id),
  )
  const { raw, links } = encodeRoot({
    device: signer.device,
    host: 'host',
    user: 'user',
    uid: 0,
    gid: 0,
    paths: [Buffer.from(path)],
    tags: options.tags ?? [],
    timeNs: BigInt(options.timeMs ?? clock.nowMs()) * 1_000_000n,
    offsetMinutes: 0,
    excludes: [],
    program: `test ${String(++made)}`,
    stats: STATS,
    unread: [],
    trees: [tree.id],
  })
  const root = vault.seal('root', raw, links)
  const { id } = root
  if (options.isHeld !== false) {
    for (const chunk of [...leaves, tree, root]) await parts.store.put(chunk.id, chunk.bytes)
    await parts.store.commit()
    await parts.store.hold(id)
  }
  const source = options.source ?? sourceLabel(vault.keys, signer.device, [Buffer.from(path)])
  await ledger.announce({ root: id, source, sizeClass: 10 })
  if (options.isSigned !== false) await publish(node)
  return id
}

const STATS = {
  files: 0,
  dirs: 0,
  others: 0,
  bytes: 0,
  filesNew: 0,
  filesChanged: 0,
  filesUnmodified: 0,
  dirsNew: 0,
  dirsChanged: 0,
  dirsUnmodified: 0,
  bytesAdded: 0,
  bytesStored: 0,
  chunksAdded: 0,
}

/** Signs what is new. */
export async function publish({ parts }: TestNode): Promise<void> {
  await parts.ledger.publish(sayingOf(parts.store, false))
}

/** Tells one node all that another knows: membership, then listings. */
export async function tell(from: TestNode, to: TestNode): Promise<void> {
  const { ledger } = to.parts
  const news = from.parts.ledger.membership.entries.slice(ledger.membership.entries.length)
  if (news.length > 0) await ledger.acceptMembership(news)
  for (const head of from.parts.ledger.heads()) {
    const fromSeq = ledger.newerFrom(head)
    if (fromSeq === undefined) continue
    const { device, incarnation } = head
    const { heads, body } = from.parts.ledger.listingSince({ device, incarnation, fromSeq })
    await ledger.acceptListing(heads, body)
  }
}

/** Gives a node all chunks of a root that another has, and has it held there. */
export async function carry(from: TestNode, to: TestNode, root: RootId): Promise<void> {
  const stack: ChunkId[] = [root]
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    await to.parts.store.put(id, from.parts.store.get(id))
    stack.push(...from.parts.store.links(id))
  }
  await to.parts.store.commit()
  await to.parts.store.hold(root)
}
