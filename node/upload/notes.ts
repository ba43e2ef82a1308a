/**
 * What of this device's chunks others keep for its uploads, durably noted before the own bytes go (R10;
 * spec/upload.md §3). A note is a memory, not a proof: a session goes by it once the holder has confirmed it.
 */

import {
  type ChunkId,
  decodeCbor,
  type DeviceId,
  deviceFromKey,
  encodeCbor,
  Fields,
  fromHex,
  idsPerMessageMax,
  keyOfDevice,
  membersMax,
  type RootId,
  type UploadId,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import { pause } from '../pause.ts'
import { Serial } from '../serial.ts'
import { splitIds } from './promises.ts'

/** One upload of this device. */
export interface OwnUpload {
  readonly upload: UploadId
  /** What it was for; undefined while it is open, for this session or the next; none once it was given up. */
  readonly roots: readonly RootId[] | undefined
  /** Who keeps chunks for it, in the order in which they came to; a note says which of them. */
  readonly holders: readonly DeviceId[]
  /** Those of them that still have to be told its roots. */
  readonly untold: readonly DeviceId[]
}

const RECORD = { what: 'the record of an upload', code: 'STORE_DAMAGED' } as const
const RECORD_BYTES_MAX = 128 * 1024
/** Changes written at once. */
const batchMax = 1000
/** Holders of one upload: a byte names one. */
const holdersMax = 255

/** Uploads and notes of this device. */
export class UploadNotes {
  readonly #catalog: Catalog
  readonly #uploads = new Map<UploadId, OwnUpload>()
  readonly #serial = new Serial()

  private constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Reads the uploads back; notes stay in the catalog. @param catalog - a namespace of its own */
  static async open(catalog: Catalog): Promise<UploadNotes> {
    const notes = new UploadNotes(catalog)
    for await (const [key, value] of catalog.iterate({ gte: 'upload/', lt: 'upload0' })) {
      const upload = key.slice('upload/'.length) as UploadId
      notes.#uploads.set(upload, decodeUpload(upload, value))
    }
    return notes
  }

  /** All uploads that are not over. */
  uploads(): readonly OwnUpload[] {
    return [...this.#uploads.values()]
  }

  /** An upload as it is noted now. */
  get(upload: UploadId): OwnUpload | undefined {
    return this.#uploads.get(upload)
  }

  /** Who keeps a chunk for an upload; undefined when it is not noted. */
  holderOf(upload: UploadId, id: ChunkId): DeviceId | undefined {
    const value = this.#catalog.get(noteKey(upload, id))?.[0]
    return value === undefined ? undefined : this.#uploads.get(upload)?.holders[value]
  }

  /** Begins an upload, durably. */
  async begin(upload: UploadId): Promise<void> {
    await this.#serial.run(() => this.#write({ upload, roots: undefined, holders: [], untold: [] }))
  }

  /** Notes, durably and before anything is sent there, that a device may come to keep chunks for an upload. */
  async addHolder(upload: UploadId, device: DeviceId): Promise<void> {
    await this.#serial.run(async () => {
      const own = this.#uploads.get(upload)
      if (own === undefined || own.holders.includes(device) || own.holders.length >= holdersMax) return
      await this.#write({ ...own, holders: [...own.holders, device], untold: [...own.untold, device] })
    })
  }

  /** Notes chunks that a holder has called durable. Durable when it resolves: then the own bytes may go. */
  async note(upload: UploadId, device: DeviceId, ids: readonly ChunkId[]): Promise<void> {
    const at = this.#uploads.get(upload)?.holders.indexOf(device) ?? -1
    if (at < 0) throw new TypeError('a note of a device that is no holder')
    const value = Uint8Array.of(at)
    await this.#writeAll(ids.map((id) => ({ type: 'put', key: noteKey(upload, id), value })))
  }

  /** Takes notes back: the holder has them no more. */
  async unnote(upload: UploadId, ids: readonly ChunkId[]): Promise<void> {
    await this.#writeAll(ids.map((id) => ({ type: 'del', key: noteKey(upload, id) })))
  }

  async #writeAll(changes: readonly CatalogChange[]): Promise<void> {
    for (let at = 0; at < changes.length; at += batchMax)
      await this.#catalog.batch(changes.slice(at, at + batchMax), {
        durable: at + batchMax >= changes.length,
      })
  }

  /** Chunks noted for an upload at one holder, some hundred at a time. */
  async *noted(upload: UploadId, device: DeviceId, count: number): AsyncGenerator<readonly ChunkId[]> {
    const at = this.#uploads.get(upload)?.holders.indexOf(device) ?? -1
    if (at < 0) return
    let ids: ChunkId[] = []
    for await (const [id, value] of this.#notes(upload)) {
      if (value[0] !== at) continue
      ids.push(id)
      if (ids.length < count) continue
      yield ids
      ids = []
    }
    if (ids.length > 0) yield ids
  }

  async *#notes(upload: UploadId): AsyncGenerator<readonly [ChunkId, Uint8Array]> {
    const prefix = noteKey(upload, '')
    for await (const [key, value] of this.#catalog.iterate({ gte: prefix, lt: `${prefix.slice(0, -1)}0` }))
      yield [key.slice(prefix.length) as ChunkId, value]
  }

  /** Says what an upload was for, durably: before the last of it is announced. Undefined opens it again. */
  async setRoots(upload: UploadId, roots: readonly RootId[] | undefined): Promise<void> {
    await this.#serial.run(async () => {
      const own = this.#uploads.get(upload)
      if (own !== undefined) await this.#write({ ...own, roots, untold: own.holders })
    })
  }

  /** A holder knows the roots of an upload, or is no member any more. */
  async told(upload: UploadId, device: DeviceId): Promise<void> {
    await this.#serial.run(async () => {
      const own = this.#uploads.get(upload)
      if (own?.untold.includes(device) === true)
        await this.#write({ ...own, untold: own.untold.filter((one) => one !== device) })
    })
  }

  /** Forgets an upload and its notes; cut short, the next call goes on. */
  async forget(upload: UploadId): Promise<void> {
    await this.#serial.run(async () => {
      let changes: CatalogChange[] = []
      for await (const [id] of this.#notes(upload)) {
        changes.push({ type: 'del', key: noteKey(upload, id) })
        if (changes.length < batchMax) continue
        await this.#catalog.batch(changes, { durable: false })
        changes = []
        await pause()
      }
      changes.push({ type: 'del', key: uploadKey(upload) })
      await this.#catalog.batch(changes, { durable: true })
      this.#uploads.delete(upload)
    })
  }

  async #write(own: OwnUpload): Promise<void> {
    const change = { type: 'put', key: uploadKey(own.upload), value: encodeUpload(own) } as const
    await this.#catalog.batch([change], { durable: true })
    this.#uploads.set(own.upload, own)
  }
}

function uploadKey(upload: UploadId): string {
  return `upload/${upload}`
}

function noteKey(upload: UploadId, id: string): string {
  return `at/${upload}/${id}`
}

function encodeUpload({ roots, holders, untold }: OwnUpload): Uint8Array {
  const keys = (devices: readonly DeviceId[]) => devices.map((device) => keyOfDevice(device))
  return encodeCbor([roots === undefined ? null : fromHex(roots.join('')), keys(holders), keys(untold)])
}

function decodeUpload(upload: UploadId, bytes: Uint8Array): OwnUpload {
  const options = { ...RECORD, bytesMax: RECORD_BYTES_MAX, depthMax: 2 }
  const fields = new Fields(decodeCbor(bytes, options), RECORD)
  const devices = (): DeviceId[] =>
    fields.list(membersMax, (value) =>
      value instanceof Uint8Array ? deviceFromKey(value) : fields.fail('bytes are missing'),
    )
  const roots = fields.skipNull() ? undefined : splitIds(fields.bytes(0, idsPerMessageMax * 32))
  const own = { upload, roots, holders: devices(), untold: devices() }
  fields.end()
  return own
}
