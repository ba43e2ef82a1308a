/** Sealing sources again, to mend: one source after the other by its newest snapshot, until it is enough. */
import assert from 'node:assert/strict'
import { sealSources } from '../../../../node/watching/mend-from.ts'
import { testMembership } from '../../../support/mesh.ts'
import { makeSnapshot, type TestNode, testNode } from '../../../support/node.ts'

describe('sealing the sources again', () => {
  const { signal } = new AbortController()
  let node: TestNode

  beforeEach(async () => {
    node = await testNode({ number: 1, membership: testMembership([]).membership })
    for (const path of ['/one', '/one', '/two']) {
      await makeSnapshot(node, { path })
      await node.clock.advance(1000)
    }
  })
  afterEach(() => node.close())

  async function sealed(isEnough: () => boolean): Promise<string[]> {
    const paths: string[] = []
    const again = (_: unknown, root: { readonly paths: readonly Uint8Array[] }) => {
      // V2.3: a use of the store, beside which nothing is reclaimed.
      assert.equal(node.parts.jobs.isStoreInUse, true)
      paths.push(Buffer.from(root.paths[0] ?? []).toString())
      return Promise.resolve()
    }
    await sealSources(node.parts, again, isEnough, signal)
    return paths.sort()
  }

  it('V2.3 is a use of the store, and reads each source once', async () => {
    assert.deepEqual(await sealed(() => false), ['/one', '/two'])
    assert.equal(node.parts.jobs.isStoreInUse, false)
  })

  it('ends when all is mended', async () => {
    assert.deepEqual(await sealed(() => true), [])
  })
})
