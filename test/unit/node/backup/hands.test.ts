/** The hands of a backup, when something goes wrong while one waits for another. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadPosix } from '../../../../node/adapters/posix.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { ContentTable } from '../../../../node/backup/content-table.ts'
import { COARSE } from '../../../../node/backup/gear.ts'
import { Hands } from '../../../../node/backup/hands.ts'
import { storePresence } from '../../../../node/backup/presence.ts'
import { Tally } from '../../../../node/backup/tally.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { memoryCatalog } from '../../../../storage/index.ts'
import { ManualClock } from '../manual-clock.ts'
import { makeDirectory, makeSetting } from './helper.ts'

const key = new Uint8Array(32).fill(1)
const gone = new CellarError('STORE_FULL', 'the owner of a content is gone')

describe('who waits for a content', () => {
  it('is told when the backup has failed, before and after', async () => {
    const table = new ContentTable(memoryCatalog(), () => true)
    assert.deepEqual(table.ask(key), ['mine'])
    assert.deepEqual(table.ask(key), ['wait'])
    const waiting = table.settle(key)
    table.fail(gone)
    await assert.rejects(waiting, gone)
    await assert.rejects(table.settle(key), gone)
  })

  it('does not keep the hands from closing', async () => {
    const directory = makeDirectory()
    try {
      writeFileSync(join(directory, 'twin'), Buffer.alloc(300_000, 1))
      const posix = await loadPosix()
      const setting = await makeSetting()
      const hands = new Hands({
        ...setting,
        presence: storePresence(setting.store),
        posix,
        tally: new Tally(systemWorld.clock),
        clock: systemWorld.clock,
        dryRun: false,
      })
      const { ports } = hands.bench
      let asked: () => void = () => undefined
      const hasAsked = new Promise<void>((resolve) => (asked = resolve))
      const { ask } = ports
      // Another hand is at the same content just before this one asks.
      ports.ask = async (keys) => {
        await ask(keys)
        const verdicts = await ask(keys)
        asked()
        return verdicts
      }
      const path = Buffer.from(join(directory, 'twin'))
      const job = hands.submit({
        kind: 'file',
        path,
        offset: 0,
        length: 300_000,
        sizes: COARSE,
        isSparse: false,
        wantsXattrs: false,
      })
      await hasAsked
      hands.fail(gone)
      await assert.rejects(job, gone)
      await hands.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('what a backup has sealed', () => {
  const small = {
    kind: 'file',
    offset: 0,
    length: 1000,
    sizes: COARSE,
    isSparse: false,
    wantsXattrs: false,
  } as const

  /** How many contents a later backup knows, when one is ended after two files between which so long goes by. */
  async function knownAfter(ms: number): Promise<number> {
    const directory = makeDirectory()
    try {
      const clock = new ManualClock()
      const setting = await makeSetting()
      const posix = await loadPosix()
      const presence = storePresence(setting.store)
      const hands = new Hands({ ...setting, presence, posix, tally: new Tally(clock), clock, dryRun: false })
      for (const [index, name] of ['one', 'two'].entries()) {
        writeFileSync(join(directory, name), Buffer.alloc(1000, index + 1))
        await hands.submit({ ...small, path: Buffer.from(join(directory, name)) })
        await clock.advance(index === 0 ? ms : 0)
      }
      hands.fail(new CellarError('ABORTED', 'the node is closing'))
      await hands.close()
      let known = 0
      for await (const _ of setting.contentIndex.iterate()) known++
      return known
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  it('is durable and known to the next one after a minute at the latest, though it is ended', async () => {
    assert.equal(await knownAfter(60_000), 2)
  })

  it('is not synced after every file', async () => {
    assert.equal(await knownAfter(59_000), 0)
  })
})
