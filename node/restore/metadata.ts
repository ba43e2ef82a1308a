/** Puts owner, mode, attributes and times on what was restored, in the one order that works (restore.md §5). */

import type { Entry } from '../../protocol/index.ts'
import type { Dir, Posix, Stat, Xattr } from '../adapters/posix.ts'

/** Who restores: decides what can be set at all. */
export interface Rights {
  readonly isRoot: boolean
  readonly uid: number
  readonly gid: number
  /** Groups that this process may give files to. */
  readonly groups: ReadonlySet<number>
  readonly umask: number
}

/** Looks at this process. */
export function rightsOfProcess(posix: Posix): Rights {
  const uid = process.geteuid?.() ?? 0
  const gid = process.getegid?.() ?? 0
  return {
    isRoot: uid === 0,
    uid,
    gid,
    groups: new Set([gid, ...(process.getgroups?.() ?? [])]),
    umask: posix.umask(),
  }
}

/** Where metadata goes: an open file, or a name. */
export type Place = { readonly fd: number } | { readonly dir: Dir; readonly name: Uint8Array }

/** What is known of the place. */
export interface PlaceFacts {
  /** Attributes it may have got from the directory it was made in (a default ACL) go, unless the entry has them. */
  readonly inheritsAcl: boolean
  /** It was made by us just now, with our user and group, and this mode; undefined: anything may be set on it. */
  readonly madeWithMode?: number
}

/** Tells, once for each kind of loss, what could not be set. */
export type Notice = (what: string) => void

const S_ISUID_ISGID = 0o6000
const ACL = 'system.posix_acl_'

/** The mode with which a new file can be made so that nothing has to be set later; undefined if that is not safe. */
export function modeAtOnce(entry: Entry, rights: Rights, inheritsAcl: boolean): number | undefined {
  const isOwn = entry.uid === rights.uid && entry.gid === rights.gid
  const isPlain = entry.mode <= 0o777 && (entry.mode & rights.umask) === 0
  return isOwn && isPlain && !inheritsAcl && entry.xattrs === undefined ? entry.mode : undefined
}

/**
 * Sets everything but the time of a symlink's target: attributes of the user, owner, mode, then ACLs and capabilities
 * (setting the owner clears them), then times. What only root may set is left out for others, with a notice.
 *
 * @throws {Error} of the system when something that should work does not
 */
export function applyMetadata(
  posix: Posix,
  place: Place,
  entry: Entry,
  facts: PlaceFacts,
  rights: Rights,
  notice: Notice,
): void {
  const set = setters(posix, place)
  const xattrs = entry.xattrs ?? []
  for (const xattr of xattrs) if (!isLate(xattr)) setXattr(set.xattr, xattr, rights, notice)
  const isOwned = setOwner(set.chown, entry, facts, rights, notice)
  if (entry.type !== 'symlink') {
    let mode = entry.mode
    if (!isOwned && (mode & S_ISUID_ISGID) !== 0) {
      mode &= ~S_ISUID_ISGID // else somebody's program would run as whoever restores
      notice('set-user-id and set-group-id bits: the owner could not be set')
    }
    if (facts.madeWithMode !== mode) set.chmod(mode)
  }
  if (facts.inheritsAcl) {
    for (const name of ['system.posix_acl_access', 'system.posix_acl_default']) {
      if (!xattrs.some((xattr) => nameOf(xattr) === name)) set.removeXattr(Buffer.from(name))
    }
  }
  for (const xattr of xattrs) if (isLate(xattr)) setXattr(set.xattr, xattr, rights, notice)
  set.utime(entry.mtimeNs)
}

interface Setters {
  readonly chown: (uid: number, gid: number) => void
  readonly chmod: (mode: number) => void
  readonly utime: (mtimeNs: bigint) => void
  readonly xattr: (xattr: Xattr) => void
  readonly removeXattr: (name: Uint8Array) => void
}

function setters(posix: Posix, place: Place): Setters {
  if ('fd' in place) {
    const { fd } = place
    return {
      chown: (uid, gid) => {
        posix.chown(fd, { uid, gid })
      },
      chmod: (mode) => {
        posix.chmod(fd, mode)
      },
      utime: (mtimeNs) => {
        posix.utime(fd, mtimeNs)
      },
      xattr: (xattr) => {
        posix.setXattr(fd, xattr)
      },
      removeXattr: (name) => {
        posix.removeXattr(fd, name)
      },
    }
  }
  const { dir, name } = place
  return {
    chown: (uid, gid) => {
      posix.chownAt(dir, name, { uid, gid })
    },
    chmod: (mode) => {
      posix.chmodAt(dir, name, mode)
    },
    utime: (mtimeNs) => {
      posix.utimeAt(dir, name, mtimeNs)
    },
    xattr: (xattr) => {
      posix.setXattrAt(dir, name, xattr)
    },
    removeXattr: (xattrName) => {
      posix.removeXattrAt(dir, name, xattrName)
    },
  }
}

/** @returns whether owner and group are now those of the entry */
function setOwner(
  chown: Setters['chown'],
  entry: Entry,
  facts: PlaceFacts,
  rights: Rights,
  notice: Notice,
): boolean {
  if (facts.madeWithMode !== undefined && entry.uid === rights.uid && entry.gid === rights.gid) return true
  if (rights.isRoot) {
    chown(entry.uid, entry.gid)
    return true
  }
  if (entry.uid !== rights.uid || !rights.groups.has(entry.gid)) {
    notice('owner and group: only root may give files away')
    return false
  }
  chown(-1, entry.gid)
  return true
}

function setXattr(set: Setters['xattr'], xattr: Xattr, rights: Rights, notice: Notice): void {
  try {
    set(xattr)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const name = nameOf(xattr)
    const space = name.slice(0, name.indexOf('.') + 1)
    if (code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS')
      notice(`extended attributes ${space}*: not supported in the target`)
    else if (code === 'EPERM' && !rights.isRoot && (space === 'security.' || space === 'trusted.'))
      notice(`extended attributes ${space}*: only root may set them`)
    else throw error
  }
}

/** ACLs change with the mode, capabilities with the owner: they come after both. */
function isLate(xattr: Xattr): boolean {
  const name = nameOf(xattr)
  return name.startsWith(ACL) || name.startsWith('security.')
}

function nameOf(xattr: Xattr): string {
  return Buffer.from(xattr.name).toString('latin1')
}

/** Sets the metadata of a file whose content is right already, where it differs. */
export function refreshMetadata(
  posix: Posix,
  place: { readonly dir: Dir; readonly name: Uint8Array },
  entry: Entry,
  found: Stat,
  by: { readonly rights: Rights; readonly notice: Notice },
): void {
  const isOwner = !by.rights.isRoot || (found.uid === entry.uid && found.gid === entry.gid)
  if (isOwner && (found.mode & 0o7777) === entry.mode && entry.xattrs === undefined) return
  applyMetadata(posix, place, entry, { inheritsAcl: false }, by.rights, by.notice)
}

/** Takes from an existing directory the attributes of users, and ACLs, that the snapshot's does not have. */
export function dropOtherXattrs(posix: Posix, dir: Dir, name: Uint8Array, entry: Entry): void {
  const wanted = new Set((entry.xattrs ?? []).map(nameOf))
  for (const xattr of posix.readXattrsAt(dir, name)) {
    const found = nameOf(xattr)
    if (!wanted.has(found) && (found.startsWith('user.') || found.startsWith(ACL)))
      posix.removeXattrAt(dir, name, xattr.name)
  }
}
