/**
 * `npm run bench -- [flags]`: ours beside restic, borg and rsync, as far as they are installed, in one run.
 *
 *   --scale N      share of the full size (2 GiB, 1 GiB, 200,000 files); default 1
 *   --runs N       runs of each, medians are shown; default 3
 *   --only A,B     data sets: incompressible, text, code, small, real
 *   --tools A,B    programs: cellar, restic, borg, rsync
 *   --real PATH    a folder of this machine as one more data set
 *   --peers        device to device as well
 *   --history A,B  forgetting too, when there are so many backups: 10,100,1000; alone with `--only history`
 *   --directory D  where to work, needs some 15 times the size; default: the temporary directory
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { projectRoot } from '../tools/project.ts'
import { type Dataset, type DatasetName, datasetNames, makeDataset, readAll } from './datasets.ts'
import { type Command, type Measured, measure, measureAll } from './measure.ts'
import { makeHistory } from './history.ts'
import { carriers, notCompared } from './peers.ts'
import { type Machine, markdown, type Report, type Row } from './report.ts'
import { type Store, type Tool, tools } from './tools.ts'

const { values: flags } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: datasetNames.join(',') },
    tools: { type: 'string', default: tools.map((tool) => tool.name).join(',') },
    real: { type: 'string' },
    peers: { type: 'boolean', default: false },
    history: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
  },
})

const scale = Number(flags.scale)
const runs = Number(flags.runs)
const chosen = tools.filter(
  (tool) => flags.tools.split(',').includes(tool.name) && tool.version !== undefined,
)
const rows: Row[] = []

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Keeps one measurement with those of the same tool, scenario and data. */
function keep(
  dataset: { readonly title: string },
  scenario: string,
  tool: string,
  run: Measured,
  storeBytes?: number,
  freedBytes?: number,
): void {
  const same = rows.findIndex(
    (row) => row.dataset === dataset.title && row.scenario === scenario && row.tool === tool,
  )
  const before = rows[same]
  const row = { dataset: dataset.title, scenario, tool, runs: [...(before?.runs ?? []), run] }
  const whole = {
    ...row,
    ...(storeBytes !== undefined && { storeBytes }),
    ...(freedBytes !== undefined && { freedBytes: [...(before?.freedBytes ?? []), freedBytes] }),
  }
  if (before === undefined) rows.push(whole)
  else rows[same] = whole
  const seconds = `${run.wallS.toFixed(2)} s`.padStart(9)
  const memory = `${Math.round(run.memoryBytes / 1024 / 1024)} MiB`
  const freed = freedBytes === undefined ? '' : `  ${(freedBytes / 1024 / 1024).toFixed(1)} MiB given back`
  say(
    `  ${scenario.padEnd(24)} ${tool.padEnd(8)} ${seconds}  cpu ${run.cpuS.toFixed(2)} s  ${memory}${freed}`,
  )
}

/** One measured command, from a warm page cache and with nothing left to be written by what came before. */
async function quietly(warm: string, command: Command): Promise<Measured> {
  spawnSync('sync')
  readAll(warm)
  return await measure(command)
}

/** Another order in each run, so that no tool always comes after the same one. */
function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, n) => items[(n + by) % items.length]!)
}

/** First, unchanged and changed backup and restore, all tools in turn at each step. */
async function runDataset(dataset: Dataset, run: number, directory: string): Promise<void> {
  const stores = new Map<Tool, Store>()
  const order = rotated(chosen, run)
  for (const tool of order) {
    const home = join(directory, `${tool.name}-${run}`)
    mkdirSync(home, { recursive: true })
    stores.set(tool, await tool.open(home))
  }
  const backup = async (scenario: string): Promise<void> => {
    for (const [tool, store] of stores) {
      const measured = await quietly(dataset.path, store.backup(dataset.path))
      keep(dataset, scenario, tool.name, measured, store.bytes())
    }
  }
  await backup('first backup')
  await backup('unchanged backup')
  if (dataset.name !== 'real') {
    dataset.change(run)
    await backup(dataset.isManyFiles ? 'backup, 1 % of files new' : 'backup, 1 KiB before each')
  }
  for (const [tool, store] of stores) {
    const target = join(directory, `restored-${tool.name}-${run}`)
    mkdirSync(target)
    const measured = await quietly(
      join(directory, `${tool.name}-${run}`),
      store.restore(dataset.path, target),
    )
    keep(dataset, 'restore', tool.name, measured)
    if (dataset.name !== 'real') checkRestored(dataset, target, tool.name)
    if (!dataset.isManyFiles) rmSync(target, { recursive: true })
  }
  if (!dataset.isManyFiles)
    for (const tool of order) rmSync(join(directory, `${tool.name}-${run}`), { recursive: true })
}

/** A restore that is fast because it left something out does not count. */
function checkRestored(dataset: { readonly path: string }, target: string, tool: string): void {
  const { files, bytes } = readAll(target)
  const expected = readAll(dataset.path)
  if (files !== expected.files || bytes !== expected.bytes) {
    throw new Error(
      `${tool} restored ${files} files with ${bytes} bytes of ${expected.files} with ${expected.bytes}`,
    )
  }
}

/** How often one backup is forgotten: what happens to be in it differs. */
const onesForgotten = 3
/** Of more backups than that, half is not forgotten: making them again takes hours. */
const halvedMax = 100

/** A history of backups in each store; when there are so many: one is forgotten, then half of them. */
async function runHistory(counts: readonly number[], run: number, directory: string): Promise<void> {
  const history = makeHistory(join(directory, 'tree'), Math.round(20_000 * scale), 16 * scale)
  if (run === 0) say(`\n${history.title}`)
  const stores = new Map<Tool, Store>()
  for (const tool of rotated(chosen, run)) {
    const home = join(directory, tool.name)
    mkdirSync(home, { recursive: true })
    const store = await tool.open(home)
    if (store.keepLast !== undefined) stores.set(tool, store)
  }
  let made = 0
  const backUpTo = async (count: number): Promise<void> => {
    for (; made < count; made++) {
      for (const store of stores.values()) await measure(store.backup(history.path))
      history.change()
    }
  }
  const forgetTo = async (scenario: string, left: number): Promise<void> => {
    for (const [tool, store] of stores) {
      spawnSync('sync')
      readAll(join(directory, tool.name))
      const before = store.bytes()
      const measured = await measureAll(store.keepLast?.(left) ?? [])
      const bytes = store.bytes()
      keep(history, scenario, tool.name, measured, bytes, before - bytes)
    }
    made = left
  }
  for (const count of counts) {
    await backUpTo(count)
    for (let n = 1; n <= onesForgotten; n++) await forgetTo(`forget one of ${count}`, count - n)
    if (count > halvedMax) continue
    await backUpTo(count)
    await forgetTo(`forget half of ${count}`, Math.floor(count / 2))
  }
  for (const [tool, store] of stores) {
    const target = join(directory, `restored-${tool.name}`)
    mkdirSync(target)
    await measure(store.backup(history.path))
    await measure(store.restore(history.path, target))
    checkRestored(history, target, tool.name)
  }
}

async function runPeers(dataset: Dataset, run: number, directory: string): Promise<void> {
  for (const carrier of rotated(carriers(), run)) {
    if (!flags.tools.split(',').includes(carrier.name)) continue
    const home = join(directory, `peers-${carrier.name}-${run}`)
    spawnSync('sync')
    readAll(dataset.path)
    keep(dataset, 'device to device, until held', carrier.name, await carrier.carry(dataset, home))
    if (!dataset.isManyFiles) rmSync(home, { recursive: true })
  }
}

function machine(): Machine {
  const versions = Object.fromEntries(chosen.map((tool) => [tool.name, tool.version ?? '']))
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]!.model.trim(),
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: `Linux ${release()}`,
    node: process.versions.node,
    versions,
  }
}

function write(notes: readonly string[]): void {
  const report: Report = { machine: machine(), scale, runs, rows, notes }
  const directory = join(projectRoot, 'test', 'bench', 'results')
  mkdirSync(directory, { recursive: true })
  const name = scale === 1 ? 'full' : `scale-${scale}`
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`)
  writeFileSync(join(directory, `${name}.md`), markdown(report))
  say(`\n${markdown(report)}`)
}

async function main(): Promise<void> {
  const base = mkdtempSync(join(resolve(flags.directory), 'cellar-bench-'))
  process.once('SIGINT', () => {
    rmSync(base, { recursive: true, force: true })
    process.exit(130)
  })
  const notes = tools
    .filter((tool) => tool.version === undefined)
    .map((tool) => `${tool.name}: not installed`)
  if (flags.peers)
    notes.push(...carriers().map((it) => `${it.name}, device to device: ${it.note}`), ...notCompared())
  try {
    for (const name of flags.only.split(',').filter((it) => it !== 'history') as DatasetName[]) {
      const real =
        flags.real === undefined ? {} : { realPath: resolve(process.env['INIT_CWD'] ?? '.', flags.real) }
      const dataset = makeDataset(name, { directory: join(base, 'source'), scale, ...real })
      if (dataset === undefined) continue
      say(`\n${dataset.title}`)
      const work = join(base, `work-${name}`)
      mkdirSync(work)
      for (let run = 0; run < runs; run++) {
        await runDataset(dataset, run, work)
        if (flags.peers) await runPeers(dataset, run, work)
      }
    }
    const counts = (flags.history ?? '').split(',').filter(Boolean).map(Number)
    for (let run = 0; run < (counts.length === 0 ? 0 : runs); run++)
      await runHistory(counts, run, join(base, `history-${run}`))
    write(notes)
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}

await main()
