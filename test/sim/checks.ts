/** What must hold after every step (deletion.md, "Invariants"), checked where something changed. */

import {
  chainEnds,
  type ChunkId,
  type CopiesGoal,
  hashAt,
  type Horizon,
  type Lane,
  laneOf,
  type LaneKey,
  type ListingHash,
  memberNow,
  type RootId,
  type View,
} from '../../protocol/index.ts'
import { forgetsInForce } from '../../protocol/rules/in-force.ts'
import type { Ledger } from '../../node/ledger/ledger.ts'
import type { Machine } from './machine.ts'
import { dotName, type Truth } from './truth.ts'
import { type Trace, Violation } from './trace.ts'

/** What is remembered of one machine between two looks. */
interface Seen {
  view: View | undefined
  forgetsMark: object | undefined
  epoch: number
  readonly lanes: Map<LaneKey, Lane>
  /** Newest listing of its own. */
  hash: ListingHash | undefined
  held: ReadonlySet<RootId>
  /** What its open sessions pinned. */
  readonly pins: Map<object, Horizon>
  /** When its last process ended, until the next one is looked at: what it wrote last, it had heard by then. */
  endedMs: number | undefined
  /** When it heard of the first forget of a root, simulated milliseconds. */
  readonly heard: Map<RootId, number>
  /** Roots of sessions that were closed since its newest listing, to be in the next one. */
  readonly owed: Set<RootId>
  /** By what the machine decided to let a root go. */
  readonly goals: Map<RootId, Decided>
  goal: CopiesGoal
}

/** The copies goal as a machine knew it, and of which epoch that was. */
interface Decided {
  readonly goal: CopiesGoal
  readonly epoch: number
}

/** The checks of one run. */
export class Checks {
  readonly #truth: Truth
  readonly #trace: Trace
  readonly #nowMs: () => number
  readonly #seen = new Map<Machine, Seen>()
  /** Roots that have a chunk, made when first asked for. */
  readonly #rootsOf = new Map<ChunkId, Set<RootId>>()
  #rootsKnown = 0
  /** By what a live root was let go of, each time. */
  readonly #sheds = new Map<RootId, Decided[]>()

  constructor(truth: Truth, trace: Trace, nowMs: () => number) {
    this.#truth = truth
    this.#nowMs = nowMs
    this.#trace = trace
  }

  /** Looks at everything that has changed. @throws {Violation} */
  look(): void {
    for (const machine of this.#truth.machines) this.#noteDecisions(machine)
    const changed = this.#truth.machines.filter((machine) => {
      const ledger = machine.node?.ledger
      const seen = this.#seen.get(machine)
      return ledger !== undefined && (ledger.view !== seen?.view || ledger.membership.epoch !== seen.epoch)
    })
    for (const machine of changed) this.#noteRemoved(machine.node!.ledger)
    // What each says itself comes first: others may have heard of it already.
    for (const machine of changed) this.#lookAtOwn(machine, this.#of(machine))
    for (const machine of changed) this.#lookAtView(machine, this.#of(machine))
  }

  /** What was decided since the last look was decided by the goal of then, or by the one that has come since. */
  #noteDecisions(machine: Machine): void {
    const ledger = machine.node?.ledger
    if (ledger === undefined) return
    const seen = this.#of(machine)
    const { copiesGoal: goal, epoch } = ledger.membership
    const withdrawn = ledger.withdrawn()
    for (const root of withdrawn.keys())
      if (!seen.goals.has(root)) seen.goals.set(root, { goal: smaller(seen.goal, goal), epoch })
    for (const root of seen.goals.keys()) if (!withdrawn.has(root)) seen.goals.delete(root)
    seen.goal = goal
  }

  /** A removal counts from when some member has it, even if the power goes before its person is told that it is done. */
  #noteRemoved({ membership }: Ledger): void {
    const truth = this.#truth
    for (const { device } of truth.machines) {
      if (truth.removed.has(device) || membership.members.get(device)?.removedEpoch === undefined) continue
      truth.removed.add(device)
      truth.forgive()
    }
  }

  /** A machine has lost what it had; `isFault`: by a fault of its disk, and not by its program. @throws {Violation} */
  gone(machine: Machine, chunks: readonly ChunkId[], isFault: boolean): void {
    const truth = this.#truth
    if (isFault) return
    this.look() // what was signed since counts
    const { held } = this.#of(machine)
    // I7: what is given up and what is held do not overlap; what is not whole is not held, whatever its mark says.
    const marked = new Set(machine.node?.store.holds().filter((root) => truth.isWholeAt(machine, root)))
    for (const id of chunks) {
      for (const root of this.rootsOf(id)) {
        // I1: who says it holds a root has all of it.
        if (held.has(root) && !truth.dishonest.has(machine.device))
          throw new Violation('I1', `${machine.name} says it holds ${short(root)} and gave up ${short(id)}`)
        if (marked.has(root))
          throw new Violation('I7', `${machine.name} holds ${short(root)} and gave up ${short(id)}`)
        if (this.#mightRelyOnRemoved(machine, root)) truth.forgive()
        this.checkRoot(root, id)
      }
    }
  }

  /**
   * Whether one who was removed has a snapshot that nobody else has any more, and this machine has not heard of the
   * removal yet: a person took that copy away, not the program.
   */
  #mightRelyOnRemoved(machine: Machine, root: RootId): boolean {
    const truth = this.#truth
    const membership = machine.node?.ledger.membership
    if (membership === undefined || !truth.isLive(root) || truth.wholeCopies(root).length > 0) return false
    return truth.machines.some(
      (other) =>
        truth.removed.has(other.device) &&
        memberNow(membership, other.device) !== undefined &&
        truth.isSoundAt(other, root),
    )
  }

  /** R9: no root is let go before its forget has been known there for the hold window. @throws {Violation} */
  released(machine: Machine, root: RootId, nowMs: number, holdWindowMs: number): void {
    this.look()
    const truth = this.#truth
    const why = machine.node?.ledger.withdrawn().get(root)
    if (why !== undefined) this.#trace.count(why === 'forgotten' ? 'roots reclaimed' : 'roots shed')
    if (why !== undefined && why !== 'forgotten') this.#checkShed(machine, root)
    // A gap while the program is off counts by the wall clock, a day at most: what a clock that jumps may shorten.
    if (machine.hasJumped || truth.isLive(root) || !truth.byRoot.has(root)) return
    // R7: what was given up as others have it, before it was forgotten, needs no window.
    if (why !== 'forgotten') return
    const heardMs = this.#of(machine).heard.get(root)
    if (heardMs !== undefined && nowMs - heardMs < holdWindowMs - slackMs)
      throw new Violation(
        'R9',
        `${machine.name} lets ${short(root)} go ${String(nowMs - heardMs)} ms after it heard`,
      )
  }

  /** I2: copies never go below the goal by an action of the protocol. Disks that fail and removals are none. */
  #checkShed(machine: Machine, root: RootId): void {
    const truth = this.#truth
    const { copiesGoal, epoch } = machine.node!.ledger.membership
    // As the machine knew it: who has not heard of another goal goes by the old one, and what was decided is done.
    const decided = this.#of(machine).goals.get(root) ?? { goal: copiesGoal, epoch }
    const before = this.#sheds.get(root) ?? []
    this.#sheds.set(root, [...before, decided])
    const isDisturbed = truth.removed.size + truth.dishonest.size + truth.rotten.size > 0
    if (isDisturbed || !truth.isLive(root) || truth.lostRoots.has(root)) return
    const others = truth.wholeCopies(root).filter((other) => other !== machine)
    // Nobody counts on what was withdrawn, and it may take long until it goes. Those who were counted then, or others,
    // may let go meanwhile by a later and smaller goal: that is theirs, and each of them is looked at for it.
    const later = before.filter((one) => one.epoch >= decided.epoch)
    const goal = later.reduce((least, one) => smaller(least, one.goal), decided.goal)
    if (goal !== 'all' && others.length < goal)
      throw new Violation(
        'I2',
        `${machine.name} lets ${short(root)} go, and ${String(others.length)} others have it`,
      )
  }

  /** A person has forgotten roots at a machine, which signs it when it can. */
  forgot(machine: Machine, roots: readonly RootId[], atMs: number): void {
    const { heard } = this.#of(machine)
    for (const root of roots) heard.set(root, Math.min(heard.get(root) ?? Infinity, atMs))
  }

  /** A session was opened: what it pinned. */
  opened(machine: Machine, session: object, pin: Horizon): void {
    this.#of(machine).pins.set(session, pin)
  }

  /** A session was closed, with its root announced if it has one. */
  closed(machine: Machine, session: object, root: RootId | undefined): void {
    const seen = this.#of(machine)
    seen.pins.delete(session)
    if (root !== undefined) seen.owed.add(root)
  }

  /** What a machine remembered of itself is no more: its process ended. */
  ended(machine: Machine, isDiskOther: boolean): void {
    const seen = this.#of(machine)
    // What it signed since the last look may be on its way to others.
    if (machine.node !== undefined) this.#lookAtOwn(machine, seen)
    seen.pins.clear()
    seen.view = undefined
    seen.endedMs = this.#nowMs()
    if (!isDiskOther) return
    seen.lanes.clear()
    seen.owed.clear()
  }

  /** S1 and S2 of one root; of one of its chunks only, if given. @throws {Violation} */
  checkRoot(root: RootId, only?: ChunkId): void {
    const truth = this.#truth
    if (!truth.isLive(root)) return
    const known = truth.archive.roots.get(root)
    if (known === undefined) return
    // S1: what was acknowledged, and nobody entitled has forgotten, some member has whole.
    if (truth.acknowledged.has(root) && !truth.lostRoots.has(root) && truth.wholeCopies(root).length === 0)
      throw new Violation('S1', `nobody has ${short(root)} any more, by the loss of ${short(only ?? root)}`)
    // S2: what a member has published can be completed.
    const isOwned = truth.byRoot
      .get(root)
      ?.some(
        ({ owner, isForgotten }) => !isForgotten && !truth.removed.has(owner) && !truth.dishonest.has(owner),
      )
    if (isOwned !== true || this.#isBeingForgotten(root)) return
    for (const id of only === undefined ? known.closure : [only]) {
      if (!truth.isSomewhere(id) && !truth.isExcused(id))
        throw new Violation('S2', `${short(root)} can not be completed: nobody has ${short(id)}`)
    }
  }

  /** A forget is durable at a device that might, and will be in its next listing. */
  #isBeingForgotten(root: RootId): boolean {
    return this.#truth.machines.some(
      ({ node }) => node?.ledger.dead().some((dead) => dead.root === root && !dead.isSigned) === true,
    )
  }

  /** The roots that need a chunk. */
  rootsOf(id: ChunkId): ReadonlySet<RootId> {
    const { roots } = this.#truth.archive
    if (roots.size !== this.#rootsKnown) {
      for (const { root, closure } of [...roots.values()].slice(this.#rootsKnown)) {
        for (const chunk of closure) {
          const known = this.#rootsOf.get(chunk)
          if (known === undefined) this.#rootsOf.set(chunk, new Set([root]))
          else known.add(root)
        }
      }
      this.#rootsKnown = roots.size
    }
    return this.#rootsOf.get(id) ?? NONE
  }

  #of(machine: Machine): Seen {
    const known = this.#seen.get(machine)
    if (known !== undefined) return known
    const seen: Seen = {
      view: undefined,
      forgetsMark: undefined,
      epoch: -1,
      lanes: new Map(),
      hash: undefined,
      held: new Set(),
      pins: new Map(),
      endedMs: undefined,
      heard: new Map(),
      owed: new Set(),
      goals: new Map(),
      goal: 'all',
    }
    this.#seen.set(machine, seen)
    return seen
  }

  #lookAtView(machine: Machine, seen: Seen): void {
    const { ledger } = machine.node!
    const { view } = ledger
    const isOther = view.forgetsMark !== seen.forgetsMark || ledger.membership.epoch !== seen.epoch
    seen.view = view
    seen.epoch = ledger.membership.epoch
    seen.forgetsMark = view.forgetsMark
    for (const [key, lane] of view.lanes) {
      const before = seen.lanes.get(key)
      if (before === lane) continue
      seen.lanes.set(key, lane)
      if (before !== undefined) checkGrowth(machine, before, lane)
      // In force or not: it counts from when it came.
      for (const { root } of lane.forgets.slice(before?.forgets.length ?? 0))
        if (!seen.heard.has(root)) seen.heard.set(root, seen.endedMs ?? this.#nowMs())
    }
    if (isOther) this.#checkForgets(machine, view)
    seen.endedMs = undefined
  }

  /** I5: nothing is dead by the word of somebody who might not say so. */
  #checkForgets(machine: Machine, view: View): void {
    const { membership } = machine.node!.ledger
    for (const forget of forgetsInForce(view, membership)) {
      const { by, incarnation, seq, dot } = forget
      if (!this.#truth.rightful.has(`${by}/${String(incarnation)}/${String(seq)}/${dotName(dot)}`))
        throw new Violation(
          'I5',
          `${machine.name} takes a forget of ${short(forget.root)} for good that nobody might sign`,
        )
    }
  }

  /** A machine has signed: I1, I4, I7, and what is true from now on. */
  #lookAtOwn(machine: Machine, seen: Seen): void {
    const { ledger } = machine.node!
    const truth = this.#truth
    const incarnation = ledger.membership.members.get(machine.device)?.incarnation ?? 1
    const lane = laneOf(ledger.view, machine.device, incarnation)
    if (lane === undefined || lane.head.hash === seen.hash) return
    const { head, body } = lane
    const isHonest = !truth.dishonest.has(machine.device)
    seen.hash = head.hash
    seen.held = new Set(isHonest ? body.holds : [])
    this.#trace.line(`${machine.name} signs ${String(head.head.seq)} ${head.hash.slice(0, 12)}`)
    for (const root of seen.held) {
      const lacking = truth.archive.roots
        .get(root)
        ?.closure.find((id) => !machine.chunks.has(id) && !truth.rotten.has(id))
      if (lacking !== undefined)
        throw new Violation('I1', `${machine.name} says it holds ${short(root)} without ${short(lacking)}`)
    }
    for (const pin of isHonest ? seen.pins.values() : []) checkPin(machine, body.horizon, pin)
    for (const root of isHonest ? seen.owed : []) {
      if (!body.adds.some((add) => add.root === root))
        throw new Violation(
          'I4',
          `${machine.name} closed the session of ${short(root)} and does not announce it`,
        )
    }
    seen.owed.clear()
    const mayForget = memberNow(ledger.membership, machine.device)?.capabilities.has('forget') === true
    truth.note({ device: machine.device, incarnation, body, mayForget, isHonest })
    for (const { root, seq } of body.adds) if (seq === head.head.seq) this.checkRoot(root)
  }
}

/** What is seen is seen a little later than it came. */
const slackMs = 1000

function smaller(one: CopiesGoal, other: CopiesGoal): CopiesGoal {
  if (one === 'all') return other
  return other === 'all' ? one : Math.min(one, other)
}

const NONE: ReadonlySet<RootId> = new Set()

/** I6: accepted chains only grow, horizons never go back, but to where a chain was closed (R4.1). */
function checkGrowth(machine: Machine, before: Lane, now: Lane): void {
  const { seq } = before.head.head
  if (now.head.head.seq < seq) throw new Violation('I6', `${machine.name} takes a chain back`)
  const hash = hashAt(now, seq)
  if (hash !== undefined && hash !== before.head.hash)
    throw new Violation('I6', `${machine.name} has put another listing in the place of one it knew`)
  const horizon = new Map(
    now.body.horizon.map((entry) => [`${entry.device}/${String(entry.incarnation)}`, entry.seq]),
  )
  const ends = chainEnds(machine.node!.ledger.membership, now.head.head.epoch)
  for (const entry of before.body.horizon) {
    const { device, incarnation } = entry
    const later = horizon.get(`${device}/${String(incarnation)}`)
    const end = ends.find((one) => one.device === device && one.incarnation === incarnation)
    if (later === undefined || (later < entry.seq && later !== end?.seq))
      throw new Violation('I6', `${machine.name} accepts a horizon that goes back`)
  }
  for (const key of before.adds.keys())
    if (!now.adds.has(key)) throw new Violation('I5', `${machine.name} has lost an announcement that it knew`)
}

/** I4: no horizon goes beyond what an open session pinned. */
function checkPin(machine: Machine, horizon: Horizon, pin: Horizon): void {
  const pinned = new Map(pin.map((entry) => [`${entry.device}/${String(entry.incarnation)}`, entry.seq]))
  for (const { device, incarnation, seq } of horizon) {
    if (seq > (pinned.get(`${device}/${String(incarnation)}`) ?? 0))
      throw new Violation('I4', `${machine.name} signs a horizon beyond the pin of an open session`)
  }
}

/** The beginning of an id, for people. */
export function short(id: string): string {
  return id.slice(0, 8)
}
