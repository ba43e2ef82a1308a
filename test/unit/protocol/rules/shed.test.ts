import assert from 'node:assert/strict'
import {
  changeCopiesGoal,
  changeMember,
  goalHolders,
  isChosen,
  judgeShed,
  type Membership,
  mayIntend,
  shedRank,
  type ShedVerdict,
} from '../../../../protocol/index.ts'
import { AT_MS, meshOf, rootOf, signerOf } from '../a-mesh.ts'
import { keeper, Peer, withCapabilities } from './a-leaning-mesh.ts'

const ROOT = rootOf('r0')
const NAMES = ['keeper', 'one', 'two', 'three']

/** Four that store, as many copies wanted as said; `names` hold the root and all know it. */
function start(copiesGoal: number, names: readonly string[] = NAMES, more = (mesh: Membership) => mesh) {
  const founded = meshOf({ one: 'storer', two: 'storer', three: 'storer' })
  const membership = more(changeCopiesGoal(founded, keeper, { copiesGoal, atMs: AT_MS }))
  const peers = new Map(NAMES.map((name) => [name, new Peer(name, membership)]))
  const all = [...peers.values()]
  const meet = (): void => {
    for (const peer of all) peer.hear(...all)
  }
  for (const peer of all) {
    const holds = names.includes(peer.self.name) ? [ROOT] : []
    peer.say({ holds, ...(peer.self.name === 'keeper' && { adds: ['r0'] }) })
  }
  meet()
  const chosen = goalHolders(membership, ROOT)
  const extra = all.filter((peer) => !chosen.includes(peer.id))
  return { membership, peers, all, meet, chosen: all.filter((peer) => chosen.includes(peer.id)), extra }
}

function judge(peer: Peer, changes: { isProven?: boolean; isCompleteHere?: boolean } = {}): ShedVerdict {
  const seq = peer.self.newest?.body.shedding[0]?.seq ?? 0
  const { isProven = true, isCompleteHere = true } = changes
  const facts = { isProven: () => isProven, isCompleteHere: () => isCompleteHere }
  return judgeShed(peer.view, peer.membership, peer.id, ROOT, seq, facts)
}

/** What is lacking, in words. */
function lacking(verdict: ShedVerdict): string[] {
  if (verdict.kind !== 'wait') return [verdict.kind === 'drop' ? 'nothing' : verdict.why]
  return verdict.lacking.map((lack) => (lack.kind === 'holder' ? lack.why : lack.kind))
}

const may = (peer: Peer): boolean => mayIntend(peer.view, peer.membership, peer.id, ROOT)

describe('letting go of a live root (R7)', () => {
  it('R7.1 is meant by those only that are not chosen, and where enough others hold it', () => {
    const { extra, chosen, membership } = start(2)
    assert.deepEqual(
      [extra.map(may), chosen.map(may)],
      [
        [true, true],
        [false, false],
      ],
    )
    const [first] = extra as [Peer]
    first.say({ holds: [] })
    assert.equal(may(first), false)
    assert.deepEqual(start(3, NAMES.slice(0, 3)).extra.map(may), [false])
    const everyone = changeCopiesGoal(membership, keeper, { copiesGoal: 'all', atMs: AT_MS })
    assert.equal(mayIntend(first.view, everyone, first.id, ROOT), false)
  })

  it('R7.1 R7.2 race 23: goes when the others have seen the intent of this round, not of an older one', () => {
    const { extra, chosen } = start(1)
    const [one] = extra as [Peer]
    const [holder] = chosen as [Peer]
    assert.deepEqual(lacking(judge(one)), ['intent'])
    one.say({ holds: [ROOT], shedding: [ROOT] })
    assert.deepEqual(lacking(judge(one)), ['horizon', 'horizon', 'horizon', 'copies'])
    holder.hear(one).say({ holds: [ROOT] })
    one.hear(holder)
    assert.deepEqual(judge(one), { kind: 'drop', counted: [holder.id] })
    // Taken back, and meant again: what the others saw was another round.
    one.say({ holds: [ROOT] })
    one.say({ holds: [ROOT], shedding: [ROOT] })
    assert.deepEqual(lacking(judge(one)), ['horizon', 'horizon', 'horizon', 'copies'])
    holder.hear(one).say({ holds: [ROOT] })
    one.hear(holder)
    assert.equal(judge(one).kind, 'drop')
  })

  it('R7.2 race 22: counts nobody that means to let go itself; of several the lowest hash goes on', () => {
    const { extra, chosen } = start(1)
    const [holder] = chosen as [Peer]
    // The chosen one lost it: three are left, and all of them mean to let go.
    holder.say({ holds: [] })
    for (const peer of extra) peer.say({ holds: [ROOT], shedding: [ROOT] })
    for (const peer of extra) peer.hear(holder, ...extra).say({ holds: [ROOT], shedding: [ROOT] })
    for (const peer of extra) peer.hear(...extra)
    const verdicts = extra.map((peer) => lacking(judge(peer)).at(-1))
    const ranks = extra.map((peer) => shedRank(peer.id, ROOT))
    const lowest = ranks.indexOf([...ranks].sort()[0] as string)
    assert.deepEqual(
      verdicts,
      extra.map((_, at) => (at === lowest ? 'copies' : 'lost-tie')),
    )
    // The others take it back, and then count for the one.
    const [winner] = extra.splice(lowest, 1) as [Peer]
    for (const peer of extra) peer.hear(winner).say({ holds: [ROOT] })
    winner.hear(...extra)
    assert.equal(judge(winner).kind, 'drop')
  })

  it('R7.3 goes on side by side while enough others hold it', () => {
    const { extra, chosen } = start(1)
    const [holder] = chosen as [Peer]
    for (const peer of extra) peer.say({ holds: [ROOT], shedding: [ROOT] })
    holder.hear(...extra).say({ holds: [ROOT] })
    for (const peer of extra) peer.hear(holder, ...extra)
    for (const peer of extra) assert.deepEqual(judge(peer), { kind: 'drop', counted: [holder.id] })
  })

  it('R7.2 counts as many as the goal, also where all stand in one house', () => {
    const inHouse = (mesh: Membership, name: string): Membership =>
      changeMember(mesh, keeper, { device: signerOf(name).device, domain: 'house', atMs: AT_MS })
    const { extra, chosen } = start(2, NAMES, (mesh) => NAMES.reduce(inHouse, mesh))
    const [one] = extra as [Peer]
    const [first, second] = chosen as [Peer, Peer]
    one.say({ holds: [ROOT], shedding: [ROOT] })
    first.hear(one).say({ holds: [ROOT] })
    one.hear(first)
    assert.deepEqual(lacking(judge(one)).at(-1), 'copies')
    second.hear(one).say({ holds: [ROOT] })
    one.hear(second)
    assert.equal(judge(one).kind, 'drop')
  })

  it('R7.2 race 26: counts nobody who knows less of the membership', () => {
    const { extra, chosen, membership } = start(1)
    const [one] = extra as [Peer]
    const [holder] = chosen as [Peer]
    one.say({ holds: [ROOT], shedding: [ROOT] })
    holder.hear(one).say({ holds: [ROOT] })
    one.hear(holder)
    one.membership = withCapabilities(membership, 'two', ['store', 'backup', 'lean'])
    assert.ok(lacking(judge(one)).includes('epoch'))
    holder.membership = one.membership
    holder.say({ holds: [ROOT] })
    one.hear(holder)
    assert.deepEqual(lacking(judge(one)), ['nothing'])
  })

  it('R7.2 race 27: counts nobody who has not proved lately that it has it, nor a chain that forked', () => {
    const { extra, chosen, membership } = start(1)
    const [one] = extra as [Peer]
    const [holder] = chosen as [Peer]
    one.say({ holds: [ROOT], shedding: [ROOT] })
    holder.hear(one).say({ holds: [ROOT] })
    one.hear(holder)
    assert.ok(lacking(judge(one, { isProven: false })).includes('unproven'))
    const twin = holder.self.clone()
    holder.say({ holds: [ROOT] })
    twin.next(membership, { holds: [ROOT] })
    one.hear(holder)
    one.offer(twin)
    assert.notEqual(judge(one).kind, 'drop')
  })

  it('R7.3 race 25: stops when the root was forgotten meanwhile', () => {
    const { extra, chosen, peers } = start(1)
    const one = extra.find((peer) => peer.self.name !== 'keeper') as Peer
    const [holder] = chosen as [Peer]
    one.say({ holds: [ROOT], shedding: [ROOT] })
    holder.hear(one).say({ holds: [ROOT] })
    one.hear(holder)
    assert.equal(judge(one).kind, 'drop')
    const desktop = peers.get('keeper') as Peer
    desktop.hear(holder).say({ holds: [ROOT], forgets: [desktop.self.dotOf('r0')] })
    one.hear(desktop)
    assert.deepEqual(judge(one), { kind: 'abort', why: 'forgotten' })
    assert.equal(may(one), false)
  })

  it('R7.3 stops when the copies goal wants it here again', () => {
    const { extra, membership } = start(1)
    const [one] = extra as [Peer]
    one.say({ holds: [ROOT], shedding: [ROOT] })
    one.membership = changeCopiesGoal(membership, keeper, { copiesGoal: 4, atMs: AT_MS })
    assert.deepEqual(judge(one), { kind: 'abort', why: 'wanted-here' })
  })

  it('R7.4 waits while a root of a leaning device is with nobody whole', () => {
    const leaning = (mesh: Membership) => withCapabilities(mesh, 'three', ['store', 'backup', 'lean'])
    const { extra, chosen, peers } = start(1, NAMES, leaning)
    const one = extra.find((peer) => peer.self.name !== 'three') as Peer
    const three = peers.get('three') as Peer
    one.say({ holds: [ROOT], shedding: [ROOT] })
    three.say({ holds: [ROOT], adds: ['r1'] })
    for (const peer of chosen) peer.hear(one).say({ holds: [ROOT] })
    one.hear(three, ...chosen)
    assert.deepEqual(lacking(judge(one, { isCompleteHere: false })).at(-1), 'unknown')
    assert.equal(judge(one).kind, 'drop')
  })

  it('R7.5 wants as many failure domains as the chosen ones have', () => {
    const inHouse = (mesh: Membership, name: string): Membership =>
      changeMember(mesh, keeper, { device: signerOf(name).device, domain: 'house', atMs: AT_MS })
    const { membership, peers, meet } = start(2, [], (mesh) => inHouse(inHouse(mesh, 'keeper'), 'one'))
    const [desktop, one, two, three] = NAMES.map((name) => peers.get(name)) as [Peer, Peer, Peer, Peer]
    const name = Array.from({ length: 20 }, (_, n) => `r${n}`).find(
      (each) => !goalHolders(membership, rootOf(each)).includes(three.id),
    ) as string
    const root = rootOf(name)
    desktop.say({ adds: [name], holds: [root] })
    three.hear(desktop).say({ holds: [root], shedding: [root] })
    meet()
    for (const peer of [desktop, one]) peer.say({ holds: [root] })
    meet()
    const facts = { isProven: () => true, isCompleteHere: () => true }
    const verdict = () =>
      judgeShed(three.view, membership, three.id, root, three.self.newest?.signed.head.seq ?? 0, facts)
    assert.deepEqual(verdict(), { kind: 'wait', lacking: [{ kind: 'domains', missing: 1 }] })
    two.say({ holds: [root] })
    meet()
    assert.equal(verdict().kind, 'drop')
  })
})

describe('full devices (R12)', () => {
  it('G2.4 race 40: give their place to the next, unless they hold the root already', () => {
    const { all, chosen, membership } = start(2, [])
    const [one, other] = chosen as [Peer, Peer]
    one.say({ holds: [], full: true })
    for (const peer of all) peer.hear(one)
    const isWanted = (peer: Peer) => isChosen(other.view, membership, peer.id, ROOT)
    assert.equal(isWanted(one), false)
    assert.equal(all.filter(isWanted).length, 2)
    one.say({ holds: [ROOT], full: true })
    other.hear(one)
    assert.equal(isWanted(one), true)
  })

  it('G2.4 stay wanted where nobody else is left, and where all should hold', () => {
    const { all, membership } = start(4, [])
    const full = signerOf('one').device
    assert.equal(goalHolders(membership, ROOT, 4, (device) => device === full).length, 4)
    assert.equal(goalHolders(membership, ROOT, 4, (device) => device === full).at(-1), full)
    assert.equal(goalHolders(membership, ROOT, 'all', () => true).length, all.length)
  })
})
