/** The side that uploads: bounded staging, holders that come and go, what a session may count on (spec/upload.md). */
import assert from 'node:assert/strict'
import { CellarError, isCellarError } from '../../../../protocol/index.ts'
import { UploadNotes } from '../../../../node/upload/notes.ts'
import { ManualClock, settle } from '../manual-clock.ts'
import { contentOf, idsOf, inTime, SessionBench, stagingBytes } from './upload-mesh.ts'

describe('a session on a device with little room', () => {
  const bench = new SessionBench()
  afterEach(() => bench.close())

  it('is not bounded where all is kept, and no bound is set', async () => {
    await bench.start({ leans: false })
    const options = { stagingBytes: undefined, signal: inTime(), onHolder: () => undefined }
    assert.equal(await bench.laptop.own.begin(options), undefined)
  })

  it('E4.1: stores within its bound more than the bound, and can count on all of it', async () => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const content = contentOf('content', 200)
    const bounded = await bench.begin()
    const most = await bench.store(bounded, content)
    assert.ok(most <= stagingBytes + 4096, String(most))
    assert.equal(bench.isKept(bounded, content), true)
    const gone = bench.goneOf(content)
    assert.ok(gone.length > 150)
    assert.deepEqual(bench.desktop.store.missing(idsOf(gone)), [])
    assert.equal(
      gone.every(({ id }) => bench.desktop.keeper.isPromised(id)),
      true,
    )
    assert.deepEqual(bench.told, [bench.desktop.device])
  })

  it('R10: drops nothing that it could not note, and ends with what kept it from noting', async () => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const content = contentOf('content', 100)
    const bounded = await bench.begin()
    let noted = 0
    bench.laptop.map.beforeBatch = (): void => {
      if (++noted > 4) throw new CellarError('STORE_FULL', 'the disk of the catalog is full')
    }
    await assert.rejects(bench.store(bounded, content), { code: 'STORE_FULL' })
    await bench.end()
    bench.laptop.map.beforeBatch = undefined
    const notes = await UploadNotes.open(bench.laptop.catalog.sub('own-uploads'))
    const [upload] = notes.uploads()
    const stored = content.slice(0, 20)
    for (const { id } of stored)
      assert.ok(
        bench.laptop.store.has(id) ||
          notes.holderOf(upload?.upload ?? assert.fail(), id) === bench.desktop.device,
      )
    assert.ok(stored.some(({ id }) => bench.laptop.store.has(id) && bench.desktop.keeper.isPromised(id)))
  })

  it('sends nothing while there is room', async () => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const bounded = await bench.begin()
    await bench.store(bounded, contentOf('content', 5))
    assert.equal(bench.desktop.keeper.uploads().length, 0)
    assert.equal(bench.laptop.store.stats().pending, 5)
  })

  it('sends what a holder has already by name only', async () => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const content = contentOf('content', 100)
    for (const { id, bytes } of content) await bench.desktop.store.put(id, bytes)
    let bytes = 0
    bench.desktop.events.on((event) => {
      if (event.kind === 'deposited') bytes += event.bytes
    })
    const bounded = await bench.begin()
    await bench.store(bounded, content)
    assert.equal(bench.isKept(bounded, content), true)
    assert.equal(bytes, 0)
  })

  it('goes on with another holder when one goes away; what the first has stays good', async () => {
    await bench.start({ storers: 1 })
    const other = bench.mesh.holders[1] ?? assert.fail()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const [first, second] = [contentOf('first', 60), contentOf('second', 60)]
    const bounded = await bench.begin()
    await bench.store(bounded, first)
    const early = bench.goneOf(first)
    await bench.mesh.link(bench.laptop, other)
    bench.mesh.hub.cut(bench.laptop.device, bench.desktop.device)
    await bench.store(bounded, second)
    assert.equal(bench.isKept(bounded, [...first, ...second]), true)
    assert.deepEqual(bench.told, [bench.desktop.device, other.device])
    assert.equal(early.length > 0 && early.every(({ id }) => bench.desktop.keeper.isPromised(id)), true)
    assert.equal(
      bench.goneOf(second).every(({ id }) => other.keeper.isPromised(id)),
      true,
    )
  })

  it('passes over a device that says it has no room', async () => {
    await bench.start({ storers: 1 })
    const other = bench.mesh.holders[1] ?? assert.fail()
    bench.desktop.room.isFull = true
    await bench.mesh.link(bench.laptop, bench.desktop)
    await bench.mesh.link(bench.laptop, other)
    await bench.store(await bench.begin(), contentOf('content', 60))
    assert.equal(other.keeper.uploads().length, 1)
    assert.equal(bench.desktop.store.stats().chunks, 0)
  })

  it('ends with NO_PEER when nobody comes, and keeps what it has for the next, which goes on', async () => {
    const clock = new ManualClock()
    await bench.start({ clock })
    const content = contentOf('content', 60)
    const bounded = await bench.begin()
    const stored = bench.store(bounded, content).then(
      () => 'all',
      (error: unknown) => (isCellarError(error) ? error.code : String(error)),
    )
    await clock.advance(60_000)
    assert.equal(await stored, 'NO_PEER')
    await bench.end()
    const kept = content.filter(({ id }) => bench.laptop.store.has(id))
    assert.ok(kept.length > 10 && bench.laptop.store.stats().bytes <= stagingBytes)
    await bench.mesh.link(bench.laptop, bench.desktop)
    const again = await bench.begin()
    await bench.store(again, content)
    assert.equal(bench.isKept(again, content), true)
    assert.equal(bench.goneOf(kept).length > 0, true, 'what the first had staged was given away too')
  })

  it('says STORE_FULL when all in reach are full, and when it may not lean', async () => {
    const clock = new ManualClock()
    await bench.start({ clock })
    bench.desktop.room.isFull = true
    await bench.mesh.link(bench.laptop, bench.desktop)
    const full = assert.rejects(bench.store(await bench.begin(), contentOf('content', 60)), {
      code: 'STORE_FULL',
    })
    for (let time = 0; time < 60; time++) await clock.advance(1000)
    await full
    await bench.end()
    await bench.mesh.close()
    await bench.start({ leans: false })
    await bench.mesh.link(bench.laptop, bench.desktop)
    await assert.rejects(bench.store(await bench.begin(), contentOf('content', 60)), { code: 'STORE_FULL' })
  })

  it('E3.1: after a crash counts on what a holder confirms, and on nothing else', async () => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const content = contentOf('content', 60)
    await bench.store(await bench.begin(), content)
    const gone = bench.goneOf(content)
    const lost = gone[3] ?? assert.fail()
    await bench.restart()
    await bench.desktop.store.quarantine(lost.id)
    await bench.mesh.link(bench.laptop, bench.desktop)
    const bounded = await bench.begin()
    assert.equal(bounded.has(lost.id), false, 'it is made again')
    assert.equal(
      bench.isKept(
        bounded,
        gone.filter((chunk) => chunk !== lost),
      ),
      true,
    )
    assert.equal(bench.desktop.keeper.uploads().length, 1, 'it is the same upload')
    let bytes = 0
    bench.desktop.events.on((event) => {
      if (event.kind === 'deposited') bytes += event.bytes
    })
    await bench.store(bounded, content)
    assert.equal(bench.isKept(bounded, content), true)
    assert.ok(bytes <= stagingBytes, 'nothing that is there is sent again')
  })

  it('counts on nobody who is away, and on him again once he is back', async () => {
    const clock = new ManualClock()
    await bench.start({ clock })
    await bench.mesh.link(bench.laptop, bench.desktop)
    const content = contentOf('content', 60)
    await bench.store(await bench.begin(), content)
    const gone = bench.goneOf(content)
    await bench.end()
    bench.mesh.hub.cut(bench.laptop.device, bench.desktop.device)
    const beginning = bench.begin()
    for (let time = 0; time < 20; time++) await clock.advance(1000)
    const bounded = await beginning
    assert.equal(
      gone.some(({ id }) => bounded.has(id)),
      false,
    )
    bench.mesh.hub.mend(bench.laptop.device, bench.desktop.device)
    await bench.mesh.link(bench.laptop, bench.desktop)
    await bench.store(bounded, contentOf('more', 60))
    assert.equal(bench.isKept(bounded, gone), true)
  })

  it('one after the other: what one gives away, another does not find and lose', async () => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const first = await bench.begin()
    let isBegun = false
    const second = bench.laptop.own
      .begin({ stagingBytes, signal: inTime(), onHolder: () => undefined })
      .then((opened) => {
        isBegun = true
        return opened
      })
    await settle()
    assert.equal(isBegun, false)
    await bench.laptop.own.end(first)
    bench.session = await second
    assert.equal(isBegun, true)
  })

  it('that is closed lets nobody wait', async () => {
    await bench.start({ clock: new ManualClock() })
    const bounded = await bench.begin()
    const stored = assert.rejects(bench.store(bounded, contentOf('content', 60)), { code: 'ABORTED' })
    await settle()
    await bench.end()
    await stored
  })
})
