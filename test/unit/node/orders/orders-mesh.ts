/** Keepers, a writer and a storer that reach one another, for the tests of orders to restore. */
import {
  decodeFrame,
  type DeviceId,
  encodeMessage,
  type Message,
  type OrderId,
  RESTORE_PROTOCOL,
  type RestoreOrder,
  type RootId,
} from '../../../../protocol/index.ts'
import { MemoryHub } from '../../../../node/adapters/memory-network.ts'
import type { Config } from '../../../../node/config.ts'
import type { Channel } from '../../../../node/network.ts'
import type { MadeDirectory, Order } from '../../../../node/orders/order.ts'
import { type Restored, runOrders } from '../../../../node/orders/runner.ts'
import { testMembership } from '../../../support/mesh.ts'
import { type TestNode, testNode } from '../../../support/node.ts'
import { ManualClock, settle } from '../manual-clock.ts'

/** Devices 1 and 2 are keepers, 3 a writer, 4 a storer. */
export async function openMesh(config: Partial<Config> = {}) {
  const hub = new MemoryHub()
  const clock = new ManualClock()
  const { membership } = testMembership(['keeper', 'writer', 'storer'])
  const open = async (number: number, before?: TestNode): Promise<TestNode> => {
    const node = await testNode({
      ...{ number, membership, clock, hub, config },
      isBlind: number === 4,
      ...(before !== undefined && { before }),
    })
    await node.parts.connect()
    return node
  }
  const nodes: TestNode[] = []
  for (const number of [1, 2, 3, 4]) nodes.push(await open(number))
  for (const one of nodes) for (const other of nodes) if (one !== other) await link(one, other)
  await settle()
  const [asker, target, writer, storer] = nodes as [TestNode, TestNode, TestNode, TestNode]
  return {
    ...{ hub, clock, membership, asker, target, writer, storer, open },
    close: async () => {
      for (const node of nodes) await node.close()
    },
  }
}

/** What {@link openMesh} gives. */
export type OrdersMesh = Awaited<ReturnType<typeof openMesh>>

/** Has one node call another. */
export async function link(one: TestNode, other: TestNode): Promise<void> {
  const [address] = other.parts.connected()?.network.addresses() ?? []
  await one.parts.connected()?.network.dial(address ?? '', AbortSignal.timeout(5000))
}

/** An order as a message. */
export function orderMessage(of: Partial<RestoreOrder> = {}): RestoreOrder {
  return {
    type: 'restoreOrder',
    order: '11'.repeat(16) as OrderId,
    root: 'ab'.repeat(32) as RootId,
    path: Buffer.from('/home'),
    patterns: { includes: [], iincludes: [], excludes: [], iexcludes: [] },
    name: 'photos',
    ...of,
  }
}

/** A channel on which a test says whatever it likes. */
export class RawStream {
  readonly #channel: Channel

  private constructor(channel: Channel) {
    this.#channel = channel
  }

  static async open(from: TestNode, to: TestNode): Promise<RawStream> {
    const network = from.parts.connected()?.network
    if (network === undefined) throw new TypeError('not among its peers')
    const channel = await network.open(deviceOf(to), RESTORE_PROTOCOL, AbortSignal.timeout(5000))
    return new RawStream(channel)
  }

  async send(message: Message): Promise<void> {
    await this.#channel.send(encodeMessage(message))
  }

  /** What the other side says next. */
  async next(): Promise<Message> {
    const frame = await this.#channel.receive(AbortSignal.timeout(5000))
    if (frame === undefined) throw new Error('the stream has ended')
    const decoded = decodeFrame(frame)
    if (decoded.kind === 'chunk') throw new Error('a chunk')
    return decoded.message
  }

  /** Sends, and gives the state or the code of the answer. */
  async ask(message: Message): Promise<string> {
    await this.send(message)
    return wordOf(await this.next())
  }

  async close(): Promise<void> {
    await this.#channel.close()
  }
}

/** The state, or the code of an error. */
export function wordOf(message: Message): string {
  if (message.type === 'restoreState') return message.state
  return message.type === 'error' ? message.code : message.type
}

/** A node's device. */
export function deviceOf(node: TestNode): DeviceId {
  return node.parts.signer.device
}

/** Does the orders of a node with a restore that a test ends by hand. */
export class HandRunner {
  readonly made: string[] = []
  readonly begun: { readonly order: Order; readonly directory: MadeDirectory }[] = []
  readonly aborted: string[] = []
  /** Directories that something else has taken the place of. */
  readonly gone = new Set<string>()
  readonly #end = new AbortController()
  readonly #done: Promise<void>
  #finish: ((restored: Restored) => void) | undefined
  #fail: ((error: unknown) => void) | undefined
  #progress: ((files: number) => void) | undefined

  constructor({ parts }: TestNode) {
    const progressOf = (files: number, errors = 0) => ({
      files,
      filesTotal: 10,
      bytes: files,
      bytesTotal: 10,
      errors,
    })
    this.#done = runOrders(
      {
        taken: parts.orders.taken,
        clock: parts.world.clock,
        events: parts.events,
        make: (wish) => {
          this.made.push(wish)
          return { path: `/restored/${wish}`, dev: 1n, ino: BigInt(this.made.length) }
        },
        isStillThere: ({ path }) => !this.gone.has(path),
        restore: (order, directory, { signal, onProgress }) => {
          this.begun.push({ order, directory })
          this.#progress = (files) => {
            onProgress(progressOf(files))
          }
          return new Promise((resolve, reject) => {
            this.#finish = resolve
            this.#fail = reject
            signal.addEventListener('abort', () => {
              this.aborted.push(order.id)
              reject(signal.reason as Error)
            })
          })
        },
      },
      this.#end.signal,
    )
  }

  async finish(errors = 0): Promise<void> {
    this.#finish?.({ progress: { files: 10 - errors, filesTotal: 10, bytes: 10, bytesTotal: 10, errors } })
    await settle()
  }

  async fail(error: unknown): Promise<void> {
    this.#fail?.(error)
    await settle()
  }

  async progress(files: number): Promise<void> {
    this.#progress?.(files)
    await settle()
  }

  async close(): Promise<void> {
    this.#end.abort(new Error('closing'))
    await this.#done
  }
}
