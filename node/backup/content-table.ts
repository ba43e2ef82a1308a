/** Knows which content is in which chunk while a backup runs, and who is sealing what (node/spec/backup.md §6). */

import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import type { Verdict } from './jobs.ts'

const KEY_BYTES = 32

/** One content that came up in this backup and is not yet in the durable index. */
interface Claim {
  /** Once sealed. */
  id: ChunkId | undefined
  waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[]
}

/** Splits keys laid end to end, as texts that the catalog takes. */
function textsOf(keys: Uint8Array): string[] {
  const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength)
  const texts: string[] = []
  for (let at = 0; at < bytes.length; at += KEY_BYTES) texts.push(bytes.toString('hex', at, at + KEY_BYTES))
  return texts
}

/** The table of one backup. */
export class ContentTable {
  readonly #index: Catalog
  readonly #has: (id: ChunkId) => boolean
  readonly #claims = new Map<string, Claim>()
  #failure: { readonly error: unknown } | undefined

  /** @param has - says whether a chunk is in the store */
  constructor(index: Catalog, has: (id: ChunkId) => boolean) {
    this.#index = index
    this.#has = has
  }

  /** Says of each content where it is, or gives it to the one who asks, or names it as being at work elsewhere. */
  ask(keys: Uint8Array): Verdict[] {
    const texts = textsOf(keys)
    const stored = this.#index.getMany(texts)
    return texts.map((text, at) => {
      const claim = this.#claims.get(text)
      if (claim !== undefined) return claim.id ?? 'wait'
      const bytes = stored[at]
      if (bytes?.length === KEY_BYTES) {
        const id = chunkIdFromBytes(bytes)
        if (this.#has(id)) return id
      }
      this.#claims.set(text, { id: undefined, waiters: [] })
      return 'mine'
    })
  }

  /** The chunk of a content whose owner has sealed it. */
  resolve(key: Uint8Array, id: ChunkId): void {
    const claim = this.#claims.get(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex'))
    if (claim === undefined) throw new TypeError('nobody asked for this content')
    claim.id = id
    const { waiters } = claim
    claim.waiters = []
    for (const { resolve } of waiters) resolve()
  }

  /** The backup has failed: an owner may be gone, so nobody waits for it any more. */
  fail(error: unknown): void {
    this.#failure = { error }
    for (const { waiters } of this.#claims.values()) for (const { reject } of waiters.splice(0)) reject(error)
  }

  /** Waits until all that others were at is sealed. @throws what {@link fail} was told */
  async settle(keys: Uint8Array): Promise<Verdict[]> {
    const claims = textsOf(keys).map((text) => this.#claims.get(text))
    const verdicts: Verdict[] = []
    for (const [at, claim] of claims.entries()) {
      if (claim === undefined) {
        // Sealed, and made durable since: the index has it.
        verdicts.push(...this.ask(keys.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES)))
        continue
      }
      if (claim.id === undefined) await this.#wait(claim)
      verdicts.push(claim.id as unknown as ChunkId)
    }
    return verdicts
  }

  async #wait(claim: Claim): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    await new Promise<void>((resolve, reject) => claim.waiters.push({ resolve, reject }))
  }

  /** What is sealed by now: what {@link write} may make known once the store has committed. */
  sealed(): string[] {
    const texts: string[] = []
    for (const [text, { id }] of this.#claims) if (id !== undefined) texts.push(text)
    return texts
  }

  /** Makes contents known to later backups; their chunks are durable. Forgets them here. */
  async write(texts: readonly string[]): Promise<void> {
    const changes = texts.flatMap((key) => {
      const id = this.#claims.get(key)?.id
      return id === undefined ? [] : [{ type: 'put' as const, key, value: chunkIdToBytes(id) }]
    })
    for (let at = 0; at < changes.length; at += 1000)
      await this.#index.batch(changes.slice(at, at + 1000), { durable: false })
    for (const text of texts) this.#claims.delete(text)
  }
}
