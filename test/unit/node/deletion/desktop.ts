/** Devices for the tests of the reaper, with nothing in the way but what a test is about. */
import assert from 'node:assert/strict'
import type { Config } from '../../../../node/config.ts'
import type { Reaped } from '../../../../node/deletion/reaper.ts'
import {
  admitMember,
  type Capability,
  changeMember,
  foundMesh,
  type ForgetReason,
  type Membership,
  type RootId,
} from '../../../../protocol/index.ts'
import { testSigner } from '../../../support/mesh.ts'
import { type TestNode, testNode } from '../../../support/node.ts'
import { ManualClock, settle } from '../manual-clock.ts'

/** Settings that let everything go at once. */
export const bare: Partial<Config> = { holdWindowMs: 0, floorAgeMs: 0, floorNewest: 0 }

/** A mesh of a desktop, and of a laptop if it is said what that may do. */
function mesh(laptop?: readonly Capability[]): Membership {
  const keeper = testSigner(1)
  const founded = foundMesh(keeper, { name: 'desktop', nonce: new Uint8Array(16), atMs: 0 })
  if (laptop === undefined) return founded
  const { device } = testSigner(2)
  const both = admitMember(founded, keeper, { device, name: 'laptop', role: 'writer', atMs: 0 })
  return changeMember(both, keeper, { device, atMs: 0, capabilities: new Set(laptop) })
}

/** The desktop alone. */
export const alone = mesh()
/** With a laptop that keeps what it needs. */
export const withLaptop = mesh(['backup', 'read', 'store'])
/** With a laptop that leans. */
export const withLeaning = mesh(['backup', 'read', 'store', 'lean'])

/** The desktop of a mesh; nothing is stored outside of a session before it has looked for what a crash has left. */
export async function openDesktop(
  membership: Membership,
  config: Partial<Config> = bare,
  isRunning = false,
): Promise<TestNode> {
  const node = await testNode({ number: 1, membership, config, isRunning, clock: new ManualClock() })
  await settle()
  return node
}

/** A desktop again, after it was closed or died. */
export async function openAgain(before: TestNode, config: Partial<Config> = bare): Promise<TestNode> {
  return await testNode({ number: 1, membership: alone, before, config })
}

/** The laptop of a mesh, on the clock of its desktop. */
export async function openLaptop({ parts, clock }: TestNode): Promise<TestNode> {
  return await testNode({ number: 2, membership: parts.ledger.membership, clock, config: bare })
}

/** Closes nodes when a test is over. */
export function closeAfterEach(): <T extends TestNode>(node: Promise<T>) => Promise<T> {
  const open: TestNode[] = []
  afterEach(async () => {
    for (const node of open.splice(0)) await node.close()
  })
  return async (opening) => {
    const node = await opening
    open.push(node)
    return node
  }
}

/** Forgets all announcements of a root; the next listing says so. */
export async function forget(
  { parts }: TestNode,
  root: RootId,
  reason: ForgetReason = 'person',
): Promise<void> {
  const forgets = parts.ledger.live().filter((live) => live.root === root)
  await parts.ledger.forget(forgets.map(({ dot }) => ({ dot, root, reason })))
}

/** One pass. */
export function reap({ parts }: TestNode, unfinished = false): Promise<Reaped> {
  return parts.reaper.reap({ signal: new AbortController().signal, unfinished })
}

/** What a listing says is held is held, and whole (R3); what lives and was held is whole still (S1). */
export function checkHeld({ parts }: TestNode, ...whole: RootId[]): void {
  const { ledger, store } = parts
  const lane = [...ledger.view.lanes.values()].find(({ device }) => device === ledger.device)
  for (const root of lane?.body.holds ?? []) assert.ok(store.isHeld(root) && store.isComplete(root), root)
  for (const root of whole) assert.ok(store.isComplete(root), `${root} is whole`)
}
