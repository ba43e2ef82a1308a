/** The files of packs: few are open at a time, and none is closed that is being made durable. */
import assert from 'node:assert/strict'
import type { Disk, DiskFile } from '../../../storage/disk.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { packDefaults, PackFiles } from '../../../storage/pack/pack-files.ts'
import { testChunk } from '../../support/chunks.ts'

/** A disk on which a sync takes as long as one likes; it notes files that are closed meanwhile. */
function slowDisk(): { disk: Disk; closedTooSoon: string[]; release: () => void } {
  const disk: Disk = new MemoryDisk()
  const closedTooSoon: string[] = []
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const open = disk.open.bind(disk)
  disk.open = (path, mode): DiskFile => {
    const file = open(path, mode)
    const { sync, close } = { sync: file.sync.bind(file), close: file.close.bind(file) }
    let syncs = 0
    file.sync = async () => {
      syncs++
      await gate
      syncs--
      await sync()
    }
    file.close = () => {
      if (syncs > 0) closedTooSoon.push(path)
      close()
    }
    return file
  }
  return { disk, closedTooSoon, release }
}

describe('pack files', () => {
  it('stay open while they are made durable, however many others are read meanwhile', async () => {
    const { disk, closedTooSoon, release } = slowDisk()
    disk.mkdir('/packs')
    const packs = new PackFiles(disk, '/packs', { ...packDefaults, packBytes: 1, headroomBytes: 0 })
    for (let at = 0; at < 140; at++) {
      const { id, bytes } = testChunk(`chunk ${String(at)}`)
      packs.append(id, bytes)
    }
    const synced = packs.sync()
    for (const pack of packs.numbers()) packs.read(pack, 0, new Uint8Array(16))
    assert.deepEqual(closedTooSoon, [])
    release()
    assert.deepEqual([...(await synced)], [])
    packs.close()
  })
})
