/** Which devices should hold a root: weighted rendezvous hashing (rules.md §6). */

import { hash } from 'node:crypto'
import { concatBytes, fromHex } from '../bytes.ts'
import type { DeviceId, RootId } from '../ids.ts'
import type { CopiesGoal, Member, Membership } from '../membership/types.ts'
import { keyOfDevice } from '../statement.ts'

const LABEL = Buffer.from('rootcellar/1/placement\0', 'ascii')

/** Weight of a device of which no quota is said: one tebibyte. */
const BYTES_UNSAID = 1024 ** 4

/** Devices that store, in no order; removed ones and those without the capability are left out. */
export function storingMembers(membership: Membership): readonly Member[] {
  const known = STORING.get(membership)
  if (known !== undefined) return known
  const storing = [...membership.members.values()].filter(
    (member) => member.removedEpoch === undefined && member.capabilities.has('store'),
  )
  STORING.set(membership, storing)
  return storing
}

const STORING = new WeakMap<Membership, readonly Member[]>()

/**
 * Every device that gives space, those first that should hold the root: by weighted rendezvous hashing, one of each
 * failure domain before a second of any. When one of the first is full, the next takes its place. Remembered for the
 * membership: who plans asks for every root again and again.
 */
export function rankHolders(membership: Membership, root: RootId): readonly DeviceId[] {
  let ranked = RANKED.get(membership)
  const known = ranked?.get(root)
  if (known !== undefined) return known
  if (ranked === undefined || ranked.size >= RANKED_MAX)
    RANKED.set(membership, (ranked = new Map<RootId, readonly DeviceId[]>()))
  const made = makeRanking(membership, root)
  ranked.set(root, made)
  return made
}

/** Rankings remembered at a time, some 200 bytes each. */
const RANKED_MAX = 100_000

const RANKED = new WeakMap<Membership, Map<RootId, readonly DeviceId[]>>()

function makeRanking(membership: Membership, root: RootId): DeviceId[] {
  const ranked = storingMembers(membership)
    .filter((member) => member.quotaBytes !== 0)
    .map((member) => ({ member, score: scoreOf(member, root) }))
    .sort((a, b) => a.score - b.score || (a.member.device < b.member.device ? -1 : 1))
    .map(({ member }) => member)
  const domains = new Set<string>()
  const first: DeviceId[] = []
  const later: DeviceId[] = []
  for (const { device, domain } of ranked) {
    if (domain !== undefined && domains.has(domain)) later.push(device)
    else first.push(device)
    if (domain !== undefined) domains.add(domain)
  }
  return [...first, ...later]
}

/**
 * The devices that should hold a root: all that store, or the first of the ranking.
 *
 * @param isPassedOver - whether a device takes nothing more and does not hold the root: the next takes its place, as
 *   long as there is one. Of all that store nobody can take the place of another.
 */
export function goalHolders(
  membership: Membership,
  root: RootId,
  copiesGoal: CopiesGoal = membership.copiesGoal,
  isPassedOver: (device: DeviceId) => boolean = () => false,
): DeviceId[] {
  if (copiesGoal === 'all') return storingMembers(membership).map((member) => member.device)
  const ranked = rankHolders(membership, root)
  const passedOver = ranked.filter(isPassedOver)
  if (passedOver.length === 0) return ranked.slice(0, copiesGoal)
  // They stay wanted when nobody else is left: a copy that is missing must not look like one that nobody asked for.
  const others = ranked.filter((device) => !passedOver.includes(device))
  return [...others, ...passedOver].slice(0, copiesGoal)
}

/** An exponential draw whose rate is the weight: the least of several is each one's with the share of its weight. */
function scoreOf(member: Member, root: RootId): number {
  const drawn = concatBytes([LABEL, keyOfDevice(member.device), fromHex(root)])
  const digest = hash('sha256', drawn, 'buffer')
  const draw = (Number(digest.readBigUInt64BE(0) >> 11n) + 0.5) / 2 ** 53
  return negativeLog(draw) / (member.quotaBytes ?? BYTES_UNSAID)
}

const LN_2 = 0.6931471805599453

/**
 * -ln(x) for 0 < x < 1, by additions, multiplications and divisions only: `Math.log` may differ in its last bit from
 * one machine to another, and all devices must come to the same ranking.
 */
export function negativeLog(x: number): number {
  let mantissa = x
  let halvings = 0
  while (mantissa < 0.5) {
    mantissa *= 2
    halvings++
  }
  // ln(m) = 2 artanh((m - 1) / (m + 1)), and |t| <= 1/3.
  const t = (mantissa - 1) / (mantissa + 1)
  let power = t
  let sum = 0
  for (let k = 1; k <= 35; k += 2) {
    sum += power / k
    power *= t * t
  }
  return halvings * LN_2 - 2 * sum
}
