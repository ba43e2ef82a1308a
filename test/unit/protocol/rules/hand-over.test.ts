import assert from 'node:assert/strict'
import {
  changeCopiesGoal,
  changeMember,
  judgeHandOver,
  type Membership,
  type ShedVerdict,
} from '../../../../protocol/index.ts'
import { AT_MS, meshOf, rootOf, signerOf } from '../a-mesh.ts'
import { keeper, Peer, withCapabilities } from './a-leaning-mesh.ts'

const ROOT = rootOf('r1')

/** A thin laptop has announced `r1`, and nobody has it yet. */
function start(copiesGoal: number | 'all') {
  const thin = withCapabilities(meshOf({ laptop: 'writer', nas: 'storer', box: 'storer' }), 'laptop', [
    'backup',
    'read',
    'lean',
  ])
  const membership = changeCopiesGoal(thin, keeper, { copiesGoal, atMs: AT_MS })
  const [desktop, laptop, nas, box] = ['keeper', 'laptop', 'nas', 'box'].map(
    (name) => new Peer(name, membership),
  ) as [Peer, Peer, Peer, Peer]
  laptop.say({ adds: ['r1'], leans: true })
  for (const peer of [desktop, nas, box]) peer.hear(laptop)
  return { membership, desktop, laptop, nas, box }
}

function judge(
  peer: Peer,
  isProven: (name: string) => boolean = () => true,
  membership?: Membership,
): ShedVerdict {
  const proven = new Set(['keeper', 'nas', 'box'].filter(isProven).map((name) => signerOf(name).device))
  const facts = { isProven: (device: Peer['id']) => proven.has(device) }
  return judgeHandOver(peer.view, membership ?? peer.membership, peer.id, ROOT, facts)
}

/** What is lacking, in words. */
function lacking(verdict: ShedVerdict): string[] {
  if (verdict.kind !== 'wait') return [verdict.kind === 'drop' ? 'nothing' : verdict.why]
  return verdict.lacking.map((lack) => (lack.kind === 'holder' ? lack.why : lack.kind))
}

describe('handing over a root that leans (R5.4)', () => {
  it('R5.4 waits for as many others as the goal', () => {
    const { laptop, nas, box } = start(2)
    assert.deepEqual(lacking(judge(laptop)), ['copies'])
    laptop.hear(nas.say({ holds: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop)), ['copies'])
    laptop.hear(box.say({ holds: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop)), ['nothing'])
  })

  it('R5.4 waits, with all as goal, for every device that stores', () => {
    const { desktop, laptop, nas, box } = start('all')
    laptop.hear(nas.say({ holds: [ROOT] }), box.say({ holds: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop)), ['copies'])
    laptop.hear(desktop.say({ holds: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop)), ['nothing'])
  })

  it('R5.4 counts nobody who has not lately proven that it has the bytes', () => {
    const { laptop, nas, box } = start(1)
    laptop.hear(nas.say({ holds: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop, () => false)), ['unproven', 'copies'])
    laptop.hear(box.say({ holds: [ROOT] }))
    assert.equal(judge(laptop, (name) => name === 'box').kind, 'drop')
  })

  it('R5.4 counts nobody who means to let it go, or knows less of the membership', () => {
    const { laptop, nas, membership } = start(1)
    laptop.hear(nas.say({ holds: [ROOT], shedding: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop)), ['shedding', 'copies'])
    laptop.hear(nas.say({ holds: [ROOT] }))
    assert.deepEqual(lacking(judge(laptop)), ['nothing'])
    const later = changeMember(membership, keeper, {
      device: signerOf('box').device,
      name: 'attic',
      atMs: AT_MS,
    })
    assert.deepEqual(lacking(judge(laptop, () => true, later)), ['epoch', 'copies'])
  })

  it('R5.4 ends when the root is forgotten: R6 says what becomes of it', () => {
    const { desktop, laptop } = start(1)
    laptop.hear(desktop.say({ forgets: [laptop.self.dotOf('r1')] }))
    assert.deepEqual(lacking(judge(laptop)), ['forgotten'])
  })

  it('R7.5 wants as many failure domains as the chosen ones have', () => {
    const { membership } = start(2)
    const inDomain = (before: Membership, name: string, domain: string) =>
      changeMember(before, keeper, { device: signerOf(name).device, domain, atMs: AT_MS })
    const shared = inDomain(inDomain(membership, 'nas', 'cellar'), 'box', 'cellar')
    const [laptop, nas, box] = ['laptop', 'nas', 'box'].map((name) => new Peer(name, shared)) as [
      Peer,
      Peer,
      Peer,
    ]
    laptop.say({ adds: ['r1'], leans: true })
    nas.hear(laptop).say({ holds: [ROOT] })
    laptop.hear(nas)
    assert.deepEqual(lacking(judge(laptop)), ['copies'])
    box.hear(laptop).say({ holds: [ROOT] })
    laptop.hear(box)
    assert.deepEqual(lacking(judge(laptop)), ['domains'])
  })

  it('R5.4 wants the number also where all stand in one domain', () => {
    const { membership } = start(2)
    const inCellar = (before: Membership, name: string) =>
      changeMember(before, keeper, { device: signerOf(name).device, domain: 'cellar', atMs: AT_MS })
    const shared = ['keeper', 'nas', 'box'].reduce(inCellar, membership)
    const [laptop, nas] = ['laptop', 'nas'].map((name) => new Peer(name, shared)) as [Peer, Peer]
    laptop.say({ adds: ['r1'], leans: true })
    nas.hear(laptop).say({ holds: [ROOT] })
    laptop.hear(nas)
    assert.deepEqual(lacking(judge(laptop)), ['copies'])
  })
})
