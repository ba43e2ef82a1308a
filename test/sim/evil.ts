/** Members that lie: listings signed with the key of a device, past its program. */

import {
  isCellarError,
  laneOf,
  type Listing,
  type ListingBody,
  memberNow,
  nextListing,
  type RootId,
  signListing,
} from '../../protocol/index.ts'
import type { Happening } from './faults.ts'
import { pickOf } from './faults.ts'
import type { Device, Play } from './play.ts'
import type { FaultKind } from './weather.ts'

/** Faults that somebody means. */
export const ATTACKS: Readonly<Partial<Record<FaultKind, Happening>>> = {
  equivocate,
  'back-date': backDate,
  'forget-without-right': forgetWithoutRight,
}

/** Somebody to lie, somebody to lie to, and what the latter knows of the former. */
interface Scene {
  readonly liar: Device
  readonly victims: readonly Device[]
  readonly newest: Listing
}

/** One that can be spared: it is removed in the end. */
function setScene(play: Play, fits: (device: Device) => boolean): Scene | undefined {
  const { truth, chance } = play
  const liar = pickOf(
    play,
    play.devices.filter((device) => {
      const { device: id } = device.machine
      return !truth.removed.has(id) && play.otherKeepers(device).length > 0 && fits(device)
    }),
  )
  if (liar === undefined) return undefined
  const isFirst = !truth.dishonest.has(liar.machine.device)
  const isOther = play.devices.some(
    ({ machine }) => truth.dishonest.has(machine.device) && !truth.removed.has(machine.device),
  )
  if (isFirst && isOther) return undefined
  const victims = chance.shuffle(play.ready().filter((one) => one !== liar))
  const view = victims[0]?.machine.node?.ledger.view
  const lane = view && laneOf(view, liar.machine.device, 1)
  if (lane === undefined || lane.fork !== undefined) return undefined
  const newest = { signed: lane.head, body: lane.body, bodyBytes: new Uint8Array(0) }
  return { liar, victims: victims.slice(0, 1 + chance.below(victims.length)), newest }
}

/** Hands a listing to the victims, as a peer would. @returns what they said */
async function tell(play: Play, scene: Scene, listing: Listing): Promise<string> {
  const { device } = scene.liar.machine
  const member = memberNow(play.newestMembership()!, device)
  // With a stolen key of one that may forget, forgetting is no breach of the rules: people undo it (R9).
  if (member?.capabilities.has('forget') === true) {
    const { incarnation } = listing.signed.head
    for (const forget of listing.body.forgets) play.truth.noteForget(device, incarnation, forget)
  }
  const said: string[] = []
  for (const { machine } of scene.victims) {
    const ledger = machine.node?.ledger
    if (ledger === undefined) continue
    try {
      said.push(await ledger.acceptListing([listing.signed.bytes], listing.bodyBytes))
    } catch (error) {
      if (!isCellarError(error)) throw error
      said.push(error.code)
    }
  }
  return said.join(',')
}

/** Signs another listing in the place of the newest one: a fork, with whatever it likes in it. */
async function equivocate(play: Play): Promise<string | undefined> {
  const scene = setScene(play, () => true)
  if (scene === undefined) return undefined
  const { liar, newest } = scene
  const { head } = newest.signed
  const forgets = chooseForgets(play, scene)
  // The branch leaves behind the newest listing, or beside it.
  const isBeside = play.chance.may(0.7)
  play.truth.dishonest.add(liar.machine.device)
  play.truth.forgive()
  if (!isBeside)
    return `${liar.machine.name} lies ahead: ${await tell(play, scene, signNext(scene, forgets))}`
  const body: ListingBody = {
    ...newest.body,
    forgets: [
      ...newest.body.forgets.filter(({ seq }) => seq < head.seq),
      ...forgets.map((forget) => ({ ...forget, seq: head.seq, epoch: head.epoch })),
    ],
    adds: newest.body.adds.filter(({ seq }) => seq < head.seq),
    holds: [],
    shedding: [],
  }
  const { mesh, incarnation, seq, prev, epoch } = head
  const listing = signListing({ mesh, incarnation, seq, prev, epoch, atMs: 1, body }, liar.machine.signer)
  return `${liar.machine.name} lies beside ${String(seq)}: ${await tell(play, scene, listing)}`
}

/** Says of a removed device, or under an old membership, what was never said then. */
async function backDate(play: Play): Promise<string | undefined> {
  const scene = setScene(play, () => true)
  if (scene === undefined) return undefined
  const { liar, newest } = scene
  const { head } = newest.signed
  const [first] = newest.body.adds
  const old = chooseRoot(play)
  const body: ListingBody = {
    ...newest.body,
    horizon: newest.body.horizon.filter(() => play.chance.may(0.5)),
    ...(first !== undefined &&
      old !== undefined && { adds: [{ ...first, root: old }, ...newest.body.adds.slice(1)] }),
  }
  const { mesh, incarnation, seq } = head
  const epoch = play.chance.below(head.epoch + 1)
  const fields = { mesh, incarnation, seq: seq + 1, prev: newest.signed.hash, epoch, atMs: 1, body }
  play.truth.dishonest.add(liar.machine.device)
  play.truth.forgive()
  return `${liar.machine.name} signs for an earlier day: ${await tell(play, scene, signListing(fields, liar.machine.signer))}`
}

/** A device without the right forgets what is dear to others. */
async function forgetWithoutRight(play: Play): Promise<string | undefined> {
  const membership = play.newestMembership()
  const scene = setScene(play, ({ machine }) => {
    return (
      membership === undefined || memberNow(membership, machine.device)?.capabilities.has('forget') !== true
    )
  })
  if (scene === undefined) return undefined
  const { liar } = scene
  play.truth.dishonest.add(liar.machine.device)
  play.truth.forgive()
  const listing = signNext(scene, chooseForgets(play, scene))
  return `${liar.machine.name} forgets without right: ${await tell(play, scene, listing)}`
}

type Draft = Parameters<typeof nextListing>[1]

function signNext({ liar, newest }: Scene, forgets: NonNullable<Draft['forgets']>): Listing {
  const { mesh, incarnation, epoch } = newest.signed.head
  const { holds, horizon, leans } = newest.body
  return nextListing(
    newest,
    { mesh, incarnation, epoch, atMs: 1, forgets, holds, horizon, leans },
    liar.machine.signer,
  )
}

function chooseForgets(play: Play, { victims }: Scene): NonNullable<Draft['forgets']> {
  const live = victims[0]?.machine.node?.ledger.live().filter(({ dot }) => dot.seq > 0) ?? []
  return play.chance
    .shuffle(live)
    .slice(0, 1 + play.chance.below(3))
    .map(({ dot, root }) => ({ dot, root, reason: 'person' as const }))
}

function chooseRoot(play: Play): RootId | undefined {
  const roots = play.truth.liveRoots()
  return roots.length === 0 ? undefined : play.chance.pick(roots)
}
