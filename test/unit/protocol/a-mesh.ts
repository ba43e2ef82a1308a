/** A small mesh for tests: devices with fixed keys, and their next listings. */

import { createHash } from 'node:crypto'
import {
  accept,
  type Add,
  admitMember,
  type DeviceId,
  type Dot,
  emptyView,
  type Forget,
  foundMesh,
  horizonOf,
  isChunkId,
  type Listing,
  type ListingDraft,
  type Membership,
  nextListing,
  openHead,
  type Outcome,
  type Role,
  type RootId,
  type SignedHead,
  type Signer,
  signerFromSeed,
  type View,
} from '../../../protocol/index.ts'

/** Always the same time: it is for display only. */
export const AT_MS = 1_700_000_000_000

const SIGNERS = new Map<string, Signer>()

/** A signer whose key follows from a name. */
export function signerOf(name: string): Signer {
  const known = SIGNERS.get(name)
  if (known !== undefined) return known
  const signer = signerFromSeed(createHash('sha256').update(`seed of ${name}`).digest())
  SIGNERS.set(name, signer)
  return signer
}

/** A root id that follows from a name. */
export function rootOf(name: string): RootId {
  return createHash('sha256').update(`root ${name}`).digest('hex') as RootId
}

/** What a device announces for the root of that name. */
export function addOf(name: string): Omit<Add, 'seq' | 'n'> {
  return { root: rootOf(name), source: new Uint8Array(16), sizeClass: 20 }
}

/** A mesh founded by `keeper`, with more devices admitted in order. */
export function meshOf(others: Readonly<Record<string, Role>> = {}): Membership {
  const keeper = signerOf('keeper')
  let membership = foundMesh(keeper, { name: 'keeper', nonce: new Uint8Array(16), atMs: AT_MS })
  for (const [name, role] of Object.entries(others)) {
    membership = admitMember(membership, keeper, { device: signerOf(name).device, name, role, atMs: AT_MS })
  }
  return membership
}

/** What a test says of the next listing; the rest is empty. */
export interface Next extends Partial<Omit<ListingDraft, 'mesh' | 'adds' | 'forgets'>> {
  readonly adds?: readonly string[]
  readonly forgets?: readonly Pick<Forget, 'dot' | 'root'>[]
}

/** One device that signs listings, and remembers all of them. */
export class Device {
  readonly name: string
  readonly signer: Signer
  readonly device: DeviceId
  readonly listings: Listing[] = []
  incarnation = 1

  constructor(name: string) {
    this.name = name
    this.signer = signerOf(name)
    this.device = this.signer.device
  }

  get newest(): Listing | undefined {
    return this.listings.at(-1)
  }

  /** Signs the next listing. */
  next(membership: Membership, { adds = [], forgets = [], ...rest }: Next = {}): Listing {
    const previous = this.newest
    const listing = nextListing(
      previous,
      {
        mesh: membership.mesh,
        incarnation: this.incarnation,
        epoch: membership.epoch,
        atMs: AT_MS,
        holds: previous?.body.holds ?? [],
        horizon: previous?.body.horizon ?? [],
        leans: false,
        ...rest,
        adds: adds.map(addOf),
        forgets: forgets.map(({ dot, root }) => ({ dot, root, reason: 'person' as const })),
      },
      this.signer,
    )
    this.listings.push(listing)
    return listing
  }

  /** A second self that knows the same listings: what it signs next forks the chain. */
  clone(): Device {
    const twin = new Device(this.name)
    twin.listings.push(...this.listings)
    twin.incarnation = this.incarnation
    return twin
  }

  /** Heads from `fromSeq` on, up to `toSeq`, as another node would open them. */
  heads(fromSeq = 1, toSeq = Infinity): SignedHead[] {
    return this.listings
      .map((listing) => listing.signed)
      .filter(({ head }) => head.seq >= fromSeq && head.seq <= toSeq)
      .map(({ bytes }) => openHead(bytes))
  }

  /** The announcement of a root, by name or id, in the newest listing. */
  dotOf(name: string): { dot: Dot; root: RootId } {
    const root = isChunkId(name) ? name : rootOf(name)
    const add = this.newest?.body.adds.findLast((one) => one.root === root)
    if (add === undefined) throw new RangeError(`${this.name} has not announced ${name}`)
    return { dot: { device: this.device, incarnation: this.incarnation, seq: add.seq, n: add.n }, root }
  }
}

/** One node: a view that grows, or shows what became of an offer. */
export class Node {
  view: View = emptyView()
  membership: Membership

  constructor(membership: Membership) {
    this.membership = membership
  }

  /** Offers the newest listing of a device with the heads from `fromSeq` on. */
  offer(device: Device, fromSeq = 1, toSeq = Infinity): Outcome {
    const heads = device.heads(fromSeq, toSeq)
    const last = heads.at(-1)
    const listing = device.listings.find(({ signed }) => signed.hash === last?.hash)
    if (listing === undefined) throw new RangeError('no such listing')
    const outcome = accept(this.view, this.membership, heads, listing.bodyBytes)
    if (outcome.kind === 'accepted' || outcome.kind === 'fork') this.view = outcome.view
    return outcome
  }

  /** The horizon of this view, without sessions. */
  get horizon() {
    return horizonOf(this.view, [])
  }
}
