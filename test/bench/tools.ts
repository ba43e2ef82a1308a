/** The programs that are compared, each with its defaults, behind one interface. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cellarProgram, Device } from '../tools/cellar.ts'
import { diskBytes } from './datasets.ts'
import type { Command } from './measure.ts'

/** A store of one tool in a fresh directory. */
export interface Store {
  backup(source: string): Command
  /** Restores the newest backup of `source` into an empty directory. */
  restore(source: string, target: string): Command
  /** Forgets all backups but the newest `count` and gives their space back; where there is a history. */
  keepLast?(count: number): readonly Command[]
  /** Bytes that the store takes on the disk. */
  bytes(): number
}

/** One program. */
export interface Tool {
  readonly name: string
  /** What it says of its version; undefined when it is not installed. */
  readonly version: string | undefined
  open(directory: string): Promise<Store>
}

function versionOf(file: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(file, args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0]!.trim() : undefined
}

/** Runs a step that is not measured. */
function prepare(file: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
  const { status, stderr } = spawnSync(file, args, { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: exit status ${status}\n${stderr}`)
}

/** What a person waits for on purpose is not what is measured: forgets take effect at once. */
const withoutWaiting = 'hold_window = "0s"\nfloor_age = "0s"\nfloor_newest = 0\n'

/** Ours: the compiled command line, which opens the node for each command. */
export const cellar: Tool = {
  name: 'cellar',
  version: versionOf(process.execPath, cellarProgram, 'version'),
  async open(directory) {
    const device = new Device({ home: join(directory, 'home'), name: 'bench' })
    await device.init()
    const settings = join(device.home, 'config.toml')
    const kept = readFileSync(settings, 'utf8').replace(/^(hold_window|floor_age|floor_newest)\b.*\n/gm, '')
    writeFileSync(settings, withoutWaiting + kept)
    return {
      // 3: saved, but some files could not be read.
      backup: (source) => ({ ...device.command(['--quiet', 'backup', source]), allowed: [0, 3] }),
      restore: (_, target) => device.command(['--quiet', 'restore', 'latest', '--target', target]),
      keepLast: (count) => [device.command(['--quiet', 'forget', '--keep-last', String(count), '--prune'])],
      bytes: () => diskBytes(device.home),
    }
  },
}

/** restic with its defaults; its cache counts as its own, as ours has none beside the store. */
const restic: Tool = {
  name: 'restic',
  version: versionOf('restic', 'version'),
  async open(directory) {
    const env = {
      RESTIC_REPOSITORY: join(directory, 'repository'),
      RESTIC_PASSWORD: 'bench',
      RESTIC_CACHE_DIR: join(directory, 'cache'),
    }
    prepare('restic', ['init', '--quiet'], env)
    return {
      backup: (source) => ({ file: 'restic', args: ['backup', '--quiet', source], env, allowed: [0, 3] }),
      restore: (_, target) => ({
        file: 'restic',
        args: ['restore', '--quiet', 'latest', '--target', target],
        env,
      }),
      keepLast: (count) => [
        { file: 'restic', args: ['forget', '--quiet', '--keep-last', String(count), '--prune'], env },
      ],
      bytes: () => diskBytes(env.RESTIC_REPOSITORY),
    }
  },
}

/** borg with its defaults (lz4), and the faster of its two encryptions. */
const borg: Tool = {
  name: 'borg',
  version: versionOf('borg', '--version'),
  async open(directory) {
    const env = {
      BORG_REPO: join(directory, 'repository'),
      BORG_PASSPHRASE: 'bench',
      BORG_BASE_DIR: join(directory, 'base'),
    }
    mkdirSync(env.BORG_BASE_DIR)
    prepare('borg', ['init', '--encryption', 'repokey-blake2'], env)
    let archives = 0
    return {
      backup: (source) => ({
        file: 'borg',
        args: ['create', `::a${++archives}`, source],
        env,
        allowed: [0, 1],
      }),
      restore: (_, target) => ({ file: 'borg', args: ['extract', `::a${archives}`], env, cwd: target }),
      keepLast: (count) => [
        { file: 'borg', args: ['prune', '--keep-last', String(count)], env },
        { file: 'borg', args: ['compact'], env },
      ],
      bytes: () => diskBytes(env.BORG_REPO),
    }
  },
}

/** rsync: a plain copy, without history, compression or encryption; how fast it could be. */
const rsync: Tool = {
  name: 'rsync',
  version: versionOf('rsync', '--version'),
  async open(directory) {
    const copy = join(directory, 'copy')
    mkdirSync(copy)
    return {
      backup: (source) => ({ file: 'rsync', args: ['-aHAX', '--delete', `${source}/`, `${copy}/`] }),
      restore: (_, target) => ({ file: 'rsync', args: ['-aHAX', `${copy}/`, `${target}/`] }),
      bytes: () => diskBytes(copy),
    }
  },
}

/** All tools that can keep a backup on a disk, ours first. */
export const tools: readonly Tool[] = [cellar, restic, borg, rsync]

/** An rsync daemon on loopback that takes files into a directory, for device to device. */
export function rsyncDaemon(directory: string, port: number): Command {
  const config = join(directory, 'rsyncd.conf')
  mkdirSync(join(directory, 'received'), { recursive: true })
  const user = process.getuid?.() === 0 ? 'uid = root\ngid = root\n' : ''
  writeFileSync(
    config,
    `${user}use chroot = no\naddress = 127.0.0.1\n[received]\npath = ${join(directory, 'received')}\nread only = no\n`,
  )
  return { file: 'rsync', args: ['--daemon', '--no-detach', `--config=${config}`, `--port=${port}`] }
}
