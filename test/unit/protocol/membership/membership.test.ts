import assert from 'node:assert/strict'
import {
  admitMember,
  changeCopiesGoal,
  changeMember,
  compareLogs,
  entryHash,
  extendMembership,
  isEntitled,
  leaningMembers,
  mayForget,
  memberAt,
  memberNow,
  type Membership,
  openMembership,
  removeMember,
} from '../../../../protocol/index.ts'
import { AT_MS, meshOf, signerOf } from '../a-mesh.ts'

const keeper = signerOf('keeper')
const laptop = signerOf('laptop').device

describe('membership', () => {
  it('opens from its entries to what it was', () => {
    const mesh = meshOf({ laptop: 'writer', pi: 'storer' })
    const again = openMembership(mesh.entries)
    assert.deepEqual(again, mesh)
    assert.equal(again.headHash, entryHash(mesh.entries.at(-1) ?? new Uint8Array(0)))
  })

  it('does not change when it grows', () => {
    const mesh = meshOf()
    const grown = admitMember(mesh, keeper, { device: laptop, name: 'laptop', role: 'writer', atMs: AT_MS })
    assert.equal(mesh.epoch, 0)
    assert.equal(grown.epoch, 1)
    assert.equal(memberNow(mesh, laptop), undefined)
  })

  it('gives a role its capabilities, or those that are said', () => {
    const mesh = meshOf({ laptop: 'writer', pi: 'storer' })
    assert.equal(mayForget(mesh, laptop), false)
    assert.equal(isEntitled(mesh, laptop, 'backup'), true)
    const device = signerOf('pi').device
    const changed = changeMember(mesh, keeper, {
      device,
      capabilities: ['store', 'forget'],
      quotaBytes: 5,
      atMs: AT_MS,
    })
    assert.equal(mayForget(changed, device), true)
    assert.deepEqual(memberNow(changed, device), {
      device,
      incarnation: 1,
      name: 'pi',
      role: 'storer',
      capabilities: new Set(['store', 'forget']),
      quotaBytes: 5,
      admittedEpoch: 2,
    })
    assert.equal(
      mayForget(changeMember(changed, keeper, { device, role: 'storer', atMs: AT_MS }), device),
      false,
    )
  })

  it('M4.1 tells what a device was at an epoch', () => {
    const mesh = removeMember(meshOf({ laptop: 'writer' }), keeper, { device: laptop, atMs: AT_MS })
    assert.equal(memberAt(mesh, laptop, 0), undefined)
    assert.equal(memberAt(mesh, laptop, 1)?.role, 'writer')
    assert.equal(memberAt(mesh, laptop, 2), undefined)
    assert.equal(mesh.members.get(laptop)?.removedEpoch, 2)
  })

  it('M3.8 gives leaning with no role, by whoever may admit, and keeps it with a new role', () => {
    const mesh = meshOf({ laptop: 'writer', desktop: 'keeper' })
    assert.deepEqual(leaningMembers(mesh), [])
    const capabilities = ['backup', 'read', 'store', 'lean'] as const
    const leaning = changeMember(mesh, keeper, { device: laptop, capabilities, atMs: AT_MS })
    const names = (of: Membership) => leaningMembers(of).map(({ name }) => name)
    assert.deepEqual(names(openMembership(leaning.entries)), ['laptop'])
    const renamed = changeMember(leaning, keeper, { device: laptop, name: 'book', atMs: AT_MS })
    const storing = changeMember(renamed, keeper, { device: laptop, role: 'storer', atMs: AT_MS })
    assert.deepEqual(names(storing), ['book'])
    const taken = changeMember(storing, keeper, { device: laptop, capabilities: ['store'], atMs: AT_MS })
    assert.deepEqual(names(taken), [])
    assert.deepEqual(names(removeMember(leaning, keeper, { device: laptop, atMs: AT_MS })), [])
    // Who may not change the membership gives it to nobody, itself neither.
    assert.throws(
      () => changeMember(mesh, signerOf('laptop'), { device: laptop, capabilities, atMs: AT_MS }),
      { code: 'NOT_ENTITLED' },
    )
  })

  it('changes the copies goal', () => {
    assert.equal(changeCopiesGoal(meshOf(), keeper, { copiesGoal: 2, atMs: AT_MS }).copiesGoal, 2)
  })

  it('extends by what another device sends, and passes over what it knows', () => {
    const long = meshOf({ laptop: 'writer', pi: 'storer' })
    assert.deepEqual(extendMembership(openMembership(long.entries.slice(0, 1)), long.entries), long)
    assert.equal(extendMembership(long, long.entries), long)
    // What is known is not verified again: a peer could ask for that work as often as it likes.
    const spoil = (bytes: Uint8Array) => Uint8Array.of(...bytes.subarray(0, -1), (bytes.at(-1) ?? 0) ^ 1)
    const spoilt = long.entries.map(spoil)
    assert.equal(extendMembership(long, spoilt), long)
    assert.throws(() => extendMembership(openMembership(long.entries.slice(0, 1)), long.entries.slice(2)), {
      code: 'MEMBERSHIP_INVALID',
    })
  })

  it('M5.1 sees a fork, and takes nothing of the other branch', () => {
    const mesh = meshOf({ desktop: 'keeper' })
    const terms = { role: 'writer', atMs: AT_MS } as const
    const one = admitMember(mesh, keeper, { ...terms, device: laptop, name: 'laptop' })
    const other = admitMember(mesh, signerOf('desktop'), {
      ...terms,
      device: signerOf('pi').device,
      name: 'pi',
    })
    assert.throws(() => extendMembership(one, other.entries), { code: 'MEMBERSHIP_FORK' })
    const longer = admitMember(other, keeper, { ...terms, device: laptop, name: 'laptop' })
    assert.throws(() => extendMembership(one, longer.entries.slice(-1)), { code: 'MEMBERSHIP_FORK' })
    assert.equal(compareLogs(one, other), 'fork')
    assert.equal(compareLogs(one, longer), 'fork')
    assert.equal(compareLogs(mesh, one), 'behind')
    assert.equal(compareLogs(one, mesh), 'ahead')
    assert.equal(compareLogs(one, openMembership(one.entries)), 'same')
  })

  it('M2.3 normalizes names, and refuses those that cannot be shown', () => {
    const mesh = admitMember(meshOf(), keeper, {
      device: laptop,
      name: ' cafe\u0301 ',
      role: 'writer',
      atMs: AT_MS,
    })
    assert.equal(memberNow(mesh, laptop)?.name, 'caf\u00e9')
    for (const name of ['', ' ', 'a\nb', 'x'.repeat(65), 'a\u202eb']) {
      assert.throws(
        () => admitMember(meshOf(), keeper, { device: laptop, name, role: 'writer', atMs: AT_MS }),
        {
          code: 'MEMBERSHIP_INVALID',
        },
      )
    }
  })
})
