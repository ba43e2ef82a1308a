/**
 * `npm run demo -- [PATH]`: three devices on this machine, a backup, a lost laptop, and everything back from each of
 * the other two. Real processes of the compiled `cellar`; loopback only; nothing is left behind.
 */

import { lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Device } from '../tools/cellar.ts'
import { compareTrees, describeDifferences } from '../tools/compare-trees.ts'
import { searchLeaks } from '../tools/leaks.ts'
import { foundSource, madeSource, type Source } from './source.ts'

/** What the demo shows did not come true. */
class DemoFailed extends Error {}

const started = performance.now()
let step = 0

/** Says what was done, with how long it took. */
async function show<T>(what: string, act: () => T | Promise<T>, figures: (result: T) => string): Promise<T> {
  const before = performance.now()
  process.stdout.write(`${String(++step).padStart(2)}. ${what} … `)
  const result = await act()
  const seconds = (performance.now() - before) / 1000
  process.stdout.write(`${figures(result)} (${seconds.toFixed(1)} s)\n`)
  return result
}

function size(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]!}`
}

/** What the demo reads of `backup --json`. */
interface BackupSummary {
  readonly snapshot_id: string
  readonly data_added_packed: number
  readonly total_files_processed: number
  readonly total_bytes_processed: number
  readonly total_duration: number
  readonly copies: number
  readonly copies_wanted: number
}

/** Backs up and waits until every device holds it; sources that could not be read (exit 3) are told, not fatal. */
async function backup(device: Device, path: string): Promise<BackupSummary> {
  const { status, stdout, stderr } = await device.try('--json', 'backup', path, '--wait')
  const summary = stdout
    .split('\n')
    .filter((line) => line.includes('"summary"'))
    .map((line) => JSON.parse(line) as BackupSummary)
    .at(-1)
  if ((status !== 0 && status !== 3) || summary === undefined) {
    throw new DemoFailed(`backup ended with status ${status}:\n${stderr.slice(-2000)}`)
  }
  if (status === 3) process.stdout.write('some files could not be read; ')
  if (summary.copies < 3) throw new DemoFailed(`only ${summary.copies} devices hold the snapshot`)
  return summary
}

/** Restores from one device only, the other one stopped, and compares with the source. */
async function restoreFrom(
  holder: Device,
  absent: Device,
  laptop: Device,
  snapshot: string,
  source: Source,
  to: string,
) {
  await absent.stop()
  mkdirSync(to)
  await laptop.run('restore', snapshot, '--from', holder.name, '--target', to)
  const restored = join(to, source.path)
  const differences = compareTrees(source.path, restored, { roots: true })
  if (differences.length > 0) throw new DemoFailed(`not the same:\n${describeDifferences(differences)}`)
  await absent.start()
}

async function demo(base: string, given: string | undefined): Promise<void> {
  const device = (name: string): Device => new Device({ home: join(base, name), name })
  await using desktop = device('desktop')
  await using pi = device('pi')
  await using laptop = device('laptop')

  const source = await show(
    given === undefined ? 'make a small tree with every kind of file' : `look at ${given}`,
    () => (given === undefined ? madeSource(join(base, 'documents')) : foundSource(given)),
    (it) => `${it.files} files, ${size(it.bytes)}`,
  )
  await show(
    'pair three devices by short codes: desktop (keeper), laptop (writer), pi (storer)',
    async () => {
      await desktop.init('keeper')
      await desktop.start()
      await desktop.admit(laptop, 'writer')
      await desktop.admit(pi, 'storer')
      await Promise.all([laptop.start(), pi.start()])
    },
    () => 'paired and running',
  )
  const first = await show(
    'laptop backs up, and waits until desktop and pi hold it too',
    () => backup(laptop, source.path),
    (it) =>
      `${it.total_files_processed} files, ${size(it.data_added_packed)} stored, on ${it.copies} devices`,
  )
  const second = await show(
    'laptop backs up again, nothing changed',
    () => backup(laptop, source.path),
    (it) => `${size(it.data_added_packed)} more`,
  )
  await show(
    "search the pi's disk for names and contents of files",
    () => {
      const searched = searchLeaks(pi.home, source.secrets)
      const [leak] = searched.leaks
      if (leak !== undefined) throw new DemoFailed(`found ${JSON.stringify(leak.found)} in ${leak.file}`)
      return searched
    },
    (it) => `none of ${source.secrets.length} found in ${size(it.bytes)}`,
  )
  await show(
    'the laptop is lost, with all it had',
    () => laptop.lose(),
    () => 'gone',
  )
  await using newLaptop = device('new-laptop')
  await show(
    'a new laptop joins',
    () => desktop.admit(newLaptop, 'writer'),
    () => 'admitted',
  )
  await show(
    'restore the first snapshot from the desktop, the pi switched off',
    () => restoreFrom(desktop, pi, newLaptop, first.snapshot_id, source, join(base, 'from-desktop')),
    () => 'every byte and all metadata the same',
  )
  await show(
    'restore the second snapshot from the pi, the desktop switched off',
    () => restoreFrom(pi, desktop, newLaptop, second.snapshot_id, source, join(base, 'from-pi')),
    () => 'every byte and all metadata the same',
  )
}

/** The folder that was named, from where the person typed it (npm changes directory). */
function givenPath(): string | undefined {
  const given = process.argv.slice(2).find((it) => !it.startsWith('--'))
  if (given === undefined) return undefined
  const path = resolve(process.env['INIT_CWD'] ?? '.', given)
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw new DemoFailed(`there is no ${path}`)
  return path
}

async function main(): Promise<void> {
  const keep = process.argv.includes('--keep')
  const base = mkdtempSync(join(tmpdir(), 'cellar-demo-'))
  const remove = (): void => {
    if (keep) process.stdout.write(`kept: ${base}\n`)
    else rmSync(base, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      // The children get the terminal's signal too; what is theirs goes with the directory.
      remove()
      process.exit(130)
    })
  }
  try {
    await demo(base, givenPath())
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(
      `\nAll of it held: two copies survived the laptop, and each alone gave everything back. ${seconds} s\n`,
    )
  } catch (error) {
    process.stdout.write('FAILED\n')
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  } finally {
    remove()
  }
}

await main()
