/** The files of packs: few are open at a time, and none is closed that is being made durable. */
import assert from 'node:assert/strict'
import type { Disk, DiskFile } from '../../../storage/disk.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { packHeaderBytes } from '../../../storage/pack/format.ts'
import { packDefaults } from '../../../storage/pack/options.ts'
import { PackFiles } from '../../../storage/pack/pack-files.ts'
import { testChunk } from '../../support/chunks.ts'

/** A disk on which one kind of call takes as long as one likes; it notes files that are closed meanwhile. */
function slowDisk(kind: 'sync' | 'shrink'): { disk: Disk; closedTooSoon: string[]; release: () => void } {
  const disk: Disk = new MemoryDisk()
  const closedTooSoon: string[] = []
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const open = disk.open.bind(disk)
  disk.open = (path, mode): DiskFile => {
    const file = open(path, mode)
    const { sync, shrink, close } = {
      sync: file.sync.bind(file),
      shrink: file.shrink.bind(file),
      close: file.close.bind(file),
    }
    let calls = 0
    const slowly = async (of: typeof kind, call: () => Promise<void>) => {
      if (of !== kind) {
        await call()
        return
      }
      calls++
      await gate
      calls--
      await call()
    }
    file.sync = () => slowly('sync', sync)
    file.shrink = (length) => slowly('shrink', () => shrink(length))
    file.close = () => {
      if (calls > 0) closedTooSoon.push(path)
      close()
    }
    return file
  }
  return { disk, closedTooSoon, release }
}

/** As many packs as no store has open at once, of one chunk each. */
function manyPacks(disk: Disk): PackFiles {
  disk.mkdir('/packs')
  const packs = new PackFiles(disk, '/packs', { ...packDefaults, packBytes: 1, headroomBytes: 0 })
  for (let at = 0; at < 140; at++) {
    const { id, bytes } = testChunk(`chunk ${String(at)}`)
    packs.append(id, bytes)
  }
  return packs
}

const readAll = (packs: PackFiles) => {
  for (const pack of packs.numbers()) packs.read(pack, 0, new Uint8Array(16))
}

describe('pack files', () => {
  it('stay open while they are made durable, however many others are read meanwhile', async () => {
    const { disk, closedTooSoon, release } = slowDisk('sync')
    const packs = manyPacks(disk)
    const synced = packs.sync()
    readAll(packs)
    assert.deepEqual(closedTooSoon, [])
    release()
    assert.deepEqual([...(await synced)], [])
    await packs.close()
  })

  it('stay open while they are cut, also when all are closed', async () => {
    const { disk, closedTooSoon, release } = slowDisk('shrink')
    const packs = manyPacks(disk)
    await packs.sync()
    const [first = 0] = packs.numbers()
    packs.shrink(first, packHeaderBytes)
    assert.equal(packs.size(first), packHeaderBytes)
    readAll(packs)
    const closed = packs.close()
    assert.deepEqual(closedTooSoon, [])
    release()
    await closed
    assert.deepEqual(closedTooSoon, [])
    assert.equal(disk.size(packs.path(first)), packHeaderBytes)
  })

  it('say what failed beside, once', async () => {
    const packs = manyPacks(new MemoryDisk())
    packs.beside.run(Promise.reject(new Error('the disk is gone')))
    await assert.rejects(packs.beside.settled(), /the disk is gone/)
    await packs.beside.settled()
  })
})
