/** `recovery`, `recoveryNew`, `recoveryConfirm`, `vaultChange`: the key on paper, and the vault key (recovery.md). */

import {
  admitPaper,
  CellarError,
  type DeviceId,
  fromHex,
  isDeviceId,
  isPaperProof,
  machinesOf,
  type Membership,
  papersOf,
  readersWithoutBox,
  removeMember,
  vaultNow,
} from '../../protocol/index.ts'
import type { Problem } from '../api.ts'
import type { PaperConfirmed, PaperMade, PaperParams, RecoveryInfo, VaultChanged } from '../api-recovery.ts'
import { shareNewest, type VaultKeeper, withNewVault, withVault } from '../keys/vault-change.ts'
import { freeName } from '../mesh/free-name.ts'
import type { NodeParts } from '../parts.ts'
import { needCapability } from './entitled.ts'

/** What a paper device is called. */
const paperName = 'paper'

const confirmedPrefix = 'confirmed/'

/** Who has the vault keys of a node. */
export function keeperOf({ ring, world }: NodeParts): VaultKeeper {
  return { ring, random: world.random }
}

/** How one gets back in, if all devices that read were lost. */
export function recoveryInfo(parts: NodeParts): RecoveryInfo {
  const { membership } = parts.ledger
  const paper = papersOf(membership).at(-1)
  const confirmed = paper && parts.catalog.sub('recovery').get(confirmedPrefix + paper.device)
  return {
    ...(paper !== undefined && { paper: { device: paper.device, name: paper.name } }),
    ...(confirmed !== undefined && { confirmed: Buffer.from(confirmed).toString() }),
    opens:
      paper !== undefined &&
      vaultNow(membership) !== undefined &&
      !readersWithoutBox(membership).some(({ device }) => device === paper.device),
    admitted: admittedByPaper(membership).map(({ name }) => name),
    vaults: membership.vaults.length,
  }
}

/** Machines that came in by a phrase which is still good. */
function admittedByPaper(membership: Membership) {
  const good = new Set(papersOf(membership).map(({ device }) => device))
  return machinesOf(membership).filter(({ admittedBy }) => admittedBy !== undefined && good.has(admittedBy))
}

/**
 * Makes a paper device a member, and ends the one before: in one step, with a new vault key if there was one before, so
 * that whoever has the old words reads nothing new.
 *
 * @throws {CellarError} `NOT_ENTITLED`, `FORMAT_INVALID`
 */
export async function makePaper(parts: NodeParts, params: PaperParams): Promise<PaperMade> {
  needCapability(parts, 'admit', 'makes no recovery phrase')
  needCapability(parts, 'read', 'has no key that a phrase could open')
  const { device, proof } = readPaper(params, parts.ledger.membership)
  const { ledger, ring, world } = parts
  await ring.update(ledger.membership)
  const atMs = world.clock.nowMs()
  const before = papersOf(ledger.membership)
  const membership = await ledger.changeMembership((log, signer) => {
    const keeper = keeperOf(parts)
    let next = log
    for (const old of papersOf(log)) next = removeMember(next, signer, { device: old.device, atMs })
    const isFirst = next === log
    next = admitPaper(next, signer, { paper: { device, proof }, name: nameFor(next, device), atMs })
    const changed = isFirst
      ? shareWithPaper(next, signer, keeper, atMs)
      : withNewVault(next, signer, keeper, atMs)
    if (changed === undefined) throw lacksKey(parts)
    return changed
  })
  await ring.update(membership)
  const name = membership.members.get(device)?.name ?? paperName
  const isReplaced = before.length > 0
  return {
    message_type: 'recovery_made',
    device,
    name,
    epoch: membership.epoch,
    replaced: isReplaced,
    vault_changed: isReplaced,
  }
}

/** The name of those that were before may be had again: they are no members any more. */
function nameFor(membership: Membership, device: DeviceId): string {
  const isFree = machinesOf(membership).every(({ name }) => name !== paperName)
  return isFree ? paperName : freeName(membership, device, paperName)
}

function shareWithPaper(
  ...[log, signer, keeper, atMs]: Parameters<typeof withNewVault>
): Membership | undefined {
  if (keeper.ring.newestKey === undefined) return undefined
  return shareNewest(withVault(log, signer, keeper, atMs), signer, keeper, atMs)
}

function readPaper({ device, proof }: PaperParams, { mesh }: Membership) {
  const isHex = /^[0-9a-f]{128}$/.test(proof)
  if (!isDeviceId(device) || !isHex || !isPaperProof(device, mesh, fromHex(proof)))
    throw new CellarError('FORMAT_INVALID', 'this paper device has not signed that it is of this mesh')
  return { device, proof: fromHex(proof) }
}

function lacksKey(parts: NodeParts): CellarError {
  return new CellarError(
    'NOT_ENTITLED',
    `${parts.ledger.self.name} lacks the newest vault key; do it on another keeper`,
  )
}

/** Notes that somebody has typed in the words, and they are right. @throws {CellarError} `PHRASE_WRONG` */
export async function confirmPaper(
  parts: NodeParts,
  params: { readonly device: string },
): Promise<PaperConfirmed> {
  const isKnown = papersOf(parts.ledger.membership).some(({ device }) => device === params.device)
  if (!isKnown)
    throw new CellarError(
      'PHRASE_WRONG',
      'these words are a recovery phrase, but not the one of this mesh: it is of another, or was replaced',
    )
  const confirmed = new Date(parts.world.clock.nowMs()).toISOString()
  await parts.catalog
    .sub('recovery')
    .batch([{ type: 'put', key: confirmedPrefix + params.device, value: Buffer.from(confirmed) }], {
      durable: true,
    })
  return { message_type: 'recovery_confirmed', device: params.device, confirmed }
}

/** Seals what comes under a new vault key. @throws {CellarError} `NOT_ENTITLED` */
export async function changeVault(parts: NodeParts): Promise<VaultChanged> {
  needCapability(parts, 'admit', 'changes no vault key')
  needCapability(parts, 'read', 'has no vault key')
  const { ledger, ring, world } = parts
  await ring.update(ledger.membership)
  const membership = await ledger.changeMembership((log, signer) => {
    const changed = withNewVault(log, signer, keeperOf(parts), world.clock.nowMs())
    if (changed === undefined) throw lacksKey(parts)
    return changed
  })
  await ring.update(membership)
  return { message_type: 'vault_changed', vault: vaultNow(membership)?.vault ?? '', epoch: membership.epoch }
}

/** What a person should know of keys: words that were used, boxes that are missing. */
export function keyProblems(parts: NodeParts): Problem[] {
  const { ledger, ring } = parts
  const problems: Problem[] = []
  const used = admittedByPaper(ledger.membership).map(({ name }) => name)
  if (used.length > 0)
    problems.push({
      level: 'warning',
      code: 'PHRASE_USED',
      message: `the recovery phrase let ${used.join(', ')} in: its words have been on a screen and a keyboard`,
      remedy: `cellar recovery new; and if that was not you, first: cellar devices remove ${used.at(-1) ?? ''}`,
    })
  if (ring.isBehind)
    problems.push({
      level: 'error',
      code: 'VAULT_UNKNOWN',
      message: 'this device was not given the newest vault key: what others back up now it cannot read',
      remedy: 'cellar key change, on another keeper',
    })
  return problems
}
