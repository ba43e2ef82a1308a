/** Runs the compiled command line as a person would: real processes, each device with a home of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectRoot } from './project.ts'

/** What is started as `cellar`. */
export const cellarProgram = join(projectRoot, 'dist', 'bundle', 'cellar.js')

/** One line of `--json` output. */
export type JsonLine = Readonly<Record<string, unknown>>

/** A command that has ended. */
export interface Finished {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly seconds: number
}

/** A command did not end as it should. */
export class CommandFailed extends Error {
  readonly finished: Finished

  constructor(args: readonly string[], finished: Finished) {
    const said = finished.stderr.trim() === '' ? finished.stdout : finished.stderr
    super(`cellar ${args.join(' ')}: exit status ${finished.status}\n${said.trim().slice(-2000)}`)
    this.finished = finished
  }
}

/** What `--json` printed, line by line; anything that is not JSON fails. */
export function jsonLines(text: string): JsonLine[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as JsonLine)
}

/** How a device is made. */
export interface DeviceOptions {
  /** Directory of its home; made when it is not there. */
  readonly home: string
  readonly name: string
  /** Environment beside the one of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Node flags, for measuring. */
  readonly nodeFlags?: readonly string[]
  /** Where it listens, always: `HOST:PORT`. @defaultValue a free port of 127.0.0.1, another one at each start */
  readonly listen?: string
  /** Network namespace in which all its processes run. @defaultValue that of this process, without multicast */
  readonly namespace?: string
}

/** Processes that run now: none may outlive the one that started it. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One device: a home, the commands run on it, and its running node, if it has one. */
export class Device implements AsyncDisposable {
  readonly home: string
  readonly name: string
  readonly #env: NodeJS.ProcessEnv
  readonly #nodeFlags: readonly string[]
  #listen: string
  readonly #namespace: string | undefined
  #node: ChildProcess | undefined
  /** How the node that runs, or ran last, ended. */
  #ended: Promise<Finished> | undefined
  readonly #children = new Set<ChildProcess>()
  #addresses: readonly string[] = []
  #printed: readonly (() => string)[] = []

  constructor(options: DeviceOptions) {
    this.home = options.home
    this.name = options.name
    this.#env = { ...process.env, CELLAR_HOME: '', NO_COLOR: '1', ...options.env }
    this.#nodeFlags = options.nodeFlags ?? []
    this.#listen = options.listen ?? '127.0.0.1:0'
    this.#namespace = options.namespace
    mkdirSync(this.home, { recursive: true, mode: 0o700 })
    this.keepOffNetworks()
  }

  /**
   * Writes settings that keep the device on loopback and from multicast: nothing a test or a demo does may reach a real
   * network. Those that `init` or `join` wrote give way.
   */
  keepOffNetworks(): void {
    const settings = `listen = ["${this.#listen}"]\nmdns = ${String(this.#namespace !== undefined)}\n`
    const path = join(this.home, 'config.toml')
    const kept = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
    const others = kept.filter((line) => !/^(listen|mdns)\b/.test(line)).join('\n')
    writeFileSync(path, settings + others, { mode: 0o600 })
  }

  get pid(): number | undefined {
    return this.#node?.pid
  }

  /** Command and arguments of `cellar` on this device, for whoever starts it otherwise. */
  command(args: readonly string[]): { readonly file: string; readonly args: readonly string[] } {
    const line = [process.execPath, ...this.#nodeFlags, cellarProgram, '--home', this.home, ...args]
    // `ip netns exec` becomes the program: its process id and its signals are the program's.
    const [file = '', ...rest] =
      this.#namespace === undefined ? line : ['ip', 'netns', 'exec', this.#namespace, ...line]
    return { file, args: rest }
  }

  /** Starts a command and gives the process, its output piped. */
  spawn(args: readonly string[], input?: 'pipe'): ChildProcess {
    const command = this.command(args)
    const child = spawn(command.file, command.args, {
      env: this.#env,
      stdio: [input ?? 'ignore', 'pipe', 'pipe'],
    })
    for (const processes of [running, this.#children]) {
      processes.add(child)
      child.once('exit', () => processes.delete(child))
    }
    child.stdout?.setEncoding('utf8')
    child.stderr?.setEncoding('utf8')
    return child
  }

  /** Runs a command to its end, whatever its exit status. */
  async try(...args: string[]): Promise<Finished> {
    return await finish(this.spawn(args))
  }

  /** Runs a command that must succeed. @throws {CommandFailed} */
  async run(...args: string[]): Promise<Finished> {
    const finished = await this.try(...args)
    if (finished.status !== 0) throw new CommandFailed(args, finished)
    return finished
  }

  /** Runs a command with `--json` that must succeed and answers with one value. @throws {CommandFailed} */
  async json<T = JsonLine>(...args: string[]): Promise<T> {
    const { stdout } = await this.run('--json', ...args)
    const lines = stdout.trim().split('\n')
    return JSON.parse(lines.at(-1) ?? '') as T
  }

  /** Makes this the first device of a new mesh. */
  async init(role = 'keeper', ...flags: string[]): Promise<void> {
    await this.run('init', '--name', this.name, '--role', role, '--listen', this.#listen, ...flags)
    this.keepOffNetworks()
  }

  /** Joins the mesh that shows a code. @param at - where; else it is looked for on the local network */
  async join(code: string, at?: string): Promise<Finished> {
    const where = at === undefined ? [] : ['--at', at]
    const joined = await this.run(
      '--json',
      'join',
      code,
      ...where,
      '--name',
      this.name,
      '--listen',
      this.#listen,
    )
    this.keepOffNetworks()
    return joined
  }

  /** Runs the node until `stop` or `kill`; resolves when it listens. */
  async start(): Promise<void> {
    const node = this.spawn(['--json', 'start'])
    this.#node = node
    const ended = finish(node)
    this.#ended = ended
    this.#printed = [...this.#printed, printedBy(node)]
    const started = await firstMessage(node, ended, 'started')
    this.#addresses = (started['addresses'] as string[]).map(hostAndPort)
    // A port once taken is kept over a restart, so that the others find it again.
    if (this.#namespace === undefined) this.#listen = this.#addresses[0] ?? this.#listen
    this.keepOffNetworks()
  }

  /** What the nodes of this device have printed. */
  get log(): string {
    return this.#printed.map((text) => text()).join('')
  }

  /** Addresses of the running node as `HOST:PORT`. */
  get addresses(): readonly string[] {
    return this.#addresses
  }

  /** Admits another device: shows a code here, types it there. */
  async admit(newcomer: Device, role: string, ...flags: string[]): Promise<void> {
    const invitation = this.spawn(['--json', 'invite', '--role', role, ...flags])
    const ended = finish(invitation)
    const { code } = await firstMessage(invitation, ended, 'invitation')
    const [at] = this.addresses
    if (at === undefined) throw new Error(`${this.name} listens nowhere`)
    await newcomer.join(String(code), at)
    const finished = await ended
    if (finished.status !== 0) throw new CommandFailed(['invite'], finished)
  }

  /** Ends the running node in an orderly way. @throws {CommandFailed} when it failed, now or before */
  async stop(): Promise<void> {
    const isOn = this.#node !== undefined
    await this.#end('SIGTERM')
    const ended = isOn ? await this.#ended : undefined
    // One that was killed, here or by a test, says nothing.
    if (ended !== undefined && ended.status !== 0 && ended.status !== 137)
      throw new CommandFailed(['start'], ended)
  }

  /** Ends the running node as a power cut does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends every process of this device at once. */
  async killAll(): Promise<void> {
    this.#node = undefined
    await Promise.all([...this.#children].map(killed))
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const node = this.#node
    this.#node = undefined
    if (node === undefined || node.exitCode !== null || node.signalCode !== null) return
    const ended = new Promise((resolve) => node.once('exit', resolve))
    node.kill(signal)
    const late = new AbortController()
    const patience = sleep(20_000, 'late', { signal: late.signal }).catch(() => undefined)
    if ((await Promise.race([ended, patience])) === 'late') node.kill('SIGKILL')
    late.abort()
    await ended
  }

  /** Loses the device: its node is killed and its home is gone. */
  async lose(): Promise<void> {
    await this.kill()
    rmSync(this.home, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

/** Waits for a process and collects what it prints. */
export function finish(child: ChildProcess): Promise<Finished> {
  const started = performance.now()
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (text: string) => (stdout += text))
  child.stderr?.on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const status = code ?? (signal === 'SIGINT' ? 130 : 137)
      resolve({ status, stdout, stderr, seconds: (performance.now() - started) / 1000 })
    })
  })
}

/** What a process has printed so far: first what went to its output, then its log. */
function printedBy({ stdout, stderr }: ChildProcess): () => string {
  const printed = { out: '', log: '' }
  stdout?.on('data', (text: string) => (printed.out += text))
  stderr?.on('data', (text: string) => (printed.log += text))
  return () => printed.out + printed.log
}

/** A multiaddr of TCP over IPv4 as people write it; others as they are. */
function hostAndPort(address: string): string {
  return /^\/ip4\/([\d.]+)\/tcp\/(\d+)/.exec(address)?.slice(1).join(':') ?? address
}

/** The first line of that message type that a running command prints. @throws {CommandFailed} when it ends before */
export async function firstMessage(
  child: ChildProcess,
  ended: Promise<Finished>,
  type: string,
): Promise<JsonLine> {
  const said = new Promise<JsonLine>((resolve) => {
    let text = ''
    child.stdout?.on('data', (part: string) => {
      text += part
      const found = jsonLines(text.slice(0, text.lastIndexOf('\n') + 1)).find(
        (it) => it['message_type'] === type,
      )
      if (found !== undefined) resolve(found)
    })
  })
  const failed = ended.then((finished) => {
    throw new CommandFailed([`(waiting for "${type}")`], finished)
  })
  failed.catch(() => undefined)
  return await Promise.race([said, failed])
}
