/**
 * Machines for the commands of the documents: each has a directory that it takes for its root, with a home, a shell
 * and the real program, and calls the others on loopback addresses. What a document types is typed as it stands.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cellarProgram } from '../tools/cellar.ts'
import { FakeSystemd } from '../tools/fake-systemd.ts'
import { loopbackPlace, until } from '../tools/household.ts'
import { seeded } from '../tools/seeded.ts'

/** Directories that each machine has for itself, as documents name them. */
const OWN_PLACES = /(?<![\w./])\/(home\/you|var\/lib|mnt|media)(?![\w-])/g

/**
 * `cellar` as it is on the path: the program, kept to loopback. There is no multicast there, so it is told where the
 * other device is, which a person need not say.
 */
const WRAPPER = `#!/bin/bash
command= skip= said= listens=
for word in "$@"; do
  [ "$word" = --at ] && said=1
  [ "$word" = --listen ] && listens=1
  if [ -n "$command" ]; then continue
  elif [ -n "$skip" ]; then skip=
  elif [ "$word" = --home ]; then skip=1
  elif [[ $word != -* ]]; then command=$word; fi
done
more=()
case $command in
  init | join | recover) [ -n "$listens" ] || more=(--listen "$SANDBOX_LISTEN") ;;
esac
case $command in
  join | recover) [ -n "$said" ] || more+=(--at "$SANDBOX_AT") ;;
esac
exec "$SANDBOX_NODE" "$SANDBOX_CELLAR" "$@" "\${more[@]}"
`
/** Another machine's shell: what is typed there means its directories. */
const SSH = `#!/bin/bash
root=$SANDBOX_BASE/$1
shift
command=$*
exec env HOME="$root/home/you" XDG_CONFIG_HOME="$root/home/you/.config" SANDBOX_ROOT="$root" \\
  SANDBOX_LISTEN="$(cat "$root/listen")" SANDBOX_AT="$(cat "$root/at")" bash -c "\${command//$SANDBOX_ROOT/$root}"
`
/** There is one user only. */
const SUDO = `#!/bin/bash
while [[ $1 = -* ]]; do [ "$1" = -u ] && shift; shift; done
exec "$@"
`

/** What a command said, both streams as they came, and how it ended. */
export interface Ended {
  readonly status: number
  readonly text: string
}

/** A command that still runs. */
export interface Running {
  readonly ended: Promise<Ended>
  /** What it has said up to now. */
  text(): string
}

/** One machine of a sandbox. */
export class Machine {
  readonly name: string
  readonly root: string
  readonly listen = loopbackPlace()
  readonly #base: string
  readonly #systemd: FakeSystemd
  readonly #children = new Set<ChildProcess>()

  constructor(base: string, name: string) {
    this.name = name
    this.#base = base
    this.root = join(base, name)
    for (const place of ['home/you/.config/rootcellar', 'var/lib', 'mnt', 'media'])
      mkdirSync(join(this.root, place), { recursive: true })
    writeFileSync(join(this.root, 'listen'), this.listen)
    this.#systemd = new FakeSystemd(join(this.root, 'systemd'))
  }

  get home(): string {
    return join(this.root, 'home', 'you')
  }

  /** @param at - where `join` and `recover` find another device */
  env(at: string): NodeJS.ProcessEnv {
    return {
      ...this.#systemd.env,
      PATH: `${join(this.#base, 'bin')}:${this.#systemd.env['PATH'] ?? ''}`,
      HOME: this.home,
      USER: 'you',
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      NO_COLOR: '1',
      TMPDIR: this.#base,
      XDG_CONFIG_HOME: join(this.home, '.config'),
      SANDBOX_BASE: this.#base,
      SANDBOX_ROOT: this.root,
      SANDBOX_LISTEN: this.listen,
      SANDBOX_AT: at,
      SANDBOX_NODE: process.execPath,
      SANDBOX_CELLAR: cellarProgram,
    }
  }

  /** Settings: what keeps the machine on loopback, then these. */
  settingsText(text: string, peers: readonly Machine[]): string {
    const lines = [
      `listen = ["${this.listen}"]`,
      'mdns = false',
      `peers = [${peers.map((peer) => `"${peer.listen}"`).join(', ')}]`,
    ].filter((line) => !new RegExp(`^${line.split(' ')[0] ?? ''} = `, 'm').test(text))
    return `${lines.join('\n')}\n${this.#here(text)}\n`
  }

  /**
   * Text of a document, its directories those of this machine; but what stands behind the colon of `SNAPSHOT:PATH` is
   * where the laptop had it.
   */
  #here(text: string): string {
    const inSnapshot = text.replace(
      /(?<=\b(?:latest|[0-9a-f]{8}):)(?=\/home\/you)/g,
      join(this.#base, 'laptop'),
    )
    return inSnapshot.replace(OWN_PLACES, `${this.root}/$1`)
  }

  /** Starts a line of a shell in the home. Text of the machine's own directories is shown as a document has it. */
  start(line: string, at: string): Running {
    const child = spawn('bash', ['-c', `exec 2>&1; ${this.#here(line)}`], {
      cwd: this.home,
      env: this.env(at),
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    this.#children.add(child)
    let text = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (part: string) => (text += part))
    const roots = new RegExp(`${this.#base}/[a-z-]+(?=/)`, 'g')
    const shown = () => text.replace(roots, '')
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject)
      // A program that was left running holds the pipe open, so it is the shell's end that counts.
      child.once('close', (code) => {
        this.#children.delete(child)
        resolve({ status: code ?? 137, text: shown() })
      })
    })
    return { ended, text: shown }
  }

  /** Runs the node until the sandbox goes, and waits until it answers. */
  async startNode(at: string, line = 'exec cellar start'): Promise<void> {
    const node = this.start(line, at)
    const early = node.ended.then(({ text }) => {
      throw new Error(`${this.name}: the node has ended:\n${text}`)
    })
    early.catch(() => undefined)
    const listens = (): true | undefined => (node.text().includes('\nlistening on ') ? true : undefined)
    await Promise.race([early, until(`${this.name} runs`, listens)])
  }

  /** Ends all that runs here. */
  async end(): Promise<void> {
    this.#systemd.end()
    const children = [...this.#children]
    const ended = children.map((child) => new Promise((resolve) => child.once('close', resolve)))
    for (const child of children) if (child.pid !== undefined) killGroup(child.pid)
    await Promise.all(ended)
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // all of it has ended
  }
}

/** Machines below one temporary directory, which goes with them. */
export class Sandbox implements AsyncDisposable {
  /** Short: a control socket has room for 100 bytes. */
  readonly base = mkdtempSync(join(tmpdir(), 'cd-'))
  readonly machines = new Map<string, Machine>()
  readonly #onExit = () => {
    this.#remove()
  }

  /** @param names - of the machines; the others call the first one */
  constructor(names: readonly string[]) {
    process.once('exit', this.#onExit)
    mkdirSync(join(this.base, 'bin'))
    for (const [name, text] of Object.entries({ cellar: WRAPPER, ssh: SSH, sudo: SUDO })) {
      const path = join(this.base, 'bin', name)
      writeFileSync(path, text)
      chmodSync(path, 0o755)
    }
    for (const name of names) this.machines.set(name, new Machine(this.base, name))
    for (const machine of this.machines.values()) {
      makeDocuments(machine)
      writeFileSync(join(machine.root, 'at'), this.placeFor(machine))
      const path = join(machine.home, '.config', 'rootcellar', 'config.toml')
      writeFileSync(path, machine.settingsText('', this.#others(machine)), { mode: 0o600 })
    }
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name)
    if (machine === undefined) throw new Error(`there is no machine ${name}`)
    return machine
  }

  /** Where the first machine, or the first that is not this one, can be called. */
  placeFor(machine: Machine): string {
    return this.#others(machine)[0]?.listen ?? machine.listen
  }

  /** Changes the settings of one machine as its person does: the editor puts them in place. */
  async settings(name: string, text: string): Promise<void> {
    const machine = this.machine(name)
    const path = join(machine.root, 'settings.toml')
    writeFileSync(path, machine.settingsText(text, this.#others(machine)))
    await this.run(name, `VISUAL="cp '${path}'" cellar config edit`)
  }

  /** Starts a line on a machine. */
  start(name: string, line: string): Running {
    const machine = this.machine(name)
    return machine.start(line, this.placeFor(machine))
  }

  /** Runs a line that must succeed. @returns what it said */
  async run(name: string, line: string): Promise<string> {
    const { status, text } = await this.start(name, line).ended
    if (status !== 0) throw new Error(`${name}$ ${line}: exit status ${String(status)}\n${text}`)
    return text
  }

  /** Runs the nodes of some machines, at once. */
  async startNodes(names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map((name) => {
        const machine = this.machine(name)
        return machine.startNode(this.placeFor(machine))
      }),
    )
  }

  /** Gives each machine what the machine of that name has as a device; none of them may run. */
  copyDevices(from: Sandbox): void {
    for (const machine of this.machines.values()) {
      const its = join('.local', 'share', 'rootcellar')
      const source = from.machines.get(machine.name)
      if (source !== undefined) cpSync(join(source.home, its), join(machine.home, its), { recursive: true })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.machines.values()].map((machine) => machine.end()))
    process.off('exit', this.#onExit)
    this.#remove()
  }

  #others(machine: Machine): Machine[] {
    return [...this.machines.values()].filter((one) => one !== machine)
  }

  #remove(): void {
    rmSync(this.base, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Some letters, a diary, a picture: the same ones in each run. */
function makeDocuments({ home, name }: Machine): void {
  const letters = join(home, 'Documents', 'letters')
  mkdirSync(letters, { recursive: true })
  for (const to of ['bank', 'club', 'school'])
    writeFileSync(join(letters, `${to}.txt`), `Dear ${to}, this is from ${name}.\n`)
  writeFileSync(join(home, 'Documents', 'diary.txt'), 'Monday: rain.\n')
  writeFileSync(join(home, 'Documents', 'garden.raw'), seeded(name).bytes(300_000))
}
