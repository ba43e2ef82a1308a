/** All generated vectors, by folder. */

import type { Vector } from '../format.ts'
import { cborVectors } from './cbor.ts'
import { chunkVectors } from './chunk.ts'
import { keyVectors } from './keys.ts'
import { listingVectors } from './listing.ts'
import { membershipVectors } from './membership.ts'
import { fileVectors } from './file.ts'
import { retentionVectors } from './retention.ts'
import { rootVectors } from './root.ts'
import { treeVectors } from './tree.ts'
import { vaultMembershipVectors } from './vaults.ts'
import { wireVectors } from './wire.ts'

/** Folder of `test/vectors` to its vectors. */
export function protocolVectors(): Readonly<Record<string, readonly Vector[]>> {
  return {
    cbor: cborVectors(),
    chunk: chunkVectors(),
    keys: keyVectors(),
    tree: treeVectors(),
    file: fileVectors(),
    root: rootVectors(),
    listing: listingVectors(),
    membership: [...membershipVectors(), ...vaultMembershipVectors()],
    retention: retentionVectors(),
    wire: wireVectors(),
  }
}
