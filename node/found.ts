/** How a device begins: the first of a new mesh, or one more of an old one. */

import {
  CellarError,
  foundMesh,
  introduceVault,
  admitPaper,
  type Membership,
  memberNow,
  openMembership,
  type Signer,
  signerFromSeed,
} from '../protocol/index.ts'
import { type Catalog, openCatalog } from '../storage/index.ts'
import { makePrivateDirectory } from './adapters/private-files.ts'
import { systemWorld } from './adapters/system-world.ts'
import type { InitOptions, Initialized, Joined, JoinEvent, JoinOptions } from './api.ts'
import { type Config, CONFIG_DEFAULT } from './config.ts'
import {
  endJoining,
  hasConfig,
  hasDevice,
  type HomePaths,
  joiningKey,
  readConfig,
  writeConfig,
  writeKeys,
} from './home.ts'
import { entryKey } from './ledger/records.ts'
import { listenAddress } from './mesh/listen-address.ts'
import { type PathText, pathBytes } from './path-text.ts'
import type { PaperKey } from './recovery/paper-key.ts'

const keyBytes = 32
const nonceBytes = 16
const shortIdDigits = 8

/**
 * Makes this device the first of a new mesh. The device key is written last: until it is there, nothing is.
 *
 * @param paper - the key on paper, which becomes a member too: its words open the vault key
 * @throws {CellarError} `MESH_EXISTS`, `USAGE`, `CONFIG_INVALID`
 */
export async function initDevice(
  home: HomePaths,
  options: InitOptions,
  paper?: PaperKey,
): Promise<Initialized> {
  refuseSecond(home)
  if (options.role !== 'keeper')
    throw new CellarError('USAGE', 'the first device of a mesh is a keeper: it has to admit the others')
  const { random, clock } = systemWorld
  const device = random.bytes(keyBytes)
  const signer = signerFromSeed(device)
  const config = beginningConfig(home, options.listen, options.store)
  const vaultKey = random.bytes(keyBytes)
  const atMs = clock.nowMs()
  const founded = foundMesh(signer, {
    name: options.name,
    copiesGoal: options.copies,
    nonce: random.bytes(nonceBytes),
    atMs,
  })
  const withPaper =
    paper === undefined ? founded : admitPaper(founded, signer, paperTerms(paper, founded, atMs))
  const membership = introduceVault(withPaper, signer, { vaultKey, random, atMs })
  await settle(home, { config, membership, device, vault: vaultKey, addresses: [] })
  return {
    message_type: 'initialized',
    id: membership.mesh,
    short_id: membership.mesh.slice(0, shortIdDigits),
    device: signer.device,
    name: nameIn(membership, signer),
    role: options.role,
    home: home.directory,
    keys: home.directory,
    store: config.store ?? home.store,
  }
}

function paperTerms(paper: PaperKey, { mesh, members }: Membership, atMs: number) {
  const isTaken = [...members.values()].some(({ name }) => name === 'paper')
  const proof = paper.proofFor(mesh)
  return { paper: { device: paper.device, proof }, name: isTaken ? 'paper-2' : 'paper', atMs }
}

/** What joining waits and tells by. */
export interface JoinContext {
  readonly signal: AbortSignal
  /** What joining is doing now. */
  readonly onEvent?: (event: JoinEvent) => void
}

/**
 * Makes this device one more of a mesh, by the code that another one shows.
 *
 * @throws {CellarError} `MESH_EXISTS`, `CODE_WRONG`, `CODE_EXPIRED`, `PAIRING_REFUSED`, `NO_PEER`, `PEER_GONE`
 */
export async function joinMesh(home: HomePaths, options: JoinOptions, context: JoinContext): Promise<Joined> {
  refuseSecond(home)
  const { random, clock } = systemWorld
  const device = joiningKey(home, random.bytes(keyBytes))
  const signer = signerFromSeed(device)
  const config = beginningConfig(home, options.listen, options.store)
  const tell = context.onEvent ?? (() => undefined)
  const [{ openNetwork }, { join }] = await loadPairing()
  const network = await openNetwork({
    seed: device,
    listen: [],
    mdns: config.mdns && options.at.length === 0,
    clock,
  })
  try {
    tell({ message_type: 'joining', step: 'looking' })
    const joined = await join(
      {
        network,
        clock,
        random,
        onTerms: () => {
          tell({ message_type: 'joining', step: 'confirming' })
        },
        keep: async ({ entries, mesh, vaultKey, addresses }) => {
          const membership = openMembership(entries)
          if (membership.mesh !== mesh || memberNow(membership, signer.device) === undefined) {
            throw new CellarError(
              'MEMBERSHIP_INVALID',
              'the membership that was sent does not have this device',
            )
          }
          await settle(home, { config, membership, device, vault: vaultKey, addresses })
        },
      },
      { code: options.code, name: options.name, ...(options.at.length > 0 && { at: options.at }) },
      context.signal,
    )
    endJoining(home)
    tell({ message_type: 'joining', step: 'admitted' })
    const membership = openMembership(joined.entries)
    return {
      message_type: 'joined',
      id: joined.mesh,
      short_id: joined.mesh.slice(0, shortIdDigits),
      device: signer.device,
      name: nameIn(membership, signer),
      ...(isTaken(membership, signer, options.name) && { name_taken: options.name }),
      role: joined.role,
      inviter: joined.inviter,
      inviter_name: memberNow(membership, joined.inviter)?.name ?? joined.inviterName,
      check_words: joined.checkWords,
      home: home.directory,
      keys: home.directory,
      store: config.store ?? home.store,
    }
  } finally {
    await network.close()
  }
}

/** The network and its cryptography take longer to load than most commands to run: only who joins needs them here. */
const loadPairing = () =>
  Promise.all([import('./adapters/libp2p-network.ts'), import('./mesh/pairing/join.ts')])

/** One home, one device. @throws {CellarError} `MESH_EXISTS` */
export function refuseSecond(home: HomePaths): void {
  if (hasDevice(home))
    throw new CellarError('MESH_EXISTS', `a device lives in ${home.directory} already`, {
      path: home.directory,
    })
}

/**
 * What a new device is set to. Settings that a person has written beforehand, or an earlier try has left, stay as they
 * are, unless the flags say something else.
 *
 * @throws {CellarError} `CONFIG_INVALID`
 */
export function beginningConfig(
  home: HomePaths,
  listen: readonly string[],
  store: PathText | undefined,
): Config {
  const path = store === undefined ? undefined : Buffer.from(pathBytes(store)).toString()
  if (hasConfig(home)) {
    const written = readConfig(home)
    const isOther = listen.length > 0 && listen.join() !== written.listen.join()
    if (!isOther && (path === undefined || path === written.store)) return written
  }
  if (listen.length === 0) return { ...CONFIG_DEFAULT, store: path }
  // Who listens on the loopback only has nothing to tell the network, and nobody there can call.
  const mdns = !listen.map(listenAddress).every((address) => /^\/ip(4\/127\.|6\/::1\/)/.test(address))
  return { ...CONFIG_DEFAULT, listen, mdns, store: path }
}

/** Says whether another device has a name, or had it. */
function isTaken(membership: Membership, signer: Signer, name: string): boolean {
  return [...membership.members.values()].some(
    (member) => member.device !== signer.device && member.name === name,
  )
}

function nameIn(membership: Membership, signer: Signer): string {
  return memberNow(membership, signer.device)?.name ?? ''
}

/** What a new device starts with. */
export interface Beginning {
  readonly config: Config
  readonly membership: Membership
  readonly device: Uint8Array
  readonly vault: Uint8Array | undefined
  /** Multiaddrs of members, with their device ids. */
  readonly addresses: readonly string[]
}

/** Writes a new home: what the keys name first, the device key last. After a crash before that there is no device. */
export async function settle(home: HomePaths, beginning: Beginning): Promise<void> {
  makePrivateDirectory(home.directory)
  const catalog = await openCatalog(home.state)
  try {
    await writeMembership(catalog.sub('ledger'), beginning.membership)
    await catalog.sub('addresses').batch(
      beginning.addresses.map((address, at) => ({
        type: 'put' as const,
        key: `first/${String(at)}`,
        value: Buffer.from(address),
      })),
      { durable: true },
    )
  } finally {
    await catalog.close()
  }
  writeConfig(home, beginning.config)
  writeKeys(home, { device: beginning.device, vault: beginning.vault })
}

/** Keeps a whole log, in the place of what an earlier try has left. */
export async function writeMembership(ledger: Catalog, membership: Membership): Promise<void> {
  const old: string[] = []
  for await (const [key] of ledger.iterate()) old.push(key)
  await ledger.batch(
    [
      ...old.map((key) => ({ type: 'del' as const, key })), // an earlier try that was interrupted
      ...membership.entries.map((value, epoch) => ({ type: 'put' as const, key: entryKey(epoch), value })),
    ],
    { durable: true },
  )
}
