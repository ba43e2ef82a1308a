import assert from 'node:assert/strict'
import { entriesMax, History, type NewEntry } from '../../../../node/activity/history.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { type Catalog, memoryCatalog } from '../../../../storage/index.ts'

const unheard = (error: CellarError): never => assert.fail(error)

function done(task: string): NewEntry {
  return { kind: 'task', time: '2026-11-23T16:00:00.000Z', task, outcome: 'done' }
}

function trouble(message: string): NewEntry {
  const time = '2026-11-23T16:00:00.000Z'
  return { kind: 'trouble', time, code: 'STORE_FULL', message, times: 1, last_time: time }
}

const tasks = (entries: readonly { readonly kind: string }[]) =>
  entries.map((entry) => ('task' in entry ? entry.task : entry.kind))

describe('history', () => {
  it('gives the newest first, page by page, and says when there is no more', async () => {
    const history = new History(memoryCatalog(), unheard)
    for (const name of ['a', 'b', 'c', 'd', 'e']) history.add(done(name))
    const first = await history.page({ limit: 2 })
    assert.deepEqual(tasks(first.entries), ['e', 'd'])
    const second = await history.page({ limit: 2, before: first.next! })
    assert.deepEqual(tasks(second.entries), ['c', 'b'])
    history.add(done('f')) // what comes meanwhile moves no page
    const third = await history.page({ limit: 2, before: second.next! })
    assert.deepEqual(tasks(third.entries), ['a'])
    assert.equal(third.next, undefined)
    assert.equal((await history.page({ limit: 5, before: '2' })).next, undefined)
  })

  it('is empty at first', async () => {
    const { entries, next } = await new History(memoryCatalog(), unheard).page({ limit: 10 })
    assert.deepEqual({ entries, next }, { entries: [], next: undefined })
  })

  it('outlives a restart', async () => {
    const catalog = memoryCatalog()
    const before = new History(catalog, unheard)
    before.add(done('a'))
    await before.idle()
    const after = new History(catalog, unheard)
    after.add(done('b'))
    assert.deepEqual(tasks((await after.page({ limit: 10 })).entries), ['b', 'a'])
  })

  it('gives only what is asked for, however far back it lies', async () => {
    const history = new History(memoryCatalog(), unheard)
    history.add(trouble('full'))
    for (let i = 0; i < 1500; i++) history.add(done('backup'))
    const { entries, next } = await history.page({ limit: 10, only: 'trouble' })
    assert.deepEqual(tasks(entries), ['trouble'])
    assert.equal(next, undefined)
  })

  it('keeps so many entries and no more (AC2.1)', async () => {
    const catalog = memoryCatalog()
    const history = new History(catalog, unheard)
    for (let i = 1; i <= entriesMax + 7; i++) history.add(done(String(i)))
    const { entries } = await history.page({ limit: 1000, before: '1006' })
    assert.equal(tasks(entries).at(-1), '8')
    let kept = 0
    for await (const [key] of catalog.iterate({ gte: 'entry/' })) if (key.startsWith('entry/')) kept++
    assert.equal(kept, entriesMax)
  })

  it('changes an entry, but brings none back that is gone', async () => {
    const history = new History(memoryCatalog(), unheard)
    const first = history.add(trouble('once'))
    history.change(first, trouble('twice'))
    const { entries } = await history.page({ limit: 1 })
    assert.equal(entries[0]!.kind === 'trouble' && entries[0]!.message, 'twice')
    for (let i = 0; i < entriesMax; i++) history.add(done('x'))
    history.change(first, trouble('again'))
    assert.deepEqual((await history.page({ limit: 1, before: '2' })).entries, [])
  })

  it('leaves out what a disk has spoilt', async () => {
    const catalog = memoryCatalog()
    const history = new History(catalog, unheard)
    for (const name of ['a', 'b', 'c']) history.add(done(name))
    await history.idle()
    const key = `entry/${'2'.padStart(12, '0')}`
    await catalog.batch([{ type: 'put', key, value: Buffer.from('{"kind":') }], { durable: true })
    assert.deepEqual(tasks((await history.page({ limit: 10 })).entries), ['c', 'a'])
  })

  it('refuses a place that no answer gave', async () => {
    const history = new History(memoryCatalog(), unheard)
    await assert.rejects(history.page({ limit: 1, before: '-1' }), { code: 'USAGE' })
  })

  it('tells once that a full disk takes no entries, and goes on when it does', async () => {
    const { catalog, fill } = fillable()
    const faults: string[] = []
    const history = new History(catalog, ({ code }) => {
      faults.push(code)
      history.add(trouble('telling of it is an entry too'))
    })
    fill(true)
    history.add(done('a'))
    await history.idle()
    await history.idle()
    assert.deepEqual(faults, ['STORE_FULL'])
    fill(false)
    history.add(done('b'))
    assert.deepEqual(tasks((await history.page({ limit: 10 })).entries), ['b'])
  })
})

/** A catalog whose disk is full when told. */
function fillable(): { catalog: Catalog; fill: (isFull: boolean) => void } {
  const inner = memoryCatalog()
  let isFull = false
  const catalog: Catalog = {
    get: (key) => inner.get(key),
    getMany: (keys) => inner.getMany(keys),
    iterate: (range) => inner.iterate(range),
    sub: (name) => inner.sub(name),
    close: () => inner.close(),
    batch: async (changes, options) => {
      if (isFull) throw new CellarError('STORE_FULL', 'the disk is full')
      await inner.batch(changes, options)
    },
  }
  return { catalog, fill: (now) => (isFull = now) }
}
