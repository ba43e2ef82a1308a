/**
 * Finding and pairing by mDNS, over a bridge between two network namespaces. Nothing leaves them: they have no way
 * out, and are removed afterwards. Where they cannot be made the tests are skipped, with a word.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const program = fileURLToPath(new URL(`./lan-device.${ending}`, import.meta.url))
const prefix = `rc${String(process.pid)}`
const hosts = [`${prefix}a`, `${prefix}b`] as const
const bridge = `${prefix}s`

function ip(...words: string[]): boolean {
  return spawnSync('ip', words, { stdio: 'ignore' }).status === 0
}

/** Two hosts on one switch, which is in a namespace of its own. */
function layCables(): boolean {
  for (const name of [...hosts, bridge]) if (!ip('netns', 'add', name)) return false
  const isMade =
    ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge') && ip('-n', bridge, 'link', 'set', 'br0', 'up')
  return (
    isMade &&
    hosts.every((host, i) => {
      const port = `p${String(i)}`
      const address = `10.77.0.${String(i + 1)}/24`
      return (
        ip('-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host) &&
        ip('-n', bridge, 'link', 'set', port, 'master', 'br0') &&
        ip('-n', bridge, 'link', 'set', port, 'up') &&
        ip('-n', host, 'link', 'set', 'lo', 'up') &&
        ip('-n', host, 'addr', 'add', address, 'dev', 'eth0') &&
        ip('-n', host, 'link', 'set', 'eth0', 'up') &&
        // Without a way for multicast nothing is heard at all.
        ip('-n', host, 'route', 'add', '224.0.0.0/4', 'dev', 'eth0')
      )
    })
  )
}

function removeCables(): void {
  for (const name of [...hosts, bridge]) ip('netns', 'del', name)
}

/** A device that runs in a namespace. */
class LanDevice {
  readonly #child: ChildProcess
  readonly #said: string[] = []
  readonly #ended: Promise<unknown>
  #wake: () => void = () => undefined
  device = ''

  constructor(host: string, seed: string) {
    const node = [process.execPath, ...process.execArgv, program, seed]
    this.#child = spawn('ip', ['netns', 'exec', host, ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve))
    createInterface({ input: this.#child.stdout ?? assert.fail() }).on('line', (line) => {
      this.#said.push(line)
      this.#wake()
    })
  }

  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** The rest of the next line that begins with a word; what was said before it is passed over. */
  async hear(word: string): Promise<string> {
    const deadline = Date.now() + 60_000
    for (;;) {
      for (let line = this.#said.shift(); line !== undefined; line = this.#said.shift()) {
        if (line.startsWith('failed')) throw new Error(line)
        if (line.startsWith(word)) return line.slice(word.length + 1)
      }
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`"${word}" was not said in time`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
  }

  async ready(): Promise<this> {
    this.device = await this.hear('device')
    return this
  }

  /** Ends it in order, and checks that it ends by itself. */
  async quit(): Promise<void> {
    this.tell('quit')
    await this.hear('closed')
    this.#child.stdin?.end()
    await this.#ended
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

describe('on a local network', function () {
  this.timeout(180_000)
  const running: LanDevice[] = []
  const start = (host: 0 | 1, seed: string): Promise<LanDevice> => {
    const device = new LanDevice(hosts[host], seed)
    running.push(device)
    return device.ready()
  }

  before(function () {
    if (process.platform === 'linux' && process.getuid?.() === 0 && layCables()) return
    removeCables()
    process.stderr.write('  skipped: mDNS over a bridge needs root and network namespaces\n')
    this.skip()
  })
  afterEach(() => Promise.all(running.splice(0).map((device) => device.kill())))
  after(() => {
    removeCables()
  })

  it('members find each other by mDNS, again after one was killed and came back at another port', async () => {
    const [a, b] = await Promise.all([start(0, 'attic'), start(1, 'laptop')])
    const members = `members ${a.device} ${b.device}`
    a.tell(members)
    b.tell(members)
    assert.equal(await a.hear('up'), b.device)
    assert.equal(await b.hear('up'), a.device)
    await b.kill()
    assert.equal(await a.hear('down'), b.device)
    const again = await start(1, 'laptop')
    again.tell(members)
    assert.equal(await a.hear('up'), b.device)
    assert.equal(await again.hear('up'), a.device)
    await Promise.all([a.quit(), again.quit()])
  })

  it('a code alone finds its inviter among two', async () => {
    const [a, other, laptop] = await Promise.all([
      start(0, 'attic'),
      start(0, 'neighbour'),
      start(1, 'laptop'),
    ])
    a.tell('invite')
    other.tell('invite')
    const code = await a.hear('code')
    await other.hear('code')
    laptop.tell(`join ${code}`)
    assert.equal(await laptop.hear('joined'), a.device)
    await Promise.all([a.quit(), other.quit(), laptop.quit()])
  })
})
