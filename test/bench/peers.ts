/** Device to device over loopback: from the first byte read to the moment the other device holds it all. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Device } from '../tools/cellar.ts'
import type { Dataset } from './datasets.ts'
import { type Measured, measure, processCpuS, processMemoryPeak } from './measure.ts'
import { rsyncDaemon } from './tools.ts'

/** One way to get data to another device. */
export interface Carrier {
  readonly name: string
  readonly note: string
  /** Carries the data to a receiver in a fresh directory; sender and receiver are counted together. */
  carry(dataset: Dataset, directory: string): Promise<Measured>
}

/** Adds what the running receiver took. */
async function withReceiver(pid: number, carry: () => Promise<Measured>): Promise<Measured> {
  const cpuBefore = processCpuS(pid)
  const sent = await carry()
  // A daemon's child for the connection is counted once it has been waited for.
  await sleep(100)
  return {
    wallS: sent.wallS,
    cpuS: sent.cpuS + processCpuS(pid) - cpuBefore,
    memoryBytes: sent.memoryBytes + processMemoryPeak(pid),
  }
}

const cellarCarrier: Carrier = {
  name: 'cellar',
  note: 'backup --wait=2: chunked, compressed, sealed, stored here and held there, durable on both',
  async carry(dataset, directory) {
    const make = (name: string): Device => new Device({ home: join(directory, name), name })
    await using receiver = make('receiver')
    const sender = make('sender')
    await receiver.init()
    await receiver.start()
    await receiver.admit(sender, 'writer')
    const command = sender.command(['--quiet', 'backup', dataset.path, '--wait=2'])
    return await withReceiver(receiver.pid!, () => measure(command))
  },
}

const rsyncCarrier: Carrier = {
  name: 'rsync',
  note: 'to its own daemon: a plain copy, nothing sealed, compressed or synced to the disk',
  async carry(dataset, directory) {
    mkdirSync(directory, { recursive: true })
    const port = await freePort()
    const { file, args } = rsyncDaemon(directory, port)
    const daemon = spawn(file, args, { stdio: 'ignore' })
    try {
      const url = `rsync://127.0.0.1:${port}/received/`
      await until('the rsync daemon', () => spawnSync('rsync', [url]).status === 0)
      // The daemon forks for each connection and the child ends with it: its time is in the daemon's own count.
      return await withReceiver(daemon.pid!, () =>
        measure({ file: 'rsync', args: ['-a', `${dataset.path}/`, url] }),
      )
    } finally {
      daemon.kill()
    }
  },
}

/** A server that speaks restic's REST protocol. */
interface RestServer {
  readonly file: string
  args(port: number, path: string): string[]
}

/** The reference first; rclone, which Debian has, serves the same protocol. */
const restServers: readonly RestServer[] = [
  {
    file: 'rest-server',
    args: (port, path) => ['--no-auth', '--listen', `127.0.0.1:${port}`, '--path', path],
  },
  { file: 'rclone', args: (port, path) => ['serve', 'restic', '--addr', `127.0.0.1:${port}`, path] },
]

const restServer = restServers.find(({ file }) => isInstalled(file))

function resticCarrier(server: RestServer): Carrier {
  return {
    name: 'restic',
    note: `to its REST server (${server.file}): chunked, compressed, sealed, stored there only`,
    async carry(dataset, directory) {
      mkdirSync(directory, { recursive: true })
      const port = await freePort()
      const served = spawn(server.file, server.args(port, join(directory, 'received')), { stdio: 'ignore' })
      const env = {
        RESTIC_REPOSITORY: `rest:http://127.0.0.1:${port}/`,
        RESTIC_PASSWORD: 'bench',
        RESTIC_CACHE_DIR: join(directory, 'cache'),
      }
      try {
        await until(
          server.file,
          () => spawnSync('restic', ['init'], { env: { ...process.env, ...env } }).status === 0,
        )
        const command = { file: 'restic', args: ['backup', '--quiet', dataset.path], env }
        return await withReceiver(served.pid!, () => measure(command))
      } finally {
        served.kill()
      }
    },
  }
}

function isInstalled(file: string): boolean {
  return spawnSync(file, ['--version']).error === undefined
}

/** What can be compared on this machine. */
export function carriers(): Carrier[] {
  const others = [
    ...(isInstalled('rsync') ? [rsyncCarrier] : []),
    ...(isInstalled('restic') && restServer !== undefined ? [resticCarrier(restServer)] : []),
  ]
  return [cellarCarrier, ...others]
}

/** What is not compared on this machine, and why, for the report. */
export function notCompared(): string[] {
  const missing =
    restServer === undefined ? ['restic to a REST server, device to device: none is installed'] : []
  return [
    ...missing,
    'borg over ssh and Syncthing, device to device: need a set-up that this benchmark does not make',
  ]
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Tries until it works, for five seconds. */
async function until(what: string, works: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (works()) return
    await sleep(50)
  }
  throw new Error(`${what} does not answer`)
}
