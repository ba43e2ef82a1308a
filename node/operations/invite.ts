/** `invite`: opens an invitation and waits for the newcomer. */

import { CellarError, memberNow } from '../../protocol/index.ts'
import type { CallContext, Invited, InviteParams } from '../api.ts'
import { withoutLoopback } from '../mesh/addresses.ts'
import type { NodeParts } from '../parts.ts'

/** Invites, see `Methods.invite`. @throws {CellarError} `NOT_ENTITLED`, `CODE_EXPIRED`, `PAIRING_REFUSED`, `ABORTED` */
export async function runInvite(
  parts: NodeParts,
  params: InviteParams,
  context: CallContext<'invite'>,
): Promise<Invited> {
  const { self } = parts.ledger
  if (!self.capabilities.has('admit'))
    throw new CellarError('NOT_ENTITLED', `${self.name} is a ${self.role}: only a keeper invites others`)
  const { desk, network, onPairing } = await parts.connect()
  context.signal.throwIfAborted()
  const invitation = desk.invite({
    role: params.role,
    mayForget: params.mayForget,
    ttlMs: params.ttlMs,
    token: params.token,
    ...(params.name !== undefined && { name: params.name }),
    ...(params.quotaBytes !== undefined && { quotaBytes: params.quotaBytes }),
  })
  const off = onPairing((event) => {
    if (event.kind === 'wrong' && event.number === invitation.number)
      context.onEvent({ message_type: 'wrong_try', left: event.triesLeft ?? 0 })
  })
  const cancel = () => {
    invitation.cancel()
  }
  context.signal.addEventListener('abort', cancel)
  try {
    context.onEvent({
      message_type: 'invitation',
      code: invitation.code,
      token: params.token,
      number: Number(invitation.number),
      role: params.role,
      addresses: [...withoutLoopback(network.addresses())],
      expires_at: new Date(invitation.expiresAtMs).toISOString(),
    })
    const paired = await invitation.done
    // The name asked for may have been taken: what counts is what the membership says.
    const name = memberNow(parts.ledger.membership, paired.device)?.name ?? paired.name
    return { device: paired.device, name, role: paired.role, check_words: paired.checkWords }
  } finally {
    context.signal.removeEventListener('abort', cancel)
    off()
  }
}
