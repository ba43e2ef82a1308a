import assert from 'node:assert/strict'
import type { ChunkId } from '../../../../protocol/index.ts'
import { WantList } from '../../../../node/replication/want-list.ts'

/** A store of names: what is complete, what is only here, and what each links to. */
function holdings(links: Readonly<Record<string, readonly string[]>>, here: string[], complete: string[]) {
  let walked = 0
  return {
    has: (id: ChunkId) => here.includes(id) || complete.includes(id),
    isComplete: (id: ChunkId) => complete.includes(id),
    links: (id: ChunkId) => {
      walked++
      return (links[id] ?? []) as ChunkId[]
    },
    walked: () => walked,
    arrive: (id: string) => here.push(id),
  }
}

const ids = (...names: string[]) => names as ChunkId[]

describe('the list of wanted chunks', () => {
  it('asks for what is missing, the first link first', () => {
    const wants = new WantList(holdings({}, [], []))
    wants.add(ids('a', 'b', 'c'))
    assert.deepEqual(wants.take('peer', 2), ids('a', 'b'))
    assert.deepEqual(wants.take('peer', 2), ids('c'))
  })

  it('skips what is complete with all below it, and walks down through what is only here', () => {
    const store = holdings(
      { root: ['whole', 'part'], part: ['leaf1', 'leaf2'], whole: ['never'] },
      ['root', 'part', 'leaf1'],
      ['whole'],
    )
    const wants = new WantList(store)
    wants.add(ids('root'))
    assert.deepEqual(wants.take('peer', 9), ids('leaf2'))
    assert.equal(wants.openCount, 1)
  })

  it('knows of few chunks at a time, however many trees come at once', () => {
    const treeCount = 300
    const leavesEach = 1000
    const leaves = (tree: string) =>
      Array.from({ length: leavesEach }, (_, at) => `${tree} leaf ${String(at)}`)
    const trees = Array.from({ length: treeCount }, (_, at) => `tree ${String(at)}`)
    const here = new Set<string>()
    const links = (id: string) => (id === 'root' ? trees : id.includes('leaf') ? [] : leaves(id))
    const wants = new WantList({
      has: (id) => here.has(id),
      isComplete: (id) => id.includes('leaf') && here.has(id),
      links: (id) => links(id) as ChunkId[],
    })
    const asked: string[] = []
    let most = 0
    wants.add(ids('root'))
    for (let owed = wants.take('peer', 256); owed.length > 0; owed = wants.take('peer', 256)) {
      for (const id of owed) {
        asked.push(id)
        here.add(id)
        wants.arrived(id, links(id) as ChunkId[])
        most = Math.max(most, wants.openCount)
      }
    }
    assert.equal(wants.isDone, true)
    assert.equal(new Set(asked).size, asked.length)
    assert.equal(asked.length, 1 + treeCount + treeCount * leavesEach)
    assert.ok(most < 4000, `${String(most)} at one time`)
  })

  it('walks a chunk that several refer to once', () => {
    const store = holdings(
      { root: ['a', 'b'], a: ['shared'], b: ['shared'], shared: ['leaf'] },
      ['root', 'a', 'b', 'shared'],
      [],
    )
    new WantList(store).add(ids('root'))
    assert.equal(store.walked(), 4)
  })

  it('wants the links of what arrives, and is done when nothing is open', () => {
    const store = holdings({}, [], [])
    const wants = new WantList(store)
    wants.add(ids('root'))
    assert.deepEqual(wants.take('peer', 9), ids('root'))
    store.arrive('root')
    wants.arrived(ids('root')[0] as ChunkId, ids('a', 'b'))
    assert.equal(wants.isDone, false)
    for (const id of wants.take('peer', 9)) {
      store.arrive(id)
      wants.arrived(id, [])
    }
    assert.equal(wants.isDone, true)
  })

  it('does not ask a peer again for what it lacks, but asks the others', () => {
    const wants = new WantList(holdings({}, [], []))
    wants.add(ids('a'))
    wants.take('one', 1)
    wants.absent('one', 'a' as ChunkId)
    assert.deepEqual(wants.take('one', 1), [])
    assert.deepEqual(wants.lackingAt(['one', 'two']), [])
    assert.deepEqual(wants.take('two', 1), ids('a'))
    wants.absent('two', 'a' as ChunkId)
    assert.deepEqual(wants.lackingAt(['one', 'two']), ids('a'))
  })

  it('gives what a lost peer owed to the others, and nothing that has come meanwhile', () => {
    const store = holdings({}, [], [])
    const wants = new WantList(store)
    wants.add(ids('a', 'b'))
    const owed = wants.take('one', 2)
    store.arrive('a')
    wants.arrived('a' as ChunkId, [])
    wants.giveBack(owed)
    assert.deepEqual(wants.take('two', 9), ids('b'))
  })
})
