/**
 * What is true, whoever knows it: which roots were announced, said to be held and forgotten by whom might, and who has
 * which chunks. Checks compare the nodes with it; faults that destroy data say so here.
 */

import {
  type ChunkId,
  type DeviceId,
  type Dot,
  type Forget,
  type ListingBody,
  type RootId,
} from '../../protocol/index.ts'
import type { Archive } from './archive.ts'
import type { Machine } from './machine.ts'

/** One announcement. */
export interface Announcement {
  readonly root: RootId
  readonly owner: DeviceId
  /** An honest device that might has forgotten it. */
  isForgotten: boolean
}

/** A listing that a machine has signed. */
export interface Stated {
  readonly device: DeviceId
  readonly incarnation: number
  readonly body: ListingBody
  /** As far as the machine knows. */
  readonly mayForget: boolean
  /** Its disk never went back, and nobody else has its key. */
  readonly isHonest: boolean
}

/** What the checks go by. */
export class Truth {
  readonly archive: Archive
  readonly machines: readonly Machine[]
  /** By {@link dotName}. */
  readonly announcements = new Map<string, Announcement>()
  readonly byRoot = new Map<RootId, Announcement[]>()
  /** Roots that an honest member has said to hold. */
  readonly acknowledged = new Set<RootId>()
  /** Devices whose key somebody else used, or whose disk went back: what they say is worth nothing. */
  readonly dishonest = new Set<DeviceId>()
  /** Devices that no member counts any more. */
  readonly removed = new Set<DeviceId>()
  /** Roots and chunks that a fault of a disk, or a removal, has taken from their last place. */
  readonly lostRoots = new Set<RootId>()
  readonly lostChunks = new Set<ChunkId>()
  /** Chunks of which a bit was flipped somewhere. */
  readonly rotten = new Set<ChunkId>()
  /** Names of forgets, by who signed them and when, that honest devices signed with the right to do so. */
  readonly rightful = new Set<string>()

  constructor(archive: Archive, machines: readonly Machine[]) {
    this.archive = archive
    this.machines = machines
  }

  /** Machines whose chunks are within reach of the mesh, on or off. */
  members(): Machine[] {
    return this.machines.filter((machine) => !this.removed.has(machine.device))
  }

  /** Whether some announcement of a root is not rightfully forgotten. */
  isLive(root: RootId): boolean {
    return this.byRoot.get(root)?.some(({ isForgotten }) => !isForgotten) === true
  }

  /** All roots that live. */
  liveRoots(): RootId[] {
    return [...this.byRoot.keys()].filter((root) => this.isLive(root))
  }

  /** Whether a machine has all of a root; what has rotted there can be mended while somebody has it. */
  isWholeAt(machine: Machine, root: RootId): boolean {
    const isThere = (id: ChunkId) =>
      machine.has(id) || (machine.chunks.has(id) && this.isSomewhere(id)) || this.isExcused(id)
    return this.archive.roots.get(root)?.closure.every(isThere) === true
  }

  /** Whether a fault of a disk may be why nobody has a chunk. */
  isExcused(id: ChunkId): boolean {
    return this.lostChunks.has(id) || this.rotten.has(id)
  }

  /** Whether a machine has good bytes of all of a root. */
  isSoundAt(machine: Machine, root: RootId): boolean {
    return this.archive.roots.get(root)?.closure.every((id) => machine.has(id)) === true
  }

  /** Machines of members that have all of a root. */
  wholeCopies(root: RootId): Machine[] {
    return this.members().filter((machine) => this.isWholeAt(machine, root))
  }

  /** Whether any member has a chunk. */
  isSomewhere(id: ChunkId): boolean {
    return this.members().some((machine) => machine.has(id))
  }

  /** Takes over what a listing of an honest device states. */
  note({ device, incarnation, body, mayForget, isHonest }: Stated): void {
    for (const { seq, n, root } of body.adds) {
      const name = dotName({ device, incarnation, seq, n })
      if (this.announcements.has(name)) continue
      const announcement: Announcement = { root, owner: device, isForgotten: false }
      this.announcements.set(name, announcement)
      const others = this.byRoot.get(root)
      if (others === undefined) this.byRoot.set(root, [announcement])
      else others.push(announcement)
    }
    for (const forget of mayForget ? body.forgets : []) this.noteForget(device, incarnation, forget)
    // R8: who is no member any more has acknowledged nothing.
    if (isHonest && !this.removed.has(device)) for (const root of body.holds) this.acknowledged.add(root)
  }

  /** Takes over a forget that its signer might sign. */
  noteForget(device: DeviceId, incarnation: number, { dot, seq }: Pick<Forget, 'dot' | 'seq'>): void {
    this.rightful.add(`${device}/${String(incarnation)}/${String(seq)}/${dotName(dot)}`)
    const announcement = this.announcements.get(dotName(dot))
    if (announcement !== undefined) announcement.isForgotten = true
  }

  /** After a disk went back, rotted, or left the mesh, or who left was relied on: what is nowhere any more is nobody's fault. */
  forgive(): void {
    for (const root of this.liveRoots()) {
      if (this.acknowledged.has(root) && this.wholeCopies(root).length === 0) this.lostRoots.add(root)
      for (const id of this.archive.roots.get(root)?.closure ?? [])
        if (!this.isSomewhere(id)) this.lostChunks.add(id)
    }
  }
}

/** The name of an announcement. */
export function dotName({ device, incarnation, seq, n }: Dot): string {
  return `${device}/${String(incarnation)}/${String(seq)}/${String(n)}`
}
