/** Says to people what forgotten snapshots wait for before their space is freed here, for whom, and since when. */

import type { DeviceId, RootId } from '../../protocol/index.ts'
import type { ReclaimBlock } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { Judge, type Wait } from './judge.ts'
import { spanInWords } from './time-span.ts'

/** What this room stands on. */
export type ExplainParts = Pick<NodeParts, 'ledger' | 'store' | 'config' | 'world' | 'jobs' | 'connected'>

/** What one root waits for, in order of weight; none: the next pass frees it. */
export interface Explained {
  readonly root: RootId
  readonly waits: readonly Wait[]
  readonly blocks: readonly ReclaimBlock[]
}

/** Explains the trash as it is at this moment. */
export class Explainer {
  readonly #parts: ExplainParts
  readonly #judge: Judge

  constructor(parts: ExplainParts) {
    this.#parts = parts
    this.#judge = new Judge(parts.ledger, parts.store, parts.config)
  }

  /** All roots of the trash that are held here. */
  all(): Explained[] {
    const { ledger, store } = this.#parts
    return ledger.dead().flatMap(({ root }) => (store.isHeld(root) ? [this.explain(root)] : []))
  }

  /** One root of the trash; nothing is said of one that is not held here: there is nothing to free. */
  explain(root: RootId): Explained {
    if (!this.#parts.store.isHeld(root)) return { root, waits: [], blocks: [] }
    const waits = this.#waitsOf(root)
    return { root, waits, blocks: waits.map((wait) => this.#blockOf(wait, root)) }
  }

  #waitsOf(root: RootId): readonly Wait[] {
    const { ledger, connected, jobs } = this.#parts
    const isGoing = ledger.withdrawn().has(root)
    const { waits } = isGoing ? { waits: this.#judge.common() } : this.#judge.judge(root)
    if (waits.length > 0) return waits
    const hasContact = ledger.isAlone || (connected()?.online.contacts.size ?? 0) > 0
    if (ledger.saysHeld(root) && !hasContact) return [{ kind: 'contact' }]
    return ledger.hasSession || jobs.isStoreInUse ? [{ kind: 'session' }] : []
  }

  #blockOf(wait: Wait, root: RootId): ReclaimBlock {
    const { config } = this.#parts
    switch (wait.kind) {
      case 'hold-window':
        return {
          kind: 'hold-window',
          message: `this device keeps what was forgotten for ${spanInWords(config.holdWindowMs)} of its own running time`,
          until: this.#in(wait.remainingMs),
        }
      case 'floor-age':
        return {
          kind: 'floor',
          message: `no rule frees what came here less than ${spanInWords(config.floorAgeMs)} of running time ago`,
          until: this.#in(wait.remainingMs),
        }
      case 'floor-newest':
        return {
          kind: 'floor',
          message: 'no rule frees the newest snapshot of its source; a newer one, or cellar forget ID, does',
        }
      case 'pinned':
        return { kind: 'pinned', message: `it is pinned by ${this.#pinnedBy(root)}: cellar unpin ID, there` }
      case 'leaning':
        return this.#leaning(wait.device)
      case 'fork': {
        const name = this.#nameOf(wait.device)
        const message = `${name} has signed two histories: remove it on a keeper (cellar devices remove ${name}), then it may join again`
        return { kind: 'fork', message, device: name }
      }
      case 'unknown': {
        const name = this.#nameOf(wait.owner)
        const message = `snapshot ${wait.root.slice(0, 8)} of ${name} may need it, and is whole on no device known here: start rootcellar on ${name}`
        return { kind: 'unknown', message, device: name, ...this.#silence(wait.owner) }
      }
      case 'membership-fork':
        return {
          kind: 'membership-fork',
          message: 'two keepers changed the mesh at once, and nothing is freed until people have settled it',
        }
      case 'rolled-back':
        return {
          kind: 'rolled-back',
          message:
            'the disk of this device went back in time: remove it on a keeper, then join again with a new home',
        }
      case 'removed':
        return { kind: 'unknown', message: 'this device was removed from its mesh, and keeps what it has' }
      case 'contact':
        return {
          kind: 'contact',
          message: 'no other device is in contact, and it is said to one before: start rootcellar there',
        }
      case 'session':
        return { kind: 'session', message: 'a backup or a restore is under way here, and goes first' }
    }
  }

  #leaning(device: DeviceId): ReclaimBlock {
    const { ledger } = this.#parts
    const name = this.#nameOf(device)
    if (device === ledger.device) {
      const message = ledger.hasSession
        ? 'a backup of this device may refer to it, and is under way'
        : 'this device has not told the others yet that it refers to it no more'
      return { kind: 'leaning', message, device: name }
    }
    const message = `${name} may refer to it and has not said otherwise: start rootcellar there, or if it is gone: cellar devices remove ${name}`
    return { kind: 'leaning', message, device: name, ...this.#silence(device) }
  }

  /** Since when a device was not heard of; nothing while it is linked. */
  #silence(device: DeviceId): { readonly since?: string } {
    const { ledger, connected } = this.#parts
    const atMs = ledger.headOf(device)?.head.atMs
    const isLinked = connected()?.network.connected().includes(device) === true
    return isLinked || atMs === undefined ? {} : { since: timeText(atMs) }
  }

  #pinnedBy(root: RootId): string {
    const by = this.#parts.ledger.pinned().get(root) ?? []
    return by.map((device) => this.#nameOf(device)).join(', ')
  }

  #nameOf(device: DeviceId): string {
    return this.#parts.ledger.nameOf(device)
  }

  #in(ms: number): string {
    return timeText(this.#parts.world.clock.nowMs() + ms)
  }
}

/** A time as text; what a device claims may be no date at all. */
function timeText(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString()
}
