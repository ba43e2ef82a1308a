/**
 * What this device keeps for the uploads of others, durably (R6.7; spec/upload.md §2): for each upload the chunks that
 * its owner was told are durable here. Reclaiming asks {@link Promises.isPromised} in the moment of removing.
 */

import {
  CellarError,
  type ChunkId,
  chunkIdFromBytes,
  decodeCbor,
  type DeviceId,
  deviceFromKey,
  encodeCbor,
  Fields,
  fromHex,
  idsPerMessageMax,
  keyOfDevice,
  membershipEntriesMax,
  type RootId,
  toHex,
  type UploadId,
  uploadsPerDeviceMax,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import { pause } from '../pause.ts'
import { Serial } from '../serial.ts'

/** Whose upload, and which. */
export interface UploadName {
  readonly device: DeviceId
  readonly incarnation: number
  readonly upload: UploadId
}

/** An upload that others' chunks are kept for. */
export interface KeptUpload extends UploadName {
  /** Names it in the catalog; never used again while anything of it is there. */
  readonly number: number
  /** What it was for, once its owner has said so. */
  readonly roots: readonly RootId[] | undefined
}

/** As it stands in the catalog. */
interface Kept extends KeptUpload {
  /** It has ended, and what it kept is being forgotten. */
  readonly isOver: boolean
}

const EMPTY = new Uint8Array(0)
const RECORD_BYTES_MAX = 64 * 1024
const RECORD = { what: 'the record of an upload', code: 'STORE_DAMAGED' } as const
/** Changes written at once. */
const batchMax = 1000

/** All promises of this device. Each is durable before it is given, and forgotten when its upload ends. */
export class Promises {
  readonly #catalog: Catalog
  readonly #kept = new Map<number, Kept>()
  /** Chunks named in deposits that are under way, and how often. */
  readonly #expected = new Map<ChunkId, number>()
  readonly #serial = new Serial()
  #last = 0

  private constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Reads them back. @param catalog - a namespace of its own */
  static async open(catalog: Catalog): Promise<Promises> {
    const promises = new Promises(catalog)
    for await (const [key, value] of catalog.iterate({ gte: 'upload/', lt: 'upload0' })) {
      const number = Number.parseInt(key.slice('upload/'.length), 16)
      promises.#kept.set(number, decodeKept(number, value))
      promises.#last = Math.max(promises.#last, number)
    }
    return promises
  }

  /** The uploads that have not ended. */
  uploads(): readonly KeptUpload[] {
    return [...this.#kept.values()].filter(({ isOver }) => !isOver)
  }

  /** Says whether a chunk is kept for an upload, or just being asked to be. */
  isPromised(id: ChunkId): boolean {
    if (this.#expected.has(id)) return true
    for (const { number, isOver } of this.#kept.values())
      if (!isOver && this.#catalog.get(chunkKey(number, id)) !== undefined) return true
    return false
  }

  /** Begins an upload, or goes on with it. @throws {CellarError} `PEER_BUSY`, `STORE_FULL` */
  async begin(name: UploadName): Promise<KeptUpload> {
    return await this.#serial.run(async () => {
      const theirs = this.uploads().filter(({ device }) => device === name.device)
      const known = theirs.find((one) => isSame(one, name))
      if (known !== undefined) return known
      if (theirs.length >= uploadsPerDeviceMax)
        throw new CellarError('PEER_BUSY', `${String(theirs.length)} uploads of this device are kept already`)
      const kept: Kept = { ...name, number: this.#last + 1, roots: undefined, isOver: false }
      await this.#write(kept)
      this.#last = kept.number
      return kept
    })
  }

  /**
   * Keeps chunks from being removed from now on, whether they are here or not: to be called before one looks for them.
   *
   * @returns ends it; idempotent
   */
  expect(ids: readonly ChunkId[]): () => void {
    let isExpected = true
    for (const id of ids) this.#expected.set(id, (this.#expected.get(id) ?? 0) + 1)
    return () => {
      if (!isExpected) return
      isExpected = false
      for (const id of ids) {
        const left = (this.#expected.get(id) ?? 0) - 1
        if (left > 0) this.#expected.set(id, left)
        else this.#expected.delete(id)
      }
    }
  }

  /**
   * Promises chunks, which are durable here (R10). Durable when it resolves.
   *
   * @throws {CellarError} `PEER_ERROR` when the upload has ended, `STORE_FULL`; nothing is promised then
   */
  async promise({ number }: KeptUpload, ids: readonly ChunkId[]): Promise<void> {
    await this.#serial.run(async () => {
      this.#open(number)
      const changes = ids.map(
        (id): CatalogChange => ({ type: 'put', key: chunkKey(number, id), value: EMPTY }),
      )
      await this.#catalog.batch(changes, { durable: true })
    })
  }

  /**
   * Notes what an upload was for. Durable when it resolves; done again, what is named adds up.
   *
   * @throws {CellarError} `PEER_ERROR` when it has ended, `STORE_FULL`
   */
  async addRoots({ number }: KeptUpload, roots: readonly RootId[]): Promise<void> {
    await this.#serial.run(async () => {
      const kept = this.#open(number)
      const all = [...new Set([...(kept.roots ?? []), ...roots])]
      if (all.length > idsPerMessageMax)
        throw new CellarError('PEER_PROTOCOL', 'an upload for too many roots')
      await this.#write({ ...kept, roots: all })
    })
  }

  /** Ends an upload: durably, then what it kept is forgotten. One that has ended already is no error. */
  async end({ number }: KeptUpload): Promise<void> {
    await this.#serial.run(async () => {
      const kept = this.#kept.get(number)
      if (kept?.isOver === false) await this.#write({ ...kept, isOver: true })
    })
  }

  /** Forgets what ended uploads kept; goes on where an earlier call was cut short. */
  async sweep(signal: AbortSignal): Promise<void> {
    const isEnded = () => signal.aborted
    for (const { number, isOver } of [...this.#kept.values()]) {
      if (!isOver || isEnded()) continue
      const prefix = chunkKey(number, '')
      let changes: CatalogChange[] = []
      for await (const [key] of this.#catalog.iterate({ gte: prefix, lt: `${prefix.slice(0, -1)}0` })) {
        changes.push({ type: 'del', key })
        if (changes.length < batchMax) continue
        await this.#catalog.batch(changes, { durable: false })
        changes = []
        await pause()
        if (isEnded()) return
      }
      changes.push({ type: 'del', key: uploadKey(number) })
      await this.#catalog.batch(changes, { durable: true })
      this.#kept.delete(number)
    }
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  #open(number: number): Kept {
    const kept = this.#kept.get(number)
    if (kept?.isOver !== false) throw new CellarError('PEER_ERROR', 'the upload has ended')
    return kept
  }

  async #write(kept: Kept): Promise<void> {
    const change = { type: 'put', key: uploadKey(kept.number), value: encodeKept(kept) } as const
    await this.#catalog.batch([change], { durable: true })
    this.#kept.set(kept.number, kept)
  }
}

function isSame(a: UploadName, b: UploadName): boolean {
  return a.device === b.device && a.incarnation === b.incarnation && a.upload === b.upload
}

function uploadKey(number: number): string {
  return `upload/${number.toString(16).padStart(8, '0')}`
}

function chunkKey(number: number, id: string): string {
  return `chunk/${number.toString(16).padStart(8, '0')}/${id}`
}

function encodeKept({ device, incarnation, upload, roots, isOver }: Kept): Uint8Array {
  return encodeCbor([
    keyOfDevice(device),
    incarnation,
    fromHex(upload),
    roots === undefined ? null : fromHex(roots.join('')),
    isOver,
  ])
}

function decodeKept(number: number, bytes: Uint8Array): Kept {
  const fields = new Fields(decodeCbor(bytes, { ...RECORD, bytesMax: RECORD_BYTES_MAX, depthMax: 1 }), RECORD)
  const kept = {
    number,
    device: deviceFromKey(fields.bytes(32)),
    incarnation: fields.int(1, membershipEntriesMax),
    upload: toHex(fields.bytes(16)) as UploadId,
    roots: fields.skipNull() ? undefined : splitIds(fields.bytes(0, idsPerMessageMax * 32)),
    isOver: fields.boolean(),
  }
  fields.end()
  return kept
}

/** Ids that lie one behind the other. */
export function splitIds(bytes: Uint8Array): RootId[] {
  return Array.from({ length: bytes.byteLength / 32 }, (_, at) =>
    chunkIdFromBytes(bytes.subarray(at * 32, at * 32 + 32)),
  )
}
