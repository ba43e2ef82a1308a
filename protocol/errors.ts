/** The one error class, and the table of its codes (errors.md). */

interface ErrorKind {
  /** Exit status of the command line. */
  readonly exit: number
  /** Number on the wire, where a peer may be told. */
  readonly wire?: number
  /** What a person can do next. */
  readonly remedy: string
}

/** Every error code: its exit status, its number on the wire and its remedy. */
export const ERRORS = {
  // chunks and formats
  CHUNK_NOT_FOUND: { wire: 1, exit: 1, remedy: 'fetch it from a peer: cellar check --repair' },
  CHUNK_CORRUPT: { wire: 2, exit: 1, remedy: 'cellar check --repair' },
  CHUNK_TOO_LARGE: { wire: 3, exit: 1, remedy: 'report this as a bug' },
  CHUNK_MALFORMED: { wire: 4, exit: 1, remedy: 'cellar check --repair' },
  FORMAT_INVALID: { wire: 5, exit: 1, remedy: 'update rootcellar on both devices' },
  VERSION_UNKNOWN: { wire: 6, exit: 1, remedy: 'update rootcellar' },
  VAULT_UNKNOWN: { exit: 1, remedy: 'pair this device as keeper or writer to read' },
  // listings and membership
  LISTING_INVALID: { wire: 10, exit: 1, remedy: 'update rootcellar on both devices' },
  LISTING_GAP: { wire: 11, exit: 1, remedy: 'the missing listings are asked for by themselves' },
  LISTING_FORK: { wire: 12, exit: 1, remedy: 'admit the device again as a new incarnation' },
  MEMBERSHIP_INVALID: { wire: 13, exit: 1, remedy: 'pair the devices again' },
  MEMBERSHIP_FORK: { wire: 14, exit: 1, remedy: 'decide which keeper is right, then remove the other' },
  NOT_ENTITLED: { wire: 15, exit: 1, remedy: 'do it on a keeper' },
  NOT_A_MEMBER: { wire: 16, exit: 1, remedy: 'cellar invite, then cellar join CODE' },
  // storage
  STORE_IN_USE: { exit: 1, remedy: 'stop the other process (cellar stop), or give this one another --home' },
  STORE_CLOSED: { exit: 1, remedy: 'open the store again' },
  STORE_FULL: { wire: 20, exit: 1, remedy: 'free space on the disk, or raise the quota' },
  STORE_DAMAGED: { exit: 1, remedy: 'cellar check --repair' },
  STORE_UNKNOWN: { exit: 1, remedy: 'update rootcellar, or give another --home' },
  CLOSURE_INCOMPLETE: { wire: 21, exit: 1, remedy: 'cellar check --repair' },
  QUOTA_EXCEEDED: { wire: 22, exit: 1, remedy: 'raise the quota of this device' },
  // wire and mesh
  FRAME_TOO_LONG: { wire: 30, exit: 1, remedy: 'update rootcellar on both devices' },
  PEER_PROTOCOL: { wire: 31, exit: 1, remedy: 'update rootcellar on both devices' },
  PEER_ERROR: { wire: 32, exit: 1, remedy: 'look at the other device' },
  PEER_BUSY: { wire: 33, exit: 1, remedy: 'try again later' },
  PEER_GONE: { exit: 20, remedy: 'start rootcellar there (cellar start), or give its address with --at' },
  NO_PEER: { wire: 48, exit: 20, remedy: 'start rootcellar on another device (cellar start)' },
  COPIES_MISSING: { exit: 21, remedy: 'leave rootcellar running (cellar start): it goes on by itself' },
  DEVICE_SUSPECT: { exit: 1, remedy: 'look at its snapshots; when all is well: cellar devices trust NAME' },
  CHUNK_LOST: {
    exit: 1,
    remedy:
      'bring the other devices into reach; what nobody has is gone with the snapshots named: cellar forget',
  },
  DISK_ROTS: {
    exit: 1,
    remedy: 'look at the health of the disk (smartctl -a), and replace it if it goes on',
  },
  DRILL_FAILED: { exit: 1, remedy: 'cellar check --read-data --repair on the device named' },
  COPY_UNPROVEN: { exit: 1, remedy: 'cellar check --read-data --repair on that device' },
  PAIRING_REFUSED: { wire: 34, exit: 12, remedy: 'ask for a new code: cellar invite' },
  CODE_WRONG: { wire: 35, exit: 12, remedy: 'type the code again, as cellar invite shows it' },
  CODE_EXPIRED: { wire: 36, exit: 12, remedy: 'ask for a new code: cellar invite' },
  PHRASE_WRONG: { exit: 12, remedy: 'look at the paper again: 24 words, in their order' },
  PHRASE_USED: { exit: 1, remedy: 'cellar recovery new' },
  PASSPHRASE_WRONG: { exit: 12, remedy: 'type it again; who forgot it: cellar recover, with a new --home' },
  PASSPHRASE_NEEDED: {
    exit: 12,
    remedy: 'run it on a terminal, or set CELLAR_PASSPHRASE_FILE to a file that only you can read',
  },
  // this device and its person
  NO_MESH: { exit: 10, remedy: 'cellar init, or cellar join CODE' },
  STATE_LOST: { exit: 1, remedy: 'join again with a new --home: the other devices hold the snapshots' },
  MESH_EXISTS: { exit: 1, remedy: 'give another --home to make a second one' },
  KEY_MODE: { exit: 1, remedy: 'chmod 600 the key file' },
  KEY_CLONED: { exit: 1, remedy: 'stop one of the two, remove the device, and join again with a new key' },
  KEY_INVALID: { exit: 1, remedy: 'restore the key file, or cellar recover' },
  USAGE: { exit: 2, remedy: 'see cellar help' },
  SNAPSHOT_NOT_FOUND: { wire: 43, exit: 1, remedy: 'cellar snapshots' },
  SNAPSHOT_AMBIGUOUS: { exit: 1, remedy: 'give more digits of the id' },
  PATH_NOT_FOUND: { wire: 44, exit: 1, remedy: 'cellar ls SNAPSHOT' },
  DEVICE_NOT_FOUND: { exit: 1, remedy: 'cellar devices' },
  SOURCE_UNREADABLE: { exit: 3, remedy: 'look at the permissions of the files named' },
  COMMAND_FAILED: { exit: 1, remedy: 'run the command by itself, and look at what it says' },
  TARGET_UNSAFE: { wire: 45, exit: 1, remedy: 'restore to an empty directory' },
  TARGET_FULL: {
    wire: 46,
    exit: 1,
    remedy: 'free space where you restore to, or restore only a part (--include)',
  },
  RESTORE_INCOMPLETE: { wire: 47, exit: 1, remedy: 'restore the files named again, --from another device' },
  ORDER_REFUSED: { wire: 40, exit: 1, remedy: 'ask the person at that device' },
  ORDER_EXPIRED: { wire: 41, exit: 1, remedy: 'ask again: cellar restore SNAPSHOT --on DEVICE' },
  ORDER_NOT_FOUND: { wire: 42, exit: 1, remedy: 'cellar restores' },
  ORDER_WAITS: { exit: 1, remedy: 'cellar restores, then cellar restores accept ID, or refuse ID' },
  CHECK_FAILED: { exit: 1, remedy: 'cellar check --repair' },
  CONFIG_INVALID: { exit: 2, remedy: 'mend the line named' },
  NODE_NOT_RUNNING: { exit: 1, remedy: 'cellar start' },
  NODE_STOPPED: { exit: 1, remedy: 'cellar start, then run it again: it goes on where it stopped' },
  NODE_BUSY: { exit: 1, remedy: 'run it again when fewer commands run' },
  TOKEN_WRONG: {
    exit: 1,
    remedy: 'open the link that cellar dashboard prints, or send the token of dashboard.token',
  },
  ORIGIN_REFUSED: {
    exit: 1,
    remedy: 'open the link that cellar dashboard prints, in a browser on this machine',
  },
  HOME_FORBIDDEN: { exit: 1, remedy: 'run it as the user who owns the home, or give another --home' },
  HOOK_FAILED: { exit: 1, remedy: 'look at the settings of the hook, then try it: cellar hook test NAME' },
  BACKUP_LATE: { exit: 1, remedy: 'cellar backup --profile NAME, and look at cellar status' },
  INTERNAL: { exit: 1, remedy: 'run it again with -v, and report what it prints as a bug' },
  SERVICE_FAILED: { exit: 1, remedy: 'look at its log (journalctl), or run it by hand: cellar start' },
  PUT_OFF: { exit: 75, remedy: 'it is done by itself once that is over; or at once, with --force' },
  ABORTED: { exit: 130, remedy: 'run it again: it goes on where it stopped' },
} as const satisfies Record<string, ErrorKind>

/** A name in the table of errors. */
export type ErrorCode = keyof typeof ERRORS

/** Facts about an error: ids, sizes, offsets. Never key material or plaintext. */
export type ErrorContext = Readonly<Record<string, string | number | boolean>>

/** What went wrong, to what; match it by `code`, never by message. */
export class CellarError extends Error {
  override readonly name = 'CellarError'
  readonly code: ErrorCode
  readonly context: ErrorContext

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.context = context
  }
}

/** Says whether something caught is one of ours, and, if asked, with that code. */
export function isCellarError(error: unknown, code?: ErrorCode): error is CellarError {
  return error instanceof CellarError && (code === undefined || error.code === code)
}

const BY_WIRE = new Map<number, ErrorCode>()
for (const [code, kind] of Object.entries(ERRORS) as [ErrorCode, ErrorKind][]) {
  if (kind.wire !== undefined) BY_WIRE.set(kind.wire, code)
}

/** The code for a number that a peer sent; an unknown number is `PEER_ERROR`. */
export function errorCodeFromWire(wire: number): ErrorCode {
  return BY_WIRE.get(wire) ?? 'PEER_ERROR'
}

/** The number that a peer is told for a code; codes that are not for the wire become `PEER_ERROR`. */
export function errorCodeToWire(code: ErrorCode): number {
  const kind: ErrorKind = ERRORS[code]
  return kind.wire ?? ERRORS.PEER_ERROR.wire
}
