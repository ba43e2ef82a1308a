/**
 * Measures how soon the dashboard shows what is asked for when there is much of it: a real node and a real browser, a
 * household of fifty devices, a snapshot of a million files, a thousand snapshots.
 *
 *     node dist/test/bench/page.js [FILES] [SNAPSHOTS] [DEVICES]
 *
 * Timed is from the click until it stands on the page, on a node that has just been started and again; the medians.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { systemWorld } from '../../node/adapters/system-world.ts'
import { connectNode, findHome } from '../../node/client.ts'
import { Events } from '../../node/events.ts'
import { homePaths, readKeys } from '../../node/home.ts'
import { Ledger } from '../../node/ledger/ledger.ts'
import { admitMember, signerFromSeed } from '../../protocol/index.ts'
import { openCatalog } from '../../storage/index.ts'
import { enter, missingBrowser, openBrowser, person } from '../dashboard/browser.ts'
import { testSigner } from '../support/mesh.ts'
import type { Device } from '../tools/cellar.ts'
import { backUp, Household } from '../tools/household.ts'

/** Files of each directory but one, which has a tenth of all. */
const perDirectory = 1000
const looks = 5
const patienceMs = 3_600_000

/** Something to look at, and what stands there then. */
interface Look {
  readonly what: string
  readonly hash: string
  readonly shown: (page: Page) => Locator
}

/** A file or directory of a snapshot. */
interface InSnapshot {
  readonly snapshot: string
  readonly path: string
}

/** Files with a line each. @returns the directory that has most */
function writeFiles(base: string, files: number): string {
  const many = join(base, 'many')
  const inMany = Math.floor(files / 10)
  writeDirectory(many, inMany)
  for (let made = inMany, at = 0; made < files; made += perDirectory, at++)
    writeDirectory(join(base, `directory ${String(at)}`), Math.min(perDirectory, files - made))
  return many
}

function writeDirectory(path: string, files: number): void {
  mkdirSync(path, { recursive: true })
  for (let at = 0; at < files; at++) writeFileSync(join(path, nameOf(at)), `line ${String(at)}\n`)
}

const nameOf = (at: number): string => `file ${String(at).padStart(6, '0')}.txt`

/** Makes a household of so many; those who come are never there. */
async function admitMany(desktop: Device, devices: number): Promise<void> {
  const home = homePaths(desktop.home, {})
  const keys = await readKeys(home)
  const catalog = await openCatalog(home.state)
  try {
    const ledger = await Ledger.open({
      catalog: catalog.sub('ledger'),
      signer: signerFromSeed(keys.device),
      clock: systemWorld.clock,
      events: new Events(),
      program: 'bench',
    })
    for (let number = 2; number <= devices; number++)
      await ledger.changeMembership((before, signer) =>
        admitMember(before, signer, {
          device: testSigner(number).device,
          name: `device ${String(number)}`,
          role: number % 2 === 0 ? 'storer' : 'writer',
          atMs: systemWorld.clock.nowMs(),
        }),
      )
    await ledger.idle()
  } finally {
    await catalog.close()
  }
}

/** Backs up a diary again and again, one page more each time. @returns the file that grows, in its last snapshot */
async function keepDiary(desktop: Device, directory: string, days: number): Promise<InSnapshot> {
  mkdirSync(directory)
  const diary = join(directory, 'diary.txt')
  const { socket } = await findHome(desktop.home, process.env)
  let snapshot = ''
  for (let day = 0; day < days; day++) {
    writeFileSync(diary, `${'Dear diary. '.repeat(day)}\n`)
    const handle = await connectNode(socket)
    if (handle === undefined) throw new Error('the node does not run')
    const summary = await handle.call(
      'backup',
      {
        paths: [directory],
        excludes: [],
        iexcludes: [],
        excludeCaches: false,
        excludeIfPresent: [],
        oneFileSystem: false,
        tags: [],
        dryRun: false,
        skipIfUnchanged: false,
        verbose: false,
      },
      { signal: AbortSignal.timeout(patienceMs), onEvent: () => undefined },
    )
    snapshot = summary.snapshot_id ?? ''
  }
  return { snapshot, path: diary }
}

/** Shows something once. @returns milliseconds until it stands there */
async function timed(page: Page, { hash, shown }: Look): Promise<number> {
  await page.evaluate("location.hash = '#/nowhere'")
  await page.getByText('There is no such screen').waitFor()
  const begunMs = performance.now()
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await shown(page).first().waitFor()
  return performance.now() - begunMs
}

async function measure(page: Page, look: Look): Promise<void> {
  const first = await timed(page, look)
  const again: number[] = []
  for (let at = 0; at < looks; at++) again.push(await timed(page, look))
  const median = again.sort((a, b) => a - b)[Math.floor(looks / 2)] ?? NaN
  const [firstText, againText] = [first, median].map((ms) => `${ms.toFixed(0).padStart(6)} ms`)
  console.log(`${look.what.padEnd(44)} first ${firstText ?? ''}, again ${againText ?? ''}`)
}

function looksAt(snapshot: string, source: string, many: string, diary: InSnapshot): Look[] {
  const within = (what: 'in' | 'file', path: string, of = snapshot) =>
    `#/files/${what}/${of}?path=${encodeURIComponent(path)}`
  const rows = (page: Page) => page.getByRole('main').getByRole('table').locator('tbody tr')
  const entry = (name: string) => (page: Page) => page.getByRole('main').getByRole('link', { name })
  const few = join(source, 'directory 1')
  return [
    { what: 'home', hash: '#/', shown: (page) => page.locator('.lead .sentence p:not(.waiting)') },
    { what: 'devices', hash: '#/devices', shown: rows },
    { what: 'snapshots', hash: '#/snapshots', shown: rows },
    { what: 'the directories of a snapshot', hash: within('in', source), shown: entry('directory 1') },
    { what: 'a directory of a thousand files', hash: within('in', few), shown: entry(nameOf(0)) },
    { what: 'the directory with a tenth of all', hash: within('in', many), shown: entry(nameOf(0)) },
    { what: 'a file', hash: within('file', join(few, nameOf(5))), shown: rows },
    {
      what: 'the versions of what changed each time',
      hash: within('file', diary.path, diary.snapshot),
      shown: rows,
    },
    {
      what: 'a search by part of a name',
      hash: '#/files/search?text=000777',
      shown: entry(nameOf(777)),
    },
    { what: 'copies', hash: '#/copies', shown: rows },
    { what: 'trash', hash: '#/trash', shown: (page) => page.getByText('The trash is empty') },
    { what: 'activity', hash: '#/activity', shown: rows },
    { what: 'health', hash: '#/health', shown: (page) => page.locator('.lead .sentence p:not(.waiting)') },
  ]
}

async function main(files: number, snapshots: number, devices: number): Promise<void> {
  const missing = missingBrowser()
  if (missing !== undefined) throw new Error(missing)
  await using house = new Household()
  const desktop = house.device('desktop')
  await desktop.init()
  await admitMany(desktop, devices)
  const source = house.path('files')
  console.log(`writes ${String(files)} files`)
  const many = writeFiles(source, files)
  await desktop.start()
  const { id } = await backUp(desktop, source)
  console.log(`backs up ${String(snapshots)} times`)
  const diary = await keepDiary(desktop, house.path('diary'), snapshots - 1)
  await desktop.stop()
  await desktop.start()
  const browser = await openBrowser()
  try {
    const { page } = await enter(await person(browser), desktop)
    for (const look of looksAt(id, source, many, diary)) await measure(page, look)
  } finally {
    await browser.close()
  }
}

// Ended from outside, it takes its node and files along.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))
const [files = '1000000', snapshots = '1000', devices = '50'] = process.argv.slice(2)
await main(Number(files), Number(snapshots), Number(devices))
