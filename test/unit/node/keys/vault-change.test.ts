import assert from 'node:assert/strict'
import {
  admitMember,
  chunkHeader,
  deriveVaultKeys,
  type Membership,
  openVaultKeys,
  signerFromSeed,
  toHex,
  type VaultKeys,
  vaultNow,
} from '../../../../protocol/index.ts'
import { VaultRing } from '../../../../node/keys/ring.ts'
import { admit } from '../../../../node/mesh/admit.ts'
import { openVault, vaultOf } from '../../../../node/vault.ts'
import { PaperKey } from '../../../../node/recovery/paper-key.ts'
import { loadZstd } from '../../../../node/adapters/zstd.ts'
import { sourceLabel } from '../../../../node/source-label.ts'
import { testMembership, testSigner } from '../../../support/mesh.ts'
import { every, makeSnapshot, testNode, type TestNode } from '../../../support/node.ts'

const VAULT_KEY = new Uint8Array(32).fill(7)
const seedOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const raw = Buffer.from('what is backed up after the change')

/** What the second device of the mesh could open by itself, with the log of another. */
function opens(membership: Membership, number: number): string[] {
  return openVaultKeys(membership, testSigner(number).device, seedOf(number)).map(toHex)
}

describe('a vault key is changed', () => {
  let node: TestNode
  let membership: Membership

  beforeEach(async () => {
    // Founded before vaults stood in the log: two readers, one storer.
    membership = testMembership(['writer', 'storer']).membership
    node = await testNode({ number: 1, membership })
  })
  afterEach(() => node.close())

  it('with the removal of a reader, in the same step, and what comes is sealed under it', async () => {
    const before = node.parts.vault!
    const root = await makeSnapshot(node, { path: '/home/a' })
    const removed = await node.call('deviceRemove', { device: testSigner(2).device })
    assert.equal(removed.vault_changed, true)
    const { membership: after } = node.parts.ledger
    // The key that the mesh had from the first, then the new one; no entry between the removal and it is the newest.
    assert.deepEqual(
      after.vaults.map(({ vault }) => vault),
      [deriveVaultKeys(VAULT_KEY).vault, node.parts.vault!.keys.vault],
    )
    assert.deepEqual(opens(after, 2), [])
    const sealed = node.parts.vault!.seal('data', raw, [])
    assert.notEqual(chunkHeader(sealed.bytes).vault, before.keys.vault)
    assert.throws(() => before.open(sealed.bytes), { code: 'VAULT_UNKNOWN' })
    assert.deepEqual(Buffer.from(node.parts.vault!.open(sealed.bytes).raw), raw)
    // What was there stays readable.
    assert.equal(node.parts.snapshots.list(every)[0]?.root?.paths.length, 1)
    assert.equal(node.parts.snapshots.list(every)[0]?.live.root, root)
  })

  it('not with the removal of one who reads nothing', async () => {
    const removed = await node.call('deviceRemove', { device: testSigner(3).device })
    assert.equal(removed.vault_changed, undefined)
    assert.deepEqual(node.parts.ledger.membership.vaults, [])
  })

  it('and a restart goes on with it, from the log alone', async () => {
    await node.call('vaultChange', {})
    const { vault } = node.parts.vault!.keys
    await node.close()
    node = await testNode({ number: 1, membership, before: node })
    assert.equal(node.parts.vault?.keys.vault, vault)
    assert.equal(node.parts.vault.older.length, 1)
  })

  it('and sources keep their labels, so that rules go on as before', async () => {
    const label = () => toHex(sourceLabel(node.parts.vault!.keys, testSigner(1).device, [Buffer.from('/a')]))
    const before = label()
    await node.call('vaultChange', {})
    await node.call('vaultChange', {})
    assert.equal(label(), before)
  })

  it('by a person, again and again; all that there were can be opened', async () => {
    const chunks: Uint8Array[] = []
    for (let n = 0; n < 4; n++) {
      chunks.push(node.parts.vault!.seal('data', raw, []).bytes)
      await node.call('vaultChange', {})
    }
    assert.equal(new Set(chunks.map((chunk) => chunkHeader(chunk).vault)).size, 4)
    for (const chunk of chunks) assert.deepEqual(Buffer.from(node.parts.vault!.open(chunk).raw), raw)
    assert.equal(vaultNow(node.parts.ledger.membership)?.vault, node.parts.vault!.keys.vault)
  })

  it('and who is admitted afterwards gets all keys in the step that admits it', async () => {
    await node.call('vaultChange', {})
    const { ledger, ring, world } = node.parts
    const newcomer = signerFromSeed(seedOf(9))
    const request = { device: newcomer.device, name: 'tablet', role: 'writer', mayForget: false } as const
    await admit(ledger, world.clock, request, { ring, random: world.random })
    const keys = openVaultKeys(ledger.membership, newcomer.device, seedOf(9))
    assert.deepEqual(toHex(keys[0]!), toHex(VAULT_KEY))
    assert.equal(deriveVaultKeys(keys[1]!).vault, node.parts.vault!.keys.vault)
  })

  it('is told by a device that was given no box of the newest', async () => {
    await node.call('vaultChange', {})
    // Somebody admits a reader and gives it nothing.
    const { ledger } = node.parts
    const newcomer = testSigner(9)
    const terms = { device: newcomer.device, name: 'tablet', role: 'keeper', atMs: 0 } as const
    await ledger.changeMembership((log, signer) => admitMember(log, signer, terms))
    const other = await testNode({ number: 9, membership: ledger.membership })
    try {
      assert.equal(other.parts.ring.isBehind, true)
      const { problems } = await other.call('status', {})
      assert.deepEqual(
        problems.map(({ code }) => code),
        ['VAULT_UNKNOWN'],
      )
      // It goes on under the key that it has: a backup that waits would be worse.
      assert.equal(other.parts.vault?.keys.vault, deriveVaultKeys(VAULT_KEY).vault)
      await assert.rejects(other.call('vaultChange', {}), { code: 'NOT_ENTITLED' })
    } finally {
      await other.close()
    }
  })
})

describe('the ring of vault keys', () => {
  it('has the key of the file alone where the log has no vault, and nothing where there is neither', async () => {
    const { membership } = testMembership(['storer'])
    const parts = { device: testSigner(1).device, seed: seedOf(1), openVault }
    const ring = await VaultRing.open({ ...parts, fileKey: VAULT_KEY }, membership)
    assert.equal(ring.vault?.keys.vault, deriveVaultKeys(VAULT_KEY).vault)
    assert.equal(ring.isBehind, false)
    const none = await VaultRing.open({ ...parts, fileKey: undefined }, membership)
    assert.equal(none.vault, undefined)
  })
})

describe('chunks of several vaults', () => {
  it('are opened by the vault that they name, and sealed under the newest', async () => {
    const zstd = await loadZstd()
    const keysOf = (n: number) => deriveVaultKeys(new Uint8Array(32).fill(n))
    const [one, two, three] = [keysOf(1), keysOf(2), keysOf(3)]
    const of = (keys: VaultKeys, older: readonly VaultKeys[] = []) => vaultOf(keys, zstd, older)
    const chunks = [of(one), of(two)].map((vault) => vault.seal('data', raw, []).bytes)
    const all = of(three, [one, two])
    for (const chunk of chunks) assert.deepEqual(Buffer.from(all.open(chunk).raw), raw)
    for (const chunk of chunks) assert.deepEqual(Buffer.from(all.openVerified(chunk).raw), raw)
    assert.equal(chunkHeader(all.seal('data', raw, []).bytes).vault, three.vault)
    assert.throws(() => of(three, [one]).open(chunks[1]!), { code: 'VAULT_UNKNOWN' })
  })
})

describe('a paper key', () => {
  it('is made a member with a key of its own, and then replaced with a change of the vault key', async () => {
    const node = await testNode({ number: 1, membership: testMembership(['writer']).membership })
    try {
      const { mesh } = node.parts.ledger.membership
      const random = { bytes: (length: number) => new Uint8Array(length).fill(++drawn) }
      let drawn = 100
      const [first, second] = [PaperKey.draw(random), PaperKey.draw(random)]
      const given = (paper: PaperKey) => ({ device: paper.device, proof: toHex(paper.proofFor(mesh)) })
      const made = await node.call('recoveryNew', given(first))
      assert.equal(made.replaced, false)
      assert.equal(made.vault_changed, false)
      const log = () => node.parts.ledger.membership
      assert.deepEqual(openVaultKeys(log(), first.device, first.seed()).map(toHex), [toHex(VAULT_KEY)])
      const again = await node.call('recoveryNew', given(second))
      assert.deepEqual([again.replaced, again.vault_changed, again.name], [true, true, 'paper'])
      // The old words open what was, and nothing that comes; the new ones open all.
      assert.equal(openVaultKeys(log(), first.device, first.seed()).length, 1)
      assert.equal(openVaultKeys(log(), second.device, second.seed()).length, 2)
      const info = await node.call('recovery', {})
      assert.equal(info.paper?.device, second.device)
      assert.equal(info.opens, true)
      await assert.rejects(node.call('recoveryConfirm', { device: first.device }), { code: 'PHRASE_WRONG' })
      await node.call('recoveryConfirm', { device: second.device })
      assert.ok((await node.call('recovery', {})).confirmed !== undefined)
    } finally {
      await node.close()
    }
  })

  it('of another mesh is refused', async () => {
    const node = await testNode({ number: 1, membership: testMembership([]).membership })
    try {
      const paper = PaperKey.draw({ bytes: (length) => new Uint8Array(length).fill(5) })
      const proof = toHex(paper.proofFor('00'.repeat(32)))
      await assert.rejects(node.call('recoveryNew', { device: paper.device, proof }), {
        code: 'FORMAT_INVALID',
      })
      await assert.rejects(node.call('recoveryNew', { device: paper.device, proof: 'x' }), {
        code: 'FORMAT_INVALID',
      })
    } finally {
      await node.close()
    }
  })

  it('leaves a device alone that is the only machine: it signs, and waits for nobody', async () => {
    const node = await testNode({ number: 1, membership: testMembership([]).membership })
    try {
      const paper = PaperKey.draw({ bytes: (length) => new Uint8Array(length).fill(5) })
      const proof = toHex(paper.proofFor(node.parts.ledger.membership.mesh))
      await node.call('recoveryNew', { device: paper.device, proof })
      assert.equal(node.parts.ledger.isAlone, true)
      const status = await node.call('status', {})
      assert.equal(status.mesh.devices, 1)
      assert.deepEqual(status.problems, [])
      assert.deepEqual(
        (await node.call('devices', {})).map(({ name }) => name),
        ['device-1'],
      )
    } finally {
      await node.close()
    }
  })
})
