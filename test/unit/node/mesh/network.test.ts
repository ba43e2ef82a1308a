import { createHash } from 'node:crypto'
import { openNetwork } from '../../../../node/adapters/libp2p-network.ts'
import { MemoryHub, memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import type { Network } from '../../../../node/network.ts'
import type { DeviceId } from '../../../../protocol/index.ts'
import { type NetworkFixture, networkContract } from '../../../contract/network.ts'

function fixtureOf(open: (n: number) => Promise<Network>): NetworkFixture {
  const opened: Network[] = []
  return {
    async open(n) {
      const network = await open(n)
      opened.push(network)
      return network
    },
    async dispose() {
      await Promise.all(opened.map((network) => network.close()))
    },
  }
}

networkContract('in memory', () => {
  const hub = new MemoryHub()
  return fixtureOf((n) =>
    Promise.resolve(memoryNetwork(hub, { device: `12D3KooWtest${String(n)}` as DeviceId })),
  )
})

networkContract('libp2p over loopback', () =>
  fixtureOf((n) => {
    const seed = createHash('sha256')
      .update(`device ${String(n)}`)
      .digest()
    return openNetwork({ seed, listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false })
  }),
)
