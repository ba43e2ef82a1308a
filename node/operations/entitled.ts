/** Says who may do what this device may not. */

import { type Capability, CellarError, machinesOf, type Member } from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'

/**
 * Checks that this device may do something.
 *
 * @param what - what it may not do, behind "it": `may not forget snapshots`
 * @throws {CellarError} `NOT_ENTITLED`, naming the devices on which it can be done; `NOT_A_MEMBER`
 */
export function needCapability(parts: NodeParts, capability: Capability, what: string): void {
  const { self, membership } = parts.ledger
  if (self.capabilities.has(capability)) return
  const able = machinesOf(membership).filter((member) => member.capabilities.has(capability))
  const message = `${self.name} is a ${self.role}: it ${what}${whereElse(able)}`
  throw new CellarError('NOT_ENTITLED', message, { capability })
}

function whereElse(able: readonly Member[]): string {
  if (able.length === 0) return ', and no other device may'
  return `; do it on ${able.map(({ name }) => name).join(' or ')}`
}
