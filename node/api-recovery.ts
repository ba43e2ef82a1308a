/** Parameters and results about getting back in when every keeper is gone, and about the keys (see `api.ts`). */

import { Type } from 'typebox'
import { method, Nothing, type Of } from './api-schema.ts'
import type { RoleName } from './api-mesh.ts'
import type { PathText } from './api-path.ts'

export const RecoveryInfo = Type.Object(
  {
    paper: Type.Optional(
      Type.Object(
        { device: Type.String(), name: Type.String() },
        { description: 'The paper device whose words somebody wrote down; absent when no phrase was made.' },
      ),
    ),
    confirmed: Type.Optional(
      Type.String({ description: 'When its words were last typed in on this device, and were right.' }),
    ),
    opens: Type.Boolean({
      description: 'Whether the paper opens the newest vault key; always so but for a fault.',
    }),
    admitted: Type.Array(Type.String(), {
      description: 'Devices that came in by the words which are still good.',
    }),
    vaults: Type.Integer({
      description: 'Vault keys that the mesh has had; 0 in a mesh founded before they stood in its log.',
    }),
  },
  { title: 'RecoveryInfo', description: 'How one gets back in, if all devices that read were lost.' },
)
/** How one gets back in, if all devices that read were lost. */
export type RecoveryInfo = Of<typeof RecoveryInfo>

export const PaperParams = Type.Object(
  {
    device: Type.String(),
    proof: Type.String({ description: 'That it belongs to this mesh, signed by it: 128 hex digits.' }),
  },
  { title: 'PaperParams', description: 'A paper device, as who has its words presents it.' },
)
/** A paper device, as who has its words presents it. */
export type PaperParams = Of<typeof PaperParams>

export const PaperMade = Type.Object(
  {
    message_type: Type.Literal('recovery_made'),
    device: Type.String(),
    name: Type.String(),
    epoch: Type.Integer(),
    replaced: Type.Boolean({ description: 'Whether an old phrase has lost its power by it.' }),
    vault_changed: Type.Boolean({
      description: 'Whether chunks are sealed under a new vault key from now on.',
    }),
  },
  { title: 'PaperMade', description: 'What became of it.' },
)
/** What became of it. */
export type PaperMade = Of<typeof PaperMade>

export const PaperConfirmed = Type.Object(
  { message_type: Type.Literal('recovery_confirmed'), device: Type.String(), confirmed: Type.String() },
  { title: 'PaperConfirmed', description: 'The words are right, and are noted to be.' },
)
/** The words are right, and are noted to be. */
export type PaperConfirmed = Of<typeof PaperConfirmed>

export const VaultChanged = Type.Object(
  {
    message_type: Type.Literal('vault_changed'),
    vault: Type.String({ description: 'Names the new vault, openly.' }),
    epoch: Type.Integer(),
  },
  { title: 'VaultChanged', description: 'Chunks are sealed under a new vault key.' },
)
/** Chunks are sealed under a new vault key. */
export type VaultChanged = Of<typeof VaultChanged>

/** What `recoverDevice(home, options, context)` takes. */
export interface RecoverOptions {
  /** What the others call this device; another when it is taken. */
  readonly name: string
  /** HOST:PORT or multiaddrs of devices that are left; empty: those that are heard of on the local network. */
  readonly at: readonly string[]
  readonly listen: readonly string[]
  readonly store?: PathText
}

/** On the way of recovering: what it is doing now. */
export interface RecoverEvent {
  readonly message_type: 'recovering'
  readonly step: 'looking' | 'asking' | 'opened' | 'admitted'
  readonly address?: string
}

/** What `recoverDevice` answers. */
export interface Recovered {
  readonly message_type: 'recovered'
  readonly id: string
  readonly short_id: string
  readonly device: string
  readonly name: string
  /** The name asked for, where another device has it. */
  readonly name_taken?: string
  readonly role: RoleName
  /** Who let this device in. */
  readonly from: string
  readonly from_name: string
  /** The other machines that the membership has, lost or not. */
  readonly others: readonly { readonly name: string; readonly role: RoleName }[]
  readonly home: string
  readonly keys: string
  readonly store: string
}

/** The methods of this file. */
export const recoveryMethods = {
  recovery: method('How one gets back in, if all devices that read were lost.', Nothing, RecoveryInfo),
  recoveryNew: method(
    'Makes a paper device a member, in the place of the one before, which opens nothing new from then on. Its words never come here: who has them signs. `NOT_ENTITLED`, `FORMAT_INVALID`.',
    PaperParams,
    PaperMade,
  ),
  recoveryConfirm: method(
    'Notes that the words of a paper device are known to somebody. `PHRASE_WRONG` when it is no member.',
    Type.Object({ device: Type.String() }),
    PaperConfirmed,
  ),
  vaultChange: method(
    'Seals what comes under a new vault key, for those who read now. `NOT_ENTITLED`.',
    Nothing,
    VaultChanged,
  ),
}
