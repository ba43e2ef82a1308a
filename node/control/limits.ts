/** What a caller of the control API may take of a node at most (spec/control.md §6). */

/** What one place where calls come in allows. */
export interface CallLimits {
  /** Calls under way at one time; one more is refused with `NODE_BUSY`. */
  readonly callsMax: number
  /** Bytes of the line with the parameters. */
  readonly lineBytesMax: number
  /** Whether raw input may follow that line. */
  readonly takesInput: boolean
}

/** On the Unix socket: the parameters of a backup may name a million paths. */
export const socketLimits: CallLimits = {
  callsMax: 256,
  lineBytesMax: 256 * 1024 * 1024,
  takesInput: true,
}

/** For a browser: what a person clicks. */
export const dashboardLimits: CallLimits = { callsMax: 32, lineBytesMax: 1024 * 1024, takesInput: false }

/** Connections to the dashboard's address at one time. */
export const dashboardConnectionsMax = 64

/** For the head of a request to the dashboard's address, and for all of it, milliseconds. */
export const dashboardHeadMs = 10_000
export const dashboardRequestMs = 30_000

/** While a caller has so many bytes left unread, progress is left out: the next says more than the last. */
export const progressUnreadBytesMax = 1024 * 1024

/** A caller that leaves more unread is cut off. */
export const unreadBytesMax = 64 * 1024 * 1024

/** How long an ending server waits for calls that it aborted, milliseconds. */
export const closeWaitMs = 5000

/** How long a link of `cellar dashboard` can be opened, milliseconds, and how many are open at one time. */
export const ticketMs = 2 * 60_000
export const ticketsMax = 16

/** How long a browser is let in after it opened a link, milliseconds, and how many browsers. */
export const sessionMs = 24 * 3_600_000
export const sessionsMax = 64
