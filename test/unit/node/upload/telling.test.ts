/** What an owner tells its holders after a session, and what it remembers of them (spec/upload.md §3). */
import assert from 'node:assert/strict'
import type { ChunkId, UploadId } from '../../../../protocol/index.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { Remaker } from '../../../../node/thin/remaker.ts'
import { UploadNotes } from '../../../../node/upload/notes.ts'
import type { SessionUpload } from '../../../../node/upload/session.ts'
import { testChunk } from '../../../support/chunks.ts'
import { saying } from '../../../support/mesh.ts'
import { contentOf, idsOf, inTime, SessionBench, type UploadDevice } from './upload-mesh.ts'

describe('who uploads tells its holders', () => {
  const bench = new SessionBench()
  afterEach(() => bench.close())

  const root = testChunk('root')
  const give = async (): Promise<SessionUpload> => {
    await bench.start()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const bounded = await bench.begin()
    await bench.store(bounded, contentOf('content', 60))
    return bounded
  }
  const announce = (chunk = root) =>
    bench.laptop.ledger.announce({ root: chunk.id, source: new Uint8Array(16), sizeClass: 1 })
  const rootsAt = (device: UploadDevice) => device.keeper.uploads()[0]?.roots

  it('what the upload was for, once it is announced', async () => {
    const bounded = await give()
    await bench.laptop.own.setRoot(bounded, root.id)
    await announce()
    await bench.end()
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.deepEqual(rootsAt(bench.desktop), [root.id])
  })

  it('also later, and after a restart, as long as one was not in reach', async () => {
    const bounded = await give()
    await bench.laptop.own.setRoot(bounded, root.id)
    await announce()
    bench.mesh.hub.cut(bench.laptop.device, bench.desktop.device)
    await bench.end()
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.equal(rootsAt(bench.desktop), undefined)
    await bench.restart()
    bench.mesh.hub.mend(bench.laptop.device, bench.desktop.device)
    await bench.mesh.link(bench.laptop, bench.desktop)
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.deepEqual(rootsAt(bench.desktop), [root.id])
  })

  it('nothing of a root that was never announced: the next session goes on', async () => {
    const bounded = await give()
    await bench.laptop.own.setRoot(bounded, root.id)
    await bench.restart()
    await bench.mesh.link(bench.laptop, bench.desktop)
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.equal(rootsAt(bench.desktop), undefined)
    const again = await bench.begin()
    assert.equal(again.upload, bounded.upload)
  })

  it('E3.3: of earlier snapshots, too, that nobody holds yet: what they need may have gone with it', async () => {
    const bounded = await give()
    const earlier = testChunk('earlier')
    await bench.laptop.store.put(earlier.id, earlier.bytes)
    await announce(earlier)
    await bench.laptop.own.setRoot(bounded, root.id)
    await announce()
    await bench.end()
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.deepEqual([...(rootsAt(bench.desktop) ?? [])].sort(), [earlier.id, root.id].sort())
  })

  it('that it is given up; then nothing is kept', async () => {
    await give()
    await bench.end()
    await bench.laptop.own.giveUp()
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.deepEqual(bench.desktop.keeper.uploads(), [])
    const left: string[] = []
    for await (const [key] of bench.laptop.catalog.sub('own-uploads').iterate()) left.push(key)
    assert.deepEqual(left, [])
  })

  it('and forgets its notes when somebody holds what it was for', async () => {
    const bounded = await give()
    await bench.laptop.own.setRoot(bounded, root.id)
    await announce()
    await bench.end()
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    const notes = await UploadNotes.open(bench.laptop.catalog.sub('own-uploads'))
    assert.equal(notes.uploads().length, 1)
    await bench.desktop.ledger.publish(saying(root.id))
    const { head } = bench.desktop.ledger.headOf(bench.desktop.device) ?? assert.fail()
    const { heads, body } = bench.desktop.ledger.listingSince({ ...head, fromSeq: 1 })
    await bench.laptop.ledger.acceptListing(heads, body)
    await bench.laptop.own.settle(bench.laptop.network, inTime())
    assert.deepEqual((await UploadNotes.open(bench.laptop.catalog.sub('own-uploads'))).uploads(), [])
  })

  it('E3.5: what a member keeps need not be made again for another, but for the one who lost it', async () => {
    await bench.start({ storers: 1 })
    const other = bench.mesh.holders[1] ?? assert.fail()
    await bench.mesh.link(bench.laptop, bench.desktop)
    const content = contentOf('content', 60)
    await bench.store(await bench.begin(), content)
    const [gone] = bench.goneOf(content)
    const here = testChunk('nobody was given it')
    assert.ok(gone)
    const asked: ChunkId[][] = []
    const remaker = new Remaker({
      ...{
        ledger: bench.laptop.ledger,
        store: bench.laptop.store,
        clock: systemWorld.clock,
        events: bench.laptop.events,
      },
      isKept: (id, asker) => bench.laptop.own.isKept(id, asker),
      remake: (_, wanted) => {
        asked.push([...wanted])
        return Promise.resolve(new Set())
      },
    })
    const root = testChunk('root', [gone.id])
    await bench.laptop.store.put(root.id, root.bytes)
    await bench.laptop.ledger.announce({ root: root.id, source: new Uint8Array(16), sizeClass: 1 })
    await remaker.remake(other.device, [gone.id], inTime())
    assert.deepEqual(asked, [])
    await remaker.remake(bench.desktop.device, [gone.id], inTime())
    assert.deepEqual(asked, [[gone.id]])
    await remaker.close()
    assert.deepEqual(
      [bench.desktop, other].map(({ device }) =>
        [gone, here].map(({ id }) => bench.laptop.own.isKept(id, device)),
      ),
      [
        [false, false],
        [true, false],
      ],
    )
  })

  it('notes survive as they are written', async () => {
    await bench.start()
    const notes = await UploadNotes.open(bench.laptop.catalog.sub('notes'))
    const upload = 'ef'.repeat(16) as UploadId
    await notes.begin(upload)
    await notes.addHolder(upload, bench.desktop.device)
    const chunks = idsOf(contentOf('content', 3))
    await notes.note(upload, bench.desktop.device, chunks)
    await notes.unnote(upload, chunks.slice(0, 1))
    await notes.setRoots(upload, chunks)
    const again = await UploadNotes.open(bench.laptop.catalog.sub('notes'))
    assert.deepEqual(again.uploads(), notes.uploads())
    assert.deepEqual(
      chunks.map((id) => again.holderOf(upload, id)),
      [undefined, bench.desktop.device, bench.desktop.device],
    )
  })
})
