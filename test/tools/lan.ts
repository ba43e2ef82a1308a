/**
 * A local network of its own: hosts in network namespaces on one bridge, without any way out. Multicast goes from host
 * to host, and nowhere else.
 */

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'

/** Runs `ip` or `tc`. @throws when it fails */
function run(file: 'ip' | 'tc', ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr.trim()}`)
  return stdout
}

/** A cable between a host and the switch carries so much, where the system can hold it to that: 100 Mbit/s. */
const shaping = ['tbf', 'rate', '100mbit', 'burst', '64kb', 'latency', '50ms']

/** Hosts on one switch. */
export class Lan implements Disposable {
  /** Namespaces of the hosts: {@link DeviceOptions.namespace}. */
  readonly hosts: readonly string[]
  readonly #switch: string
  readonly #onExit = () => {
    this[Symbol.dispose]()
  }

  private constructor(count: number) {
    const prefix = `cellar-${randomBytes(4).toString('hex')}`
    this.#switch = `${prefix}-switch`
    this.hosts = Array.from({ length: count }, (_, n) => `${prefix}-${String(n)}`)
    process.once('exit', this.#onExit)
  }

  /**
   * Lays the cables.
   *
   * @returns why not, where this system does not permit it
   */
  static lay(count: number): Lan | string {
    if (process.platform !== 'linux') return 'network namespaces are of Linux'
    const lan = new Lan(count)
    try {
      lan.#lay()
      return lan
    } catch (error) {
      lan[Symbol.dispose]()
      return error instanceof Error ? error.message : String(error)
    }
  }

  #lay(): void {
    run('ip', 'netns', 'add', this.#switch)
    run('ip', '-n', this.#switch, 'link', 'add', 'br0', 'type', 'bridge')
    run('ip', '-n', this.#switch, 'link', 'set', 'br0', 'up')
    for (const [n, host] of this.hosts.entries()) {
      const port = `port${String(n)}`
      run('ip', 'netns', 'add', host)
      run('ip', '-n', host, 'link', 'set', 'lo', 'up')
      run(
        'ip',
        '-n',
        this.#switch,
        'link',
        'add',
        port,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        host,
      )
      run('ip', '-n', this.#switch, 'link', 'set', port, 'master', 'br0')
      run('ip', '-n', this.#switch, 'link', 'set', port, 'up')
      run('ip', '-n', host, 'link', 'set', 'eth0', 'up')
      this.#address(host, n + 1)
      try {
        run('tc', '-n', host, 'qdisc', 'replace', 'dev', 'eth0', 'root', ...shaping)
      } catch {
        // Not every kernel can: then it is a faster cable.
      }
    }
  }

  #address(host: string, number: number): void {
    run('ip', '-n', host, 'addr', 'add', `10.77.0.${String(number)}/24`, 'dev', 'eth0')
    // Without a way for multicast nothing is heard at all.
    run('ip', '-n', host, 'route', 'replace', '224.0.0.0/4', 'dev', 'eth0')
  }

  /** Gives a host another address, as a router does after a while. @param number - last byte of the address */
  readdress(host: string, number: number): void {
    run('ip', '-n', host, 'addr', 'flush', 'dev', 'eth0', 'scope', 'global')
    this.#address(host, number)
  }

  /** Pulls the cable of a host out of the switch, or puts it in again. */
  plug(host: string, isIn: boolean): void {
    const port = `port${String(this.hosts.indexOf(host))}`
    run('ip', '-n', this.#switch, 'link', 'set', port, isIn ? 'up' : 'down')
  }

  /** Bytes that a host has received since it is there. */
  bytesReceived(host: string): number {
    const [link] = JSON.parse(run('ip', '-n', host, '-s', '-j', 'link', 'show', 'dev', 'eth0')) as [
      { readonly stats64: { readonly rx: { readonly bytes: number } } },
    ]
    return link.stats64.rx.bytes
  }

  /** Removes it all; whatever runs in it is cut off. Idempotent. */
  [Symbol.dispose](): void {
    process.off('exit', this.#onExit)
    for (const name of [...this.hosts, this.#switch])
      spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
  }
}
