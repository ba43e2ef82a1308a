import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import {
  admitMember,
  admitPaper,
  AUDIT_PROTOCOL,
  CellarError,
  changeCopiesGoal,
  CHUNKS_PROTOCOL,
  encodeMessage,
  foundMesh,
  introduceVault,
  isPaper,
  type Membership,
  memberNow,
  openMembership,
  openVaultKeys,
  RECOVER_PROTOCOL,
  removeMember,
  SYNC_PROTOCOL,
  toHex,
} from '../../../../protocol/index.ts'
import { MemoryHub, memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import type { RecoverEvent } from '../../../../node/api-recovery.ts'
import type { Network } from '../../../../node/network.ts'
import { RecoveryChannel, serveRecovery } from '../../../../node/recovery/exchange.ts'
import { PaperKey } from '../../../../node/recovery/paper-key.ts'
import { type RecoverParts, recoverOver } from '../../../../node/recovery/recover.ts'
import { goOffline, goOnline, testDevice, type TestDevice, testSigner } from '../../../support/mesh.ts'

const { clock, random } = systemWorld
const VAULT_KEY = new Uint8Array(32).fill(7)
const KEEPER = testSigner(1)
const PI = testSigner(2)
const NEW_SEED = new Uint8Array(32).fill(3)
const NEW = testSigner(3)
const PAPER = PaperKey.draw({ bytes: (length) => new Uint8Array(length).fill(0x55) })
const PHRASE = PAPER.words().join(' ')

/** A mesh with a storer and a phrase. */
function meshWithPaper(paper = PAPER, founder = KEEPER): Membership {
  let mesh = foundMesh(founder, { name: 'desktop', nonce: new Uint8Array(16), atMs: 0 })
  mesh = admitMember(mesh, founder, { device: PI.device, name: 'pi', role: 'storer', atMs: 0 })
  const given = { device: paper.device, proof: paper.proofFor(mesh.mesh) }
  mesh = admitPaper(mesh, founder, { paper: given, name: 'paper', atMs: 0 })
  return introduceVault(mesh, founder, { vaultKey: VAULT_KEY, random, atMs: 0 })
}

describe('recovering with the phrase', () => {
  let hub: MemoryHub
  let pi: TestDevice
  let piNetwork: Network
  let network: Network
  let remembered: Membership[]
  let steps: RecoverEvent['step'][]

  /** A device that is left, with a membership of its own. */
  async function leave(membership: Membership, signer = PI): Promise<[TestDevice, Network]> {
    const device = await testDevice(signer, membership)
    const served = memoryNetwork(hub, { device: signer.device, mdns: true })
    served.members(new Set(membership.members.keys()))
    served.handle(RECOVER_PROTOCOL, 'members', (channel, from) => serveRecovery(device, from, channel))
    return [device, served]
  }

  beforeEach(async () => {
    hub = new MemoryHub()
    ;[pi, piNetwork] = await leave(meshWithPaper())
    network = memoryNetwork(hub, { device: PAPER.device, mdns: true })
    remembered = []
    steps = []
  })
  afterEach(async () => {
    await network.close()
    await piNetwork.close()
  })

  function parts(more: Partial<RecoverParts> = {}): RecoverParts {
    const [address] = piNetwork.addresses()
    return {
      ...{ network, clock, random, paper: PAPER, signer: NEW, begun: undefined },
      name: 'new-laptop',
      at: [address ?? ''],
      remember: (membership) => Promise.resolve(void remembered.push(membership)),
      onEvent: ({ step }) => void steps.push(step),
      seekMs: 200,
      ...more,
    }
  }
  const recover = (more: Partial<RecoverParts> = {}) => recoverOver(parts(more), AbortSignal.timeout(10_000))

  it('makes a keeper of the new device, by a storer that reads nothing', async () => {
    const found = await recover()
    assert.equal(found.from, PI.device)
    assert.deepEqual(found.vaultKeys.map(toHex), [toHex(VAULT_KEY)])
    const member = memberNow(pi.ledger.membership, NEW.device)
    assert.equal(member?.role, 'keeper')
    assert.equal(member.admittedBy, PAPER.device)
    assert.equal(pi.ledger.membership.headHash, found.membership.headHash)
    // From now on it needs the log and its own key only.
    assert.deepEqual(openVaultKeys(pi.ledger.membership, NEW.device, NEW_SEED).map(toHex), [toHex(VAULT_KEY)])
    assert.deepEqual(steps, ['looking', 'asking', 'opened', 'admitted'])
  })

  it('finds the device that is left on the local network', async () => {
    assert.equal((await recover({ at: [] })).from, PI.device)
  })

  it('remembers what it signs before anybody has it', async () => {
    const before = pi.ledger.membership.epoch
    const remember = (membership: Membership) => {
      assert.equal(pi.ledger.membership.epoch, before)
      remembered.push(membership)
      return Promise.resolve()
    }
    await recover({ remember })
    assert.equal(remembered.length, 1)
  })

  it('goes on after a crash with what it signed, whether the other one got it or not', async () => {
    // Before: the entries are here, and nowhere else.
    const crash = () => Promise.reject(new CellarError('ABORTED', 'the power went'))
    await assert.rejects(
      recover({
        remember: async (membership) => {
          remembered.push(membership)
          await crash()
        },
      }),
      { code: 'ABORTED' },
    )
    const [begun] = remembered
    assert.equal(memberNow(pi.ledger.membership, NEW.device), undefined)
    const again = await recover({ begun, name: 'another-name' })
    assert.equal(again.membership.headHash, begun?.headHash)
    // After: the other one has them already.
    const third = await recover({ begun })
    assert.equal(third.membership.headHash, begun?.headHash)
    const fourth = await recover()
    assert.equal(fourth.membership.headHash, begun?.headHash)
    const machines = [...pi.ledger.membership.members.values()].filter((member) => !isPaper(member))
    assert.equal(machines.length, 3)
  })

  it('does not fork the mesh when a keeper changed it meanwhile', async () => {
    const mine = admitMember(meshWithPaper(), PAPER.signer, {
      device: NEW.device,
      name: 'x',
      role: 'keeper',
      atMs: 9,
    })
    await pi.ledger.acceptMembership(
      changeCopiesGoal(pi.ledger.membership, KEEPER, { copiesGoal: 2, atMs: 0 }).entries,
    )
    // Another history than the one that was begun: its vault entry has other boxes too.
    await assert.rejects(recover({ begun: mine }), { code: 'MEMBERSHIP_FORK' })
    assert.equal(pi.ledger.isMembershipForked, false)
  })

  it('gives another name to who asks for one that is taken', async () => {
    const found = await recover({ name: 'pi' })
    assert.equal(memberNow(found.membership, NEW.device)?.name, 'pi-2')
  })

  it('refuses a phrase that no device there knows', async () => {
    const other = PaperKey.draw({ bytes: (length) => new Uint8Array(length).fill(0x66) })
    const elsewhere = memoryNetwork(hub, { device: other.device })
    try {
      await assert.rejects(recover({ network: elsewhere, paper: other }), { code: 'PHRASE_WRONG' })
    } finally {
      await elsewhere.close()
    }
  })

  it('refuses a phrase that was replaced, by a device that has heard of it', async () => {
    const removed = removeMember(pi.ledger.membership, KEEPER, { device: PAPER.device, atMs: 0 })
    await pi.ledger.acceptMembership(removed.entries)
    piNetwork.members(new Set([KEEPER.device, PI.device]))
    await assert.rejects(recover(), { code: 'PHRASE_WRONG' })
  })

  it('says that nobody is there', async () => {
    await piNetwork.close()
    await assert.rejects(recover(), { code: 'PEER_GONE' })
    await assert.rejects(recover({ at: [] }), { code: 'NO_PEER' })
  })

  it('is not served to anybody but paper', async () => {
    const keeper = memoryNetwork(hub, { device: KEEPER.device })
    keeper.members(new Set([PI.device]))
    try {
      const [address] = piNetwork.addresses()
      await keeper.dial(address ?? '', AbortSignal.timeout(5000))
      const channel = await keeper.open(PI.device, RECOVER_PROTOCOL, AbortSignal.timeout(5000))
      await assert.rejects(
        channel.receive(AbortSignal.timeout(5000)).then((frame) => assert.notEqual(frame, undefined)),
        { code: 'PEER_GONE' },
      )
    } finally {
      await keeper.close()
    }
  })

  it('is not led into a mesh that a device made up: paper cannot be made a member of it', () => {
    // The liar knows the paper's key from the log, and not its secret.
    const liar = testSigner(8)
    const mesh = foundMesh(liar, { name: 'desktop', nonce: new Uint8Array(16).fill(1), atMs: 0 })
    const proof = PAPER.proofFor(meshWithPaper().mesh)
    const given = { paper: { device: PAPER.device, proof }, name: 'paper', atMs: 0 }
    assert.throws(() => admitPaper(mesh, liar, given), { code: 'MEMBERSHIP_INVALID' })
  })

  it('takes no log that does not have who gave it', async () => {
    const stranger = testSigner(9)
    const [, other] = await leave(
      admitMember(meshWithPaper(), KEEPER, {
        device: stranger.device,
        name: 'friend',
        role: 'storer',
        atMs: 0,
      }),
      stranger,
    )
    other.handle(RECOVER_PROTOCOL, 'members', (channel, from) => serveRecovery(pi, from, channel))
    try {
      await assert.rejects(recover({ at: [other.addresses()[0] ?? ''] }), { code: 'PEER_PROTOCOL' })
    } finally {
      await other.close()
    }
  })

  it('asks all that answer, until one knows the phrase', async () => {
    const friend = testSigner(10)
    const other = PaperKey.draw({ bytes: (length) => new Uint8Array(length).fill(0x77) })
    const [, theirs] = await leave(meshWithPaper(other, friend), friend)
    try {
      assert.equal(
        (await recover({ at: [theirs.addresses()[0] ?? '', piNetwork.addresses()[0] ?? ''] })).from,
        PI.device,
      )
    } finally {
      await theirs.close()
    }
  })
})

describe('a device that somebody calls with the phrase', () => {
  it('says so, and gives the membership and nothing more before a machine is let in', async () => {
    const hub = new MemoryHub()
    const pi = await testDevice(PI, meshWithPaper())
    goOnline(hub, pi)
    const thief = memoryNetwork(hub, { device: PAPER.device })
    thief.members(new Set([PI.device]))
    try {
      const signal = AbortSignal.timeout(10_000)
      await thief.dial(pi.network?.addresses()[0] ?? '', signal)
      for (const protocol of [SYNC_PROTOCOL, CHUNKS_PROTOCOL, AUDIT_PROTOCOL]) {
        const channel = await thief.open(PI.device, protocol, signal)
        const answered = channel.send(encodeMessage(pi.ledger.hello())).then(() => channel.receive(signal))
        await assert.rejects(answered, { code: 'PEER_GONE' }, protocol)
      }
      const channel = new RecoveryChannel(await thief.open(PI.device, RECOVER_PROTOCOL, signal))
      assert.equal((await channel.askLog()).length, pi.ledger.membership.entries.length)
      await channel.close()
      const codes = pi.troubles.map((event) => (event.kind === 'trouble' ? event.code : ''))
      assert.deepEqual(codes, ['NOT_ENTITLED', 'NOT_ENTITLED', 'NOT_ENTITLED', 'PHRASE_USED'])
    } finally {
      await thief.close()
      await goOffline(pi)
    }
  })
})

describe('a phrase in memory', () => {
  it('shows itself only when it is asked for its words', () => {
    const shown = [
      JSON.stringify({ paper: PAPER }),
      String(PAPER),
      PAPER.toString(),
      inspect(PAPER, { depth: 9, showHidden: true }),
      inspect({ nested: [PAPER] }, { depth: 9, showHidden: true }),
      JSON.stringify(Object.entries(PAPER)),
    ].join('\n')
    for (const word of new Set(PAPER.words())) assert.equal(shown.includes(word), false, word)
    assert.equal(shown.includes(toHex(PAPER.seed())), false)
    assert.equal(PAPER.words().length, 24)
  })

  it('is read back from its words, and names places and no words when they are wrong', () => {
    assert.equal(PaperKey.read(PHRASE).device, PAPER.device)
    const words = PHRASE.split(' ')
    const wrong = (typed: string) => {
      try {
        PaperKey.read(typed)
      } catch (error) {
        return (error as Error).message
      }
      throw new TypeError('it was taken')
    }
    assert.match(wrong(words.with(11, 'blockchain').join(' ')), /word 12 is not on the list/)
    assert.match(wrong(words.slice(0, 20).join(' ')), /20 words, not 24/)
    const swapped = [...words.slice(0, 22), words[23], words[22]].join(' ')
    const message = wrong(swapped === PHRASE ? words.with(0, 'zoo').join(' ') : swapped)
    assert.match(message, /not the right one/)
    for (const word of new Set(words)) assert.equal(message.split(/[ ,;:]+/).includes(word), false)
  })

  it('is nothing that can be cloned to another thread', () => {
    assert.deepEqual(Object.keys(structuredClone(PAPER)), [])
  })
})

describe('a log as it is sent', () => {
  it('is read whole again', () => {
    const mesh = meshWithPaper()
    assert.equal(openMembership(mesh.entries).headHash, mesh.headHash)
  })
})
