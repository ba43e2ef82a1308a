import assert from 'node:assert/strict'
import { MemoryHub, memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { Peers } from '../../../../node/mesh/peers.ts'
import type { Network } from '../../../../node/network.ts'
import type { DeviceId, Random } from '../../../../protocol/index.ts'
import { ManualClock, settle } from '../manual-clock.ts'

const random: Random = { bytes: (length) => new Uint8Array(length) }
const ids = ['a', 'b', 'c'].map((name) => `12D3KooW${name}` as DeviceId)

describe('keeping links to the members', () => {
  let hub: MemoryHub
  let clock: ManualClock
  let a: Network
  let peers: Peers
  const remembered = new Map<DeviceId, readonly string[]>()
  const opened: Network[] = []

  const open = (device: DeviceId | undefined, mdns = false): Network => {
    const network = memoryNetwork(hub, { device: device ?? assert.fail(), mdns })
    network.members(new Set(ids))
    opened.push(network)
    return network
  }
  const members = (addresses: Partial<Record<string, string[]>> = {}) =>
    new Map(ids.map((id) => [id, addresses[id] ?? []]))

  beforeEach(() => {
    hub = new MemoryHub()
    clock = new ManualClock()
    remembered.clear()
    a = open(ids[0], true)
    peers = new Peers({
      network: a,
      clock,
      random,
      onAddresses: (device, known) => remembered.set(device, known),
    })
  })
  afterEach(async () => {
    await peers.close()
    await Promise.all(opened.splice(0).map((network) => network.close()))
  })

  it('calls at the addresses configured, and remembers what worked', async () => {
    const b = open(ids[1])
    peers.setMembers(members({ [b.device]: b.addresses() }))
    await settle()
    assert.deepEqual(a.connected(), [b.device])
    assert.equal(remembered.get(b.device)?.length, 1)
  })

  it('finds by mDNS a member that comes later, and one that comes back elsewhere', async () => {
    peers.setMembers(members())
    await clock.advance(120_000)
    const b = open(ids[1], true)
    await clock.advance(500)
    assert.deepEqual(a.connected(), [b.device])
    await b.close()
    assert.deepEqual(a.connected(), [])
    const again = open(ids[1], true)
    await clock.advance(2000)
    assert.deepEqual(a.connected(), [again.device])
  })

  it('calls again, ever less often, and at once when a person asks', async () => {
    const b = open(ids[1])
    hub.cut(a.device, b.device)
    peers.setMembers(members({ [b.device]: b.addresses() }))
    await clock.advance(100_000)
    const status = peers.status().find((one) => one.device === b.device)
    assert.equal(status?.failures, 7)
    assert.equal(status.lastError?.code, 'PEER_GONE')
    hub.mend(a.device, b.device)
    peers.callNow()
    await settle()
    assert.deepEqual(a.connected(), [b.device])
    assert.equal(peers.status().find((one) => one.device === b.device)?.failures, 0)
  })

  it('calls again after a link was lost', async () => {
    const b = open(ids[1])
    peers.setMembers(members({ [b.device]: b.addresses() }))
    await settle()
    hub.cut(a.device, b.device)
    hub.mend(a.device, b.device)
    assert.deepEqual(a.connected(), [])
    await clock.advance(1500)
    assert.deepEqual(a.connected(), [b.device])
  })

  it('lets go of who is no member any more', async () => {
    const b = open(ids[1])
    peers.setMembers(members({ [b.device]: b.addresses() }))
    await settle()
    peers.setMembers(new Map([[a.device, []]]))
    assert.deepEqual(a.connected(), [])
    await clock.advance(600_000)
    assert.deepEqual(a.connected(), [])
    assert.deepEqual(peers.status(), [])
  })

  it('two that know each other end with one link', async () => {
    const b = open(ids[1])
    const others = new Peers({ network: b, clock, random })
    peers.setMembers(members({ [b.device]: b.addresses() }))
    others.setMembers(members({ [a.device]: a.addresses() }))
    await clock.advance(5000)
    assert.deepEqual(a.connected(), [b.device])
    assert.deepEqual(b.connected(), [a.device])
    await others.close()
  })
})
