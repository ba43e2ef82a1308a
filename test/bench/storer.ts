/**
 * Measures a storer on little memory: real nodes on loopback, a snapshot of many small chunks, and the memory of the
 * storer while it receives them, does nothing, starts again, gives them away, scrubs and frees them; and what an idle
 * node with one peer costs.
 *
 *     node dist/test/bench/storer.js [CHUNKS] [IDLE SECONDS] [given|idle] [--filled DIR]
 *
 * given: its store is a copy, nothing is received. idle: all three have all, and nothing is done.
 * --filled: a store of so many chunks, made there if it is not.
 */

import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { systemWorld } from '../../node/adapters/system-world.ts'
import { settleMs } from '../../node/deletion/retention.ts'
import { Events } from '../../node/events.ts'
import { homePaths, readKeys } from '../../node/home.ts'
import { Ledger } from '../../node/ledger/ledger.ts'
import { type RootId, signerFromSeed } from '../../protocol/index.ts'
import { type ChunkStore, openCatalog, openStore } from '../../storage/index.ts'
import { testChunk } from '../support/chunks.ts'
import type { Device } from '../tools/cellar.ts'
import { Household, statusOf, untilLinked } from '../tools/household.ts'
import { processCpuS, processMemoryPeak } from './measure.ts'

const MiB = 1024 * 1024
/** Chunks in one directory, and bytes of their ciphertext: small, so that many are made soon. */
const perTree = 1000
const bodyBytes = 150
/** Until what was needed for something else has gone back to the system. */
const restMs = 20_000
const patienceMs = 3_600_000
/** Of a core. */
const quietShare = 0.015

/** One thing that was measured. */
interface Phase {
  readonly what: string
  readonly seconds: number
  /** Of the process, at the end, and the most meanwhile. */
  readonly residentMiB: number
  readonly peakMiB: number
  /** Share of one core, percent. */
  readonly cpuPercent: number
  /** How often a thread of it was woken in a second. */
  readonly wakeups: number
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

/** Waits of all threads that now run, so far. */
function waits(pid: number): number {
  let sum = 0
  for (const task of readdirSync(`/proc/${String(pid)}/task`)) {
    try {
      const status = readFileSync(`/proc/${String(pid)}/task/${task}/status`, 'latin1')
      sum += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    } catch {
      // the thread has ended
    }
  }
  return sum
}

/** Measures a running node while something is done. */
async function during(device: Device, what: string, step: () => Promise<unknown>): Promise<Phase> {
  const { pid } = device
  if (pid === undefined) throw new Error(`${device.name} does not run`)
  // From here on the kernel notes the peak anew.
  writeFileSync(`/proc/${String(pid)}/clear_refs`, '5')
  const before = { ms: performance.now(), cpuS: processCpuS(pid), waits: waits(pid) }
  await step()
  const seconds = (performance.now() - before.ms) / 1000
  const phase = {
    what,
    seconds,
    residentMiB: residentBytes(pid) / MiB,
    peakMiB: processMemoryPeak(pid) / MiB,
    cpuPercent: ((processCpuS(pid) - before.cpuS) / seconds) * 100,
    wakeups: (waits(pid) - before.waits) / seconds,
  }
  const figures = [
    `${phase.residentMiB.toFixed(0)} MiB resident`,
    `peak ${phase.peakMiB.toFixed(0)} MiB`,
    `${phase.cpuPercent.toFixed(2)} % of a core`,
    `${phase.wakeups.toFixed(1)} wake-ups/s`,
  ]
  console.log(`${what.padEnd(34)} ${seconds.toFixed(1).padStart(7)} s  ${figures.join(', ')}`)
  return phase
}

/** Fills a store with the closure of one root. @returns the root */
async function fill(store: ChunkStore, chunks: number): Promise<RootId> {
  const trees: RootId[] = []
  for (let made = 0; made < chunks; made += perTree) {
    const leaves = Array.from({ length: Math.min(perTree, chunks - made) }, (_, at) =>
      testChunk(`leaf ${String(made + at)}`, [], bodyBytes),
    )
    const tree = testChunk(
      `tree ${String(made)}`,
      leaves.map(({ id }) => id),
    )
    for (const { id, bytes } of [...leaves, tree]) await store.put(id, bytes)
    trees.push(tree.id)
  }
  const root = testChunk('root', trees)
  await store.put(root.id, root.bytes)
  await store.commit()
  await store.hold(root.id)
  return root.id
}

/** Gives a device, whose node is not running, a snapshot that it has announced. */
async function giveSnapshot(device: Device, chunks: number, filled?: string): Promise<void> {
  const home = homePaths(device.home, {})
  const keys = await readKeys(home)
  if (filled !== undefined && existsSync(filled)) cpSync(filled, home.store, { recursive: true, force: true })
  const store = await openStore({ dir: home.store })
  const [held] = store.holds()
  const root = await (held === undefined ? fill(store, chunks) : Promise.resolve(held)).finally(() =>
    store.close(),
  )
  if (filled !== undefined && !existsSync(filled)) cpSync(home.store, filled, { recursive: true })
  const catalog = await openCatalog(home.state)
  try {
    const ledger = await Ledger.open({
      catalog: catalog.sub('ledger'),
      signer: signerFromSeed(keys.device),
      clock: systemWorld.clock,
      events: new Events(),
      program: 'bench',
    })
    await ledger.announce({ root, source: new Uint8Array(16), sizeClass: 28 })
    await ledger.idle()
  } finally {
    await catalog.close()
  }
}

/** Has one device call another, which it has not met. */
function knowsOf(device: Device, other: Device): void {
  const path = join(device.home, 'config.toml')
  const [at] = other.addresses
  writeFileSync(path, `peers = [${JSON.stringify(at)}]\n${readFileSync(path, 'utf8')}`)
}

async function untilHeld(device: Device): Promise<void> {
  const endMs = performance.now() + patienceMs
  for (;;) {
    const status = await statusOf(device)
    if (status?.devices.some(({ self, snapshots_held }) => self && snapshots_held === 1) === true) return
    if (performance.now() > endMs) throw new Error(`${device.name} does not hold the snapshot`)
    await pause(1000)
  }
}

async function main(chunks: number, idleS: number, isGiven: boolean, filled?: string): Promise<void> {
  await using house = new Household()
  const [desktop, pi, attic] = ['desktop', 'pi', 'attic'].map((name) => house.device(name)) as [
    Device,
    Device,
    Device,
  ]
  await desktop.init()
  await desktop.start()
  await desktop.admit(pi, 'storer')
  await desktop.admit(attic, 'storer')
  await pi.start()
  await untilLinked(desktop, pi)
  await pause(restMs)
  const phases: Phase[] = []
  const idle = async () => await pause(idleS * 1000)
  phases.push(await during(pi, 'empty, one peer, nothing to do', idle))
  await desktop.stop()
  console.log(`fills a store with ${String(chunks)} chunks`)
  await giveSnapshot(desktop, chunks, filled)
  if (isGiven) {
    // The packs and the index as they are: what was received elsewhere is not received once more.
    await pi.stop()
    cpSync(join(desktop.home, 'store'), join(pi.home, 'store'), { recursive: true, force: true })
    await Promise.all([desktop.start(), pi.start()])
    await untilHeld(pi)
  } else
    phases.push(
      await during(pi, 'receives them', async () => {
        await desktop.start()
        await untilHeld(pi)
      }),
    )
  await pause(restMs)
  phases.push(await during(pi, 'has them, one peer, nothing to do', idle))
  await pi.stop()
  await pi.start()
  await untilLinked(pi, desktop)
  await pause(restMs)
  phases.push(await during(pi, 'started again, nothing to do', idle))
  phases.push(await during(pi, 'says how it is', () => pi.run('status')))
  await desktop.stop()
  phases.push(
    await during(pi, 'gives them to another', async () => {
      knowsOf(attic, pi)
      await attic.start()
      if (isGiven) await pause(60_000)
      else await untilHeld(attic)
    }),
  )
  await attic.stop()
  phases.push(await during(pi, 'scrubs', () => pi.run('scrub')))
  phases.push(await during(pi, 'checks', () => pi.run('check')))
  await pause(restMs)
  phases.push(await during(pi, 'nothing to do any more', idle))
  const worst = Math.max(...phases.map(({ peakMiB }) => peakMiB))
  const idlest = Math.max(
    ...phases.filter(({ what }) => what.includes('nothing to do')).map(({ cpuPercent }) => cpuPercent),
  )
  console.log(JSON.stringify({ chunks, peak_mib: Math.round(worst), idle_cpu_percent: idlest, phases }))
}

/** What is new is judged (R14), a schedule catches up: until that is done a node is not idle. */
async function untilQuiet({ pid }: Device): Promise<void> {
  await pause(1.5 * settleMs) // so long it leaves be what came with the start
  const endMs = performance.now() + patienceMs
  for (let isQuiet = false; !isQuiet && performance.now() < endMs; ) {
    const before = processCpuS(pid!)
    await pause(restMs)
    isQuiet = (processCpuS(pid!) - before) * 1000 < restMs * quietShare
  }
}

/** What a storer costs that has all, with two peers that have all. */
async function idleAlone(chunks: number, idleS: number, filled?: string): Promise<void> {
  await using house = new Household()
  const devices = ['desktop', 'pi', 'attic'].map((name) => house.device(name))
  const [desktop, pi, attic] = devices as [Device, Device, Device]
  await desktop.init()
  await desktop.start()
  await desktop.admit(pi, 'storer')
  await desktop.admit(attic, 'storer')
  await desktop.stop()
  await giveSnapshot(desktop, chunks, filled)
  for (const { home } of [pi, attic])
    cpSync(join(desktop.home, 'store'), join(home, 'store'), { recursive: true, force: true })
  await pi.start()
  for (const device of [desktop, attic]) {
    knowsOf(device, pi)
    await device.start()
    await untilLinked(device, pi)
  }
  for (const device of devices) await untilHeld(device)
  await untilQuiet(pi)
  await during(pi, 'has them, two peers, nothing to do', () => pause(idleS * 1000))
}

// Ended from outside, it takes its nodes and files along.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1))
const { positionals, values } = parseArgs({
  options: { filled: { type: 'string' } },
  allowPositionals: true,
})
const [chunks = '1000000', idleS = '60', how] = positionals
if (how === 'idle') await idleAlone(Number(chunks), Number(idleS), values.filled)
else await main(Number(chunks), Number(idleS), how === 'given', values.filled)
