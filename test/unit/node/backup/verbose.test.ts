import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EntryNote } from '../../../../node/backup/tally.ts'
import { type ChunkId } from '../../../../protocol/index.ts'
import { makeDirectory, makeSetting, run, type Setting } from './helper.ts'

describe('a backup that tells of each entry', () => {
  let setting: Setting
  let directory: string
  beforeEach(async () => {
    setting = await makeSetting()
    directory = makeDirectory()
    mkdirSync(join(directory, 'same'))
    mkdirSync(join(directory, 'other'))
    writeFileSync(join(directory, 'same', 'a'), 'a')
    writeFileSync(join(directory, 'other', 'b'), 'bb')
    writeFileSync(join(directory, 'other', 'junk.o'), 'left out')
    writeFileSync(join(directory, 'large'), Buffer.alloc(2000))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  async function notes(parent?: ChunkId): Promise<{ said: string[]; scanned: number[]; root: ChunkId }> {
    const said: string[] = []
    const scanned: number[] = []
    const onEntry = ({ path, change, bytes }: EntryNote) => {
      const below = Buffer.from(path).toString()
      if (below.startsWith(directory))
        said.push(`${change} .${below.slice(directory.length)} ${bytes === undefined ? '-' : String(bytes)}`)
    }
    const onScanned = ({ files, bytes }: { files: number; bytes: number }) => scanned.push(files, bytes)
    const { root } = await run(
      setting,
      [directory],
      { excludes: { patterns: ['*.o'], largerThanBytes: 1000 }, ...(parent && { parent }) },
      { onEntry, onScanned },
    )
    return { said: said.sort(), scanned, root: root as ChunkId }
  }

  it('names what is new, changed, unchanged and left out, and when all was found', async () => {
    const first = await notes()
    assert.deepEqual(first.said, [
      'Excluded ./large -',
      'Excluded ./other/junk.o -',
      'New . -',
      'New ./other -',
      'New ./other/b 2',
      'New ./same -',
      'New ./same/a 1',
    ])
    assert.deepEqual(first.scanned, [2, 3])
    writeFileSync(join(directory, 'other', 'b'), 'bbb')
    writeFileSync(join(directory, 'other', 'c'), '')
    const second = await notes(first.root)
    assert.deepEqual(second.said, [
      'Changed . -',
      'Changed ./other -',
      'Changed ./other/b 3',
      'Excluded ./large -',
      'Excluded ./other/junk.o -',
      'New ./other/c 0',
      'Unmodified ./same -',
      'Unmodified ./same/a 1',
    ])
    assert.deepEqual(second.scanned, [3, 4])
  })
})
