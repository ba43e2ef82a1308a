import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  admitMember,
  admitPaper,
  copiesOf,
  deriveVaultKeys,
  emptyView,
  extendMembership,
  goalHolders,
  introduceVault,
  leaningMembers,
  machinesOf,
  type Membership,
  openMembership,
  openVaultKeys,
  papersOf,
  type Random,
  readersWithoutBox,
  removeMember,
  shareVault,
  signPaperProof,
  toHex,
  vaultNow,
} from '../../../../protocol/index.ts'
import { AT_MS, Device, meshOf, Node, rootOf, signerOf } from '../a-mesh.ts'

/** Bytes that differ from call to call and are the same in each run. */
function drawer(): Random {
  let drawn = 0
  return {
    bytes: (length) => {
      const from = createHash('sha512')
        .update(`drawn ${String(++drawn)}`)
        .digest()
      return new Uint8Array(from.subarray(0, length))
    },
  }
}

const KEEPER = signerOf('keeper')
const PAPER = signerOf('paper')
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => new Uint8Array(32).fill(n)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

/** The seed of a device whose key follows from a name. */
function seedOf(name: string): Uint8Array {
  return createHash('sha256').update(`seed of ${name}`).digest()
}

/** What a device can open, in hex. */
function keysOf(membership: Membership, name: string): string[] {
  return openVaultKeys(membership, signerOf(name).device, seedOf(name)).map(toHex)
}

function withPaper(membership: Membership): Membership {
  const proof = signPaperProof(PAPER, membership.mesh)
  return admitPaper(membership, KEEPER, {
    paper: { device: PAPER.device, proof },
    name: 'paper',
    atMs: AT_MS,
  })
}

function first(membership: Membership, vaultKey = FIRST): Membership {
  return introduceVault(membership, KEEPER, { vaultKey, random: drawer(), atMs: AT_MS })
}

function changed(membership: Membership, vaultKey: Uint8Array, before: Uint8Array): Membership {
  return introduceVault(membership, KEEPER, { vaultKey, before, random: drawer(), atMs: AT_MS })
}

function without(membership: Membership, name: string): Membership {
  return removeMember(membership, KEEPER, { device: signerOf(name).device, atMs: AT_MS })
}

describe('vaults in the membership log', () => {
  const all = [FIRST, SECOND, THIRD].map(toHex)

  it('are opened by those who read, and by nobody else', () => {
    const mesh = first(withPaper(meshOf({ laptop: 'writer', pi: 'storer' })))
    for (const name of ['keeper', 'laptop', 'paper']) assert.deepEqual(keysOf(mesh, name), [all[0]], name)
    for (const name of ['pi', 'stranger']) assert.deepEqual(keysOf(mesh, name), [], name)
  })

  it('open all that were before with the newest key, for a newcomer too', () => {
    const old = changed(changed(first(meshOf({ laptop: 'writer' })), SECOND, FIRST), THIRD, SECOND)
    const tablet = { device: signerOf('tablet').device, name: 'tablet', role: 'writer', atMs: AT_MS } as const
    const admitted = admitMember(old, KEEPER, tablet)
    assert.deepEqual(
      readersWithoutBox(admitted).map(({ name }) => name),
      ['tablet'],
    )
    assert.deepEqual(keysOf(admitted, 'tablet'), [])
    const shared = shareVault(admitted, KEEPER, { vaultKey: THIRD, random: drawer(), atMs: AT_MS })
    assert.deepEqual(keysOf(shared, 'tablet'), all)
    assert.deepEqual(keysOf(openMembership(shared.entries), 'laptop'), all)
  })

  it('do not let a removed device read what comes under the next key', () => {
    const before = first(meshOf({ laptop: 'writer' }))
    const after = changed(without(before, 'laptop'), SECOND, FIRST)
    assert.deepEqual(keysOf(after, 'laptop'), [all[0]])
    assert.deepEqual(keysOf(after, 'keeper'), all.slice(0, 2))
    // Its whole knowledge: its key, all keys it could open, and the whole log.
    const { before: sealed, boxes } = vaultNow(after)!
    assert.equal(
      boxes.some(({ device }) => device === signerOf('laptop').device),
      false,
    )
    const whole = Buffer.concat([...after.entries])
    assert.equal(whole.includes(Buffer.from(SECOND)), false)
    assert.equal(Buffer.from(sealed!).includes(Buffer.from(FIRST)), false)
  })

  it('take several entries where there are many readers, each within its bound', () => {
    const names = Array.from({ length: 15 }, (_, at) => `writer-${String(at)}`)
    const mesh = first(withPaper(meshOf(Object.fromEntries(names.map((name) => [name, 'writer'] as const)))))
    for (const name of ['keeper', 'paper', ...names]) assert.deepEqual(keysOf(mesh, name), [all[0]], name)
    const sizes = mesh.entries.map((entry) => entry.byteLength)
    assert.ok(Math.max(...sizes) <= 1024, `${String(Math.max(...sizes))} bytes`)
    assert.equal(mesh.entries.length, 1 + 15 + 1 + 3)
    assert.equal(mesh.vaults.length, 1)
  })

  it('are not brought twice, and not by one who has no box of it', () => {
    const mesh = first(meshOf({ laptop: 'writer' }))
    assert.throws(() => changed(mesh, FIRST, SECOND), { code: 'MEMBERSHIP_INVALID' })
    assert.throws(() => first(mesh, SECOND), { code: 'MEMBERSHIP_INVALID' })
    const byWriter = () =>
      introduceVault(mesh, signerOf('laptop'), {
        vaultKey: SECOND,
        before: FIRST,
        random: drawer(),
        atMs: AT_MS,
      })
    assert.throws(byWriter, { code: 'NOT_ENTITLED' })
  })

  it('stand in no log of a mesh that was founded before, which goes on', () => {
    const mesh = meshOf({ laptop: 'writer' })
    assert.deepEqual(mesh.vaults, [])
    assert.deepEqual(shareVault(mesh, KEEPER, { vaultKey: FIRST, random: drawer(), atMs: AT_MS }), mesh)
    assert.deepEqual(keysOf(mesh, 'laptop'), [])
  })

  it('fork the log when two keepers change the key at once, and nothing of it is taken in', () => {
    const mesh = first(meshOf({ other: 'keeper' }))
    const [one, two] = [changed(mesh, SECOND, FIRST), changed(mesh, THIRD, FIRST)]
    assert.throws(() => extendMembership(one, two.entries), { code: 'MEMBERSHIP_FORK' })
    assert.equal(vaultNow(one)?.vault, deriveVaultKeys(SECOND).vault)
  })
})

describe('a paper device', () => {
  const mesh = withPaper(meshOf({ laptop: 'writer', pi: 'storer' }))

  it('counts for no copy, no placement, no leaning, and is no machine', () => {
    assert.deepEqual(
      papersOf(mesh).map(({ name }) => name),
      ['paper'],
    )
    assert.deepEqual(
      machinesOf(mesh).map(({ name }) => name),
      ['keeper', 'laptop', 'pi'],
    )
    assert.equal(goalHolders(mesh, rootOf('a')).includes(PAPER.device), false)
    for (const copies of [1, 2, 3, 4, 5])
      assert.equal(goalHolders(mesh, rootOf('a'), copies).includes(PAPER.device), false)
    assert.equal(copiesOf(emptyView(), mesh, rootOf('a')).missing.includes(PAPER.device), false)
    assert.deepEqual(leaningMembers(mesh), [])
  })

  it('M4.2 says nothing that anybody accepts: its listing is refused', () => {
    const paper = new Device('paper')
    paper.next(mesh, { adds: ['lie'] })
    assert.throws(() => new Node(mesh).offer(paper), { code: 'NOT_A_MEMBER' })
  })

  it('admits a new machine with all that a keeper has, and that one admits others', () => {
    const fresh = signerOf('fresh')
    const terms = { device: fresh.device, name: 'fresh', role: 'keeper', atMs: AT_MS } as const
    const admitted = admitMember(mesh, PAPER, terms)
    assert.equal(admitted.members.get(fresh.device)?.admittedBy, PAPER.device)
    const friend = { device: signerOf('friend').device, name: 'friend', role: 'keeper', atMs: AT_MS } as const
    assert.equal(admitMember(admitted, fresh, friend).members.get(friend.device)?.admittedBy, undefined)
  })

  it('removes nobody, and is not the last that is left to admit', () => {
    const device = signerOf('pi').device
    assert.throws(() => removeMember(mesh, PAPER, { device, atMs: AT_MS }), { code: 'NOT_ENTITLED' })
    assert.throws(() => without(mesh, 'keeper'), { code: 'MEMBERSHIP_INVALID' })
  })

  it('is worth nothing once it was removed', () => {
    const gone = without(mesh, 'paper')
    const terms = { device: signerOf('fresh').device, name: 'fresh', role: 'keeper', atMs: AT_MS } as const
    assert.throws(() => admitMember(gone, PAPER, terms), { code: 'NOT_A_MEMBER' })
  })
})
