import assert from 'node:assert/strict'
import { CONFIG_DEFAULT } from '../../../node/config.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { homePaths, writeConfig, writeKeys } from '../../../node/home.ts'
import { entryKey } from '../../../node/ledger/records.ts'
import { openNode } from '../../../node/node.ts'
import { removeMember } from '../../../protocol/index.ts'
import { openCatalog } from '../../../storage/index.ts'
import { testMembership, testSigner, withCode } from '../../support/mesh.ts'

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('a node of a removed device', () => {
  it('does not begin, says why, and leaves nothing running', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cellar-removed-'))
    try {
      const { membership } = testMembership(['writer'])
      const { device } = testSigner(2)
      const { entries } = removeMember(membership, testSigner(1), { device, atMs: 0 })
      const home = homePaths(directory, {})
      const port = await freePort()
      writeKeys(home, { device: new Uint8Array(32).fill(2), vault: undefined })
      writeConfig(home, {
        ...CONFIG_DEFAULT,
        listen: [`127.0.0.1:${String(port)}`],
        mdns: false,
      })
      const catalog = await openCatalog(home.state)
      await catalog.sub('ledger').batch(
        entries.map((value, epoch) => ({ type: 'put', key: entryKey(epoch), value })),
        { durable: true },
      )
      await catalog.close()
      await assert.rejects(openNode(home, { mode: 'running' }), withCode('NOT_A_MEMBER'))
      assert.equal(await answers(port), false)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
