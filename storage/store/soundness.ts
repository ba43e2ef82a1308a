/** Which complete chunks have nothing bad below them; remembered until a chunk becomes bad or good. */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import { peekLinks, type StoreParts } from './parts.ts'

interface Step {
  readonly id: ChunkId
  readonly links: readonly ChunkId[]
  next: number
}

/**
 * Answers for one store. What is below several roots is looked at once, and only chunks with links are remembered: one
 * bad chunk in a large store must cost neither its memory nor a walk for each root.
 */
export class Soundness {
  readonly #parts: StoreParts
  /** Of chunks with links. */
  readonly #known = new Map<ChunkId, boolean>()
  #generation = -1

  constructor(parts: StoreParts) {
    this.#parts = parts
  }

  /** Whether nothing bad is below a complete chunk that has links and is not bad itself. */
  isSound(top: ChunkId): boolean {
    const { badGeneration } = this.#parts.index
    if (this.#generation !== badGeneration) {
      this.#generation = badGeneration
      this.#known.clear()
    }
    return this.#known.get(top) ?? this.#walk(top)
  }

  #walk(top: ChunkId): boolean {
    const path: Step[] = [this.#step(top)]
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const link = step.links[step.next++]
      if (link === undefined) {
        this.#known.set(step.id, true)
        path.pop()
        continue
      }
      const isSound = this.#isKnown(link)
      if (isSound === undefined) path.push(this.#step(link))
      else if (!isSound) {
        // All that is on the way to it.
        for (const { id } of path) this.#known.set(id, false)
        return false
      }
    }
    return this.#known.get(top) === true
  }

  /** Undefined: it has links, and nobody has looked below it. */
  #isKnown(id: ChunkId): boolean | undefined {
    const { index } = this.#parts
    if (index.bad.has(id)) return false
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const record = index.get(id)
    if (record === undefined) return false
    return record.linkCount === 0 ? true : undefined
  }

  #step(id: ChunkId): Step {
    return { id, links: this.#linksOf(id), next: 0 }
  }

  /** A chunk whose links cannot be read is as bad as what it would name: itself stands for them. */
  #linksOf(id: ChunkId): readonly ChunkId[] {
    try {
      return peekLinks(this.#parts, id)
    } catch (error) {
      if (!(error instanceof CellarError)) throw error
      this.#known.set(id, false)
      return [id]
    }
  }
}
