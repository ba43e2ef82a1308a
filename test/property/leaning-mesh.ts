/**
 * A small mesh of whole devices over the real rules: signed listings, views, stores as sets of chunks. No clocks, no
 * network: any listing that was ever signed may come to anybody at any time. Made for leaning.property.test.ts.
 */

import {
  accept,
  admitMember,
  CellarError,
  changeCopiesGoal,
  changeMember,
  type Capability,
  type Cut,
  type DeadRoot,
  type DeviceId,
  emptyView,
  type Horizon,
  holdersOf,
  horizonOf,
  isChosen,
  judgeShed,
  laneOf,
  leanableRoots,
  type Listing,
  liveIndex,
  liveRoots,
  mayIntend,
  type Member,
  memberNow,
  type Membership,
  releaseBlockers,
  removeMember,
  type RootId,
  type View,
  vectorOf,
  wasEntitled,
} from '../../protocol/index.ts'
import { AT_MS, Device, type Next, rootOf, signerOf } from '../unit/protocol/a-mesh.ts'

/** The rules that a mesh plays by; a test may break one. */
export const RULES = {
  leanable: leanableRoots,
  horizon: horizonOf,
  blockers: releaseBlockers,
  mayIntend,
  judgeShed,
}

export type Rules = typeof RULES

/** A device whose signatures nobody looks at: views verify none, and signing is most of the work. */
class QuickDevice extends Device {
  override readonly signer = { device: signerOf(this.name).device, sign: () => NO_SIGNATURE }
}

const NO_SIGNATURE = new Uint8Array(64)

/** A backup under way. */
interface Session {
  readonly pin: Horizon
  readonly leanable: ReadonlySet<RootId>
  readonly chunks: Set<number>
}

/** One device with its disk. */
export class Peer {
  readonly name: string
  device: Device
  view: View = emptyView()
  membership: Membership
  readonly store = new Set<number>()
  readonly holds = new Set<RootId>()
  readonly intents = new Set<RootId>()
  sessions: Session[] = []
  /** What a clone of this device signed on another branch. */
  twin: Device | undefined
  isGone = false

  constructor(name: string, membership: Membership) {
    this.name = name
    this.device = new QuickDevice(name)
    this.membership = membership
  }

  get id(): DeviceId {
    return this.device.device
  }

  get member(): Member | undefined {
    return memberNow(this.membership, this.id)
  }

  may(capability: Capability): boolean {
    const { member } = this
    return member?.capabilities.has(capability) === true && member.incarnation === this.device.incarnation
  }
}

/** An announcement, as an observer who sees everything remembers it. */
interface Announced {
  readonly by: Peer
  readonly incarnation: number
  readonly seq: number
  isForgotten: boolean
}

interface Root {
  readonly chunks: ReadonlySet<number>
  /** The chunk that names all others: without it nobody knows what the root needs. */
  readonly top: number
  readonly announced: Announced[]
  wasHeld: boolean
}

/** Devices, and an observer who knows what must not be lost. */
export class LeaningMesh {
  readonly peers: Peer[]
  readonly rules: Rules
  readonly roots = new Map<RootId, Root>()
  /** The newest membership; one keeper changes it, so it never forks. */
  membership: Membership
  readonly #logs: Membership[] = []
  #chunks = 0

  constructor(membership: Membership, names: readonly string[], rules: Rules = RULES) {
    this.membership = membership
    this.#logs.push(membership)
    this.rules = rules
    this.peers = names.map((name) => new Peer(name, membership))
  }

  peer(name: string): Peer {
    return this.peers.find((peer) => peer.name === name) ?? unknown(name)
  }

  // what devices say

  /** Signs the next listing of a device, with all that is due. */
  say(peer: Peer, news: Pick<Next, 'adds' | 'forgets'> = {}): Listing | undefined {
    if (peer.member?.incarnation !== peer.device.incarnation) return undefined
    const pins = peer.sessions.map((session) => session.pin)
    const listing = peer.device.next(peer.membership, {
      ...news,
      holds: [...peer.holds],
      shedding: [...peer.intents],
      horizon: this.rules.horizon(peer.view, pins),
      leans: peer.may('lean'),
    })
    this.#offer(peer, [listing])
    this.#observe(peer, listing)
    for (const root of peer.holds) this.#root(root).wasHeld = true
    return listing
  }

  /** A clone of the device signs on a branch of its own: forgets what it likes. */
  sayTwin(peer: Peer, forgets: Next['forgets']): void {
    peer.twin ??= peer.device.clone()
    const { member } = peer
    if (member?.incarnation !== peer.device.incarnation) return
    this.#observe(peer, peer.twin.next(peer.membership, { ...(forgets && { forgets }) }))
  }

  #observe(peer: Peer, { body, signed }: Listing): void {
    const { seq, incarnation } = signed.head
    for (const add of body.adds)
      if (add.seq === seq)
        this.#root(add.root).announced.push({ by: peer, incarnation, seq, isForgotten: false })
    for (const { dot, root, epoch, seq: at } of body.forgets) {
      if (at !== seq || !wasEntitled(this.membership, { device: peer.id, incarnation, epoch }, 'forget'))
        continue
      for (const one of this.#root(root).announced)
        if (one.by.id === dot.device && one.incarnation === dot.incarnation && one.seq === dot.seq)
          one.isForgotten = true
    }
  }

  #root(id: RootId): Root {
    return this.roots.get(id) ?? unknown(id)
  }

  chunksOf(id: RootId): ReadonlySet<number> {
    return this.#root(id).chunks
  }

  /** Brings a chain up to a number to a device; it may be an old part of it. */
  hear(peer: Peer, from: Peer, upTo: number, isTwin = false): void {
    const known = laneOf(peer.view, from.id, from.device.incarnation)?.head.head.seq ?? 0
    const listings = isTwin ? (from.twin?.listings ?? []) : from.device.listings
    const start = isTwin ? 0 : Math.min(known, upTo)
    this.#offer(peer, listings.slice(start, upTo))
  }

  #offer(peer: Peer, listings: readonly Listing[]): void {
    const last = listings.at(-1)
    if (last === undefined) return
    if (last.signed.head.epoch > peer.membership.epoch) this.learn(peer, last.signed.head.epoch)
    const heads = listings.map((listing) => listing.signed)
    try {
      const outcome = accept(peer.view, peer.membership, heads, last.bodyBytes)
      if (outcome.kind === 'accepted' || outcome.kind === 'fork') peer.view = outcome.view
    } catch (error) {
      // After a removal or a new beginning nobody listens to the old chain.
      if (!(error instanceof CellarError && error.code === 'NOT_A_MEMBER')) throw error
    }
  }

  /** A device hears of the membership up to an epoch. */
  learn(peer: Peer, epoch: number): void {
    const known = this.#logs.find((log) => log.epoch === epoch)
    if (known !== undefined && epoch > peer.membership.epoch) peer.membership = known
  }

  // backup

  open(peer: Peer): void {
    const leanable = this.rules.leanable(peer.view, peer.membership, peer.id)
    peer.sessions.push({ pin: vectorOf(peer.view), leanable, chunks: new Set() })
  }

  /** Refers to a chunk of a held root, or of one that it may lean on. */
  refer(peer: Peer, session: Session, root: RootId, chunk: number): void {
    // What is here stays while the session is open, and afterwards for the root that it makes.
    if (session.leanable.has(root) || peer.store.has(chunk)) session.chunks.add(chunk)
  }

  /** Announces what a session made; the root is held if all of it is here. */
  close(peer: Peer, session: Session): void {
    const id = rootOf(`${this.roots.size}`)
    this.#chunks++
    const chunks = new Set([...session.chunks, this.#chunks])
    peer.store.add(this.#chunks)
    this.roots.set(id, { chunks, top: this.#chunks, announced: [], wasHeld: false })
    peer.sessions = peer.sessions.filter((one) => one !== session)
    if (peer.may('store') && this.#hasAll(peer, id)) peer.holds.add(id)
    this.say(peer, { adds: [`${this.roots.size - 1}`] })
  }

  // copies

  /** Gets a live root from whoever has its chunks, and holds it. */
  fetch(peer: Peer, root: RootId): void {
    if (!peer.may('store') || !liveIndex(peer.view, peer.membership).has(root)) return
    const { chunks } = this.#root(root)
    const isThere = (chunk: number) => this.peers.some((other) => other.store.has(chunk))
    if (![...chunks].every(isThere)) return
    for (const chunk of chunks) peer.store.add(chunk)
    peer.holds.add(root)
  }

  /** R6: withdraws a dead root if nothing blocks, says so, then reclaims. */
  release(peer: Peer, dead: DeadRoot): boolean {
    if (peer.sessions.length > 0 || !peer.holds.has(dead.root)) return false
    const isCompleteHere = (root: RootId): boolean => peer.holds.has(root)
    const blockers = this.rules.blockers(peer.view, peer.membership, peer.id, dead, isCompleteHere)
    if (blockers.length > 0) return false
    peer.holds.delete(dead.root)
    peer.intents.delete(dead.root)
    this.say(peer)
    this.reclaim(peer)
    return true
  }

  intend(peer: Peer, root: RootId): void {
    if (!this.rules.mayIntend(peer.view, peer.membership, peer.id, root)) return
    peer.intents.add(root)
    this.say(peer)
  }

  /** R7: drops a root that it means to let go, or takes the intent back. */
  shed(peer: Peer, root: RootId): string {
    const lane = laneOf(peer.view, peer.id, peer.device.incarnation)
    const seq = lane?.body.shedding.find((one) => one.root === root)?.seq
    if (seq === undefined || peer.sessions.length > 0) return 'none'
    const facts = { isProven: () => true, isCompleteHere: (id: RootId) => peer.holds.has(id) }
    const verdict = this.rules.judgeShed(peer.view, peer.membership, peer.id, root, seq, facts)
    if (verdict.kind === 'wait') return 'wait'
    peer.intents.delete(root)
    if (verdict.kind === 'drop') peer.holds.delete(root)
    this.say(peer)
    if (verdict.kind === 'drop') this.reclaim(peer)
    return verdict.kind
  }

  /** R6a: removes what no held root contains, and no live one that is wanted here or that nobody says he has. */
  reclaim(peer: Peer): void {
    if (peer.sessions.length > 0) return
    const kept = new Set<number>()
    const keep = (root: RootId): void => {
      for (const chunk of this.#root(root).chunks) kept.add(chunk)
    }
    for (const root of peer.holds) keep(root)
    for (const { root } of liveRoots(peer.view, peer.membership)) {
      if (!peer.store.has(this.#root(root).top)) continue
      const isWanted = isChosen(peer.view, peer.membership, peer.id, root)
      if (isWanted || holdersOf(peer.view, peer.membership, root).length === 0) keep(root)
    }
    for (const chunk of peer.store) if (!kept.has(chunk)) peer.store.delete(chunk)
  }

  /** Undo: announces a dead root anew, only when all of it is held here. */
  undo(peer: Peer, dead: DeadRoot): void {
    const name = [...this.roots.keys()].indexOf(dead.root)
    if (peer.holds.has(dead.root) && peer.may('backup')) this.say(peer, { adds: [`${name}`] })
  }

  // membership

  /** What the keeper knows of a device, for the entry that takes something from it. */
  cutOf(keeper: Peer, peer: Peer): { cut?: Cut } {
    const lane = laneOf(keeper.view, peer.id, peer.device.incarnation)
    if (lane === undefined) return {}
    const { fork, head } = lane
    return { cut: { seq: head.head.seq, hash: head.hash, ...(fork && { forkedAfter: fork.sharedSeq }) } }
  }

  #grow(next: Membership, keeper: Peer): void {
    this.membership = next
    this.#logs.push(next)
    keeper.membership = next
  }

  change(keeper: Peer, peer: Peer, capabilities: Iterable<Capability>): void {
    const options = { device: peer.id, capabilities, atMs: AT_MS, ...this.cutOf(keeper, peer) }
    this.#grow(changeMember(this.membership, keeper.device.signer, options), keeper)
  }

  changeGoal(keeper: Peer, copiesGoal: 'all' | number): void {
    this.#grow(changeCopiesGoal(this.membership, keeper.device.signer, { copiesGoal, atMs: AT_MS }), keeper)
  }

  /** For good; the device says and does nothing any more, its disk stays. */
  remove(keeper: Peer, peer: Peer): void {
    const options = { device: peer.id, atMs: AT_MS, ...this.cutOf(keeper, peer) }
    this.#grow(removeMember(this.membership, keeper.device.signer, options), keeper)
    peer.isGone = true
  }

  /** A device begins anew, or for the first time: no sessions, no beliefs. */
  admit(keeper: Peer, peer: Peer, capabilities: readonly Capability[]): void {
    const terms = { name: peer.name, role: 'writer', atMs: AT_MS, device: peer.id, capabilities } as const
    const isNew = memberNow(this.membership, peer.id) === undefined
    const cut = isNew ? {} : this.cutOf(keeper, peer)
    this.#grow(admitMember(this.membership, keeper.device.signer, { ...terms, ...cut }), keeper)
    const device = new QuickDevice(peer.name)
    device.incarnation = memberNow(this.membership, peer.id)?.incarnation ?? 1
    peer.device = device
    peer.twin = undefined
    peer.sessions = []
    peer.intents.clear()
    peer.membership = this.membership
    // R8.3: who still holds what it held still knows what it accepted: else an undo that only it knew is lost.
    if (isNew) peer.view = keeper.view
  }

  // what must hold

  /** Announcements that nobody entitled wanted forgotten, of devices that are members, as they are, and honest. */
  #promised(root: Root): Announced[] {
    return root.announced.filter(({ by, incarnation, seq, isForgotten }) => {
      const member = memberNow(this.membership, by.id)
      if (isForgotten || by.twin !== undefined || member?.incarnation !== incarnation) return false
      // What was announced by leaning after the right was taken, unknown to the taker, is not promised.
      const spans = this.membership.spans.get(by.id) ?? []
      const taken = spans.filter(
        ({ member: now }, at) =>
          spans[at - 1]?.member.capabilities.has('lean') === true && !now.capabilities.has('lean'),
      )
      return taken.every(({ cut }) => seq <= (cut?.seq ?? 0))
    })
  }

  #hasAll(peer: Peer, root: RootId): boolean {
    return [...this.#root(root).chunks].every((chunk) => peer.store.has(chunk))
  }

  /** What is broken, in words; undefined when all holds. */
  broken(): string | undefined {
    for (const peer of this.peers)
      for (const root of peer.holds)
        if (!this.#hasAll(peer, root)) return `I1: ${peer.name} holds ${this.nameOf(root)} without all of it`
    for (const [id, root] of this.roots) {
      const isWanted = root.announced.some((one) => !one.isForgotten)
      if (isWanted && root.wasHeld && !this.peers.some((peer) => peer.holds.has(id)))
        return `S1: nobody holds ${this.nameOf(id)} any more`
      if (this.#promised(root).length === 0) continue
      for (const chunk of root.chunks)
        if (!this.peers.some((peer) => peer.store.has(chunk)))
          return `S2: chunk ${chunk} of ${this.nameOf(id)} is nowhere`
    }
    return undefined
  }

  nameOf(root: RootId): string {
    return `r${[...this.roots.keys()].indexOf(root)}`
  }
}

function unknown(what: string): never {
  throw new RangeError(what)
}
