/** Nodes with snapshots of real trees, for the tests of what begins with a file. */
import type { ChunkId, Membership, RootId, SnapshotRoot } from '../../../../protocol/index.ts'
import { sourceLabel } from '../../../../node/source-label.ts'
import type { EventOf, ResultOf } from '../../../../node/api.ts'
import { handlersOf } from '../../../../node/operations/index.ts'
import { publish, type TestNode } from '../../../support/node.ts'
import { type Made, type MadeTree, SnapshotMaker } from '../../../tools/make-snapshot.ts'
import { household } from '../deletion/household.ts'

/** A file that is the same one each time: what is not said of it differs else. */
export function file(bytes: string, inode: bigint, fields: Partial<Made> = {}): Made {
  return { bytes, inode, ...fields }
}

/** The household, and a third of the keepers in it. */
export const mesh: Membership = household()

/** Makes snapshots on one node. */
export class Author {
  readonly node: TestNode
  readonly #maker: SnapshotMaker

  private constructor(node: TestNode, maker: SnapshotMaker) {
    this.node = node
    this.#maker = maker
  }

  static async of(node: TestNode): Promise<Author> {
    return new Author(node, await SnapshotMaker.open(node.parts.store))
  }

  /** Backs up a tree that begins at the top, as if `path` had been named. */
  async backUp(
    tree: MadeTree,
    timeMs: number,
    path = '/home',
    fields: Partial<SnapshotRoot> = {},
  ): Promise<RootId> {
    const { parts } = this.node
    const paths = [Buffer.from(path)]
    const root = await this.#maker.snapshot(tree, {
      device: parts.signer.device,
      paths,
      timeNs: BigInt(timeMs) * 1_000_000n,
      offsetMinutes: 0,
      ...fields,
    })
    await announce(this.node, root, paths)
    return root
  }
}

/** A snapshot of trees that are in the store already. */
export async function announceTree(
  node: TestNode,
  maker: SnapshotMaker,
  trees: readonly ChunkId[],
  { timeMs, path }: { readonly timeMs: number; readonly path: string },
): Promise<void> {
  const paths = [Buffer.from(path)]
  const fields = { device: node.parts.signer.device, paths, timeNs: BigInt(timeMs) * 1_000_000n }
  const root = await maker.snapshot({}, { ...fields, trees })
  await announce(node, root, paths, false)
}

async function announce(
  node: TestNode,
  root: RootId,
  paths: readonly Uint8Array[],
  isSigned = true,
): Promise<void> {
  const { vault, store, ledger, signer } = node.parts
  if (vault === undefined) throw new TypeError('who makes snapshots reads them')
  if (isSigned) await store.hold(root)
  await ledger.announce({ root, source: sourceLabel(vault.keys, signer.device, paths), sizeClass: 10 })
  if (isSigned) await publish(node)
}

/** A search, with what it told; statuses left out. */
export interface Searched {
  readonly hits: readonly Extract<EventOf<'search'>, { message_type: 'hit' }>[]
  readonly notices: readonly Extract<EventOf<'search'>, { message_type: 'notice' }>[]
  readonly result: ResultOf<'search'>
}

/** Searches, and gathers what is told. */
export async function search(
  { parts }: TestNode,
  text: string,
  more: {
    readonly limit?: number
    readonly after?: string
    readonly snapshot?: string
    readonly below?: string
  } = {},
): Promise<Searched> {
  const events: EventOf<'search'>[] = []
  const result = await handlersOf(parts).search(
    { text, limit: 100, filter: { devices: [], paths: [], tags: [] }, ...more },
    {
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
      input: (async function* () {})(),
      output: () => Promise.resolve(),
    },
  )
  return {
    hits: events.filter((event) => event.message_type === 'hit'),
    notices: events.filter((event) => event.message_type === 'notice'),
    result,
  }
}
