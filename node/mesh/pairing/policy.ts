/** When an invitation may be tried, and what a try leaves of it (pairing.md §5). Pure. */

import type { DeviceId, ErrorCode } from '../../../protocol/index.ts'

/** Wrong guesses that burn a code. */
export const wrongTriesMax = 3
/** Time a code can be used, and a token, unless asked otherwise. */
export const codeTtlMs = 15 * 60_000
export const tokenTtlMs = 24 * 3_600_000

/** An invitation, as trying it needs it. */
export interface InvitationState {
  readonly kind: 'code' | 'token'
  /** Running time at which it ends: a wrong date changes nothing. */
  readonly endsMs: number
  readonly wrongTries: number
  /** Used up, burned or taken back. */
  readonly isOver: boolean
  /** The device that has proven to know it: from then on the invitation is that device's alone. */
  readonly taker?: DeviceId
}

/** A fresh invitation. */
export function freshInvitation(kind: 'code' | 'token', endsMs: number): InvitationState {
  return { kind, endsMs, wrongTries: 0, isOver: false }
}

/** Why a device may not try now; undefined if it may. Asked at the start, and again before its guess is judged. */
export function refusal(state: InvitationState, device: DeviceId, nowMs: number): ErrorCode | undefined {
  if (nowMs >= state.endsMs || state.isOver) return 'CODE_EXPIRED'
  if (state.taker !== undefined && state.taker !== device) return 'CODE_EXPIRED'
  return undefined
}

/** After a wrong guess. A token has too many bits to be guessed: burning it would only help who wants to disturb. */
export function guessedWrong(state: InvitationState): InvitationState {
  const wrongTries = state.wrongTries + 1
  return {
    ...state,
    wrongTries,
    isOver: state.isOver || (state.kind === 'code' && wrongTries >= wrongTriesMax),
  }
}

/** After a right guess: nobody else can use it; the same device can go on after an interruption. */
export function guessedRight(state: InvitationState, device: DeviceId): InvitationState {
  return { ...state, taker: device }
}

/** After the newcomer has said that it stored everything, or when it is taken back. */
export function finished(state: InvitationState): InvitationState {
  return { ...state, isOver: true }
}

/** Wrong tries that are left; undefined for a token. */
export function triesLeft(state: InvitationState): number | undefined {
  return state.kind === 'code' ? Math.max(0, wrongTriesMax - state.wrongTries) : undefined
}
