import assert from 'node:assert/strict'
import { memoryCatalog } from '../../../../storage/index.ts'
import { MemoryHub, memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { Events } from '../../../../node/events.ts'
import type { Ledger } from '../../../../node/ledger/ledger.ts'
import { Contacts } from '../../../../node/mesh/contacts.ts'
import type { Network } from '../../../../node/network.ts'
import { testMembership, testSigner } from '../../../support/mesh.ts'
import { ManualClock, settle } from '../manual-clock.ts'

describe('addresses from the settings', () => {
  let hub: MemoryHub
  let clock: ManualClock
  let self: Network
  let other: Network
  let contacts: Contacts
  let dialed: string[]

  beforeEach(async () => {
    hub = new MemoryHub()
    clock = new ManualClock()
    const { membership } = testMembership(['writer'])
    const members = new Set([...membership.members.keys()])
    self = memoryNetwork(hub, { device: testSigner(1).device })
    other = memoryNetwork(hub, { device: testSigner(2).device })
    for (const network of [self, other]) network.members(members)
    dialed = []
    const dial = self.dial.bind(self)
    self.dial = (address, signal) => {
      dialed.push(address)
      return dial(address, signal)
    }
    contacts = await Contacts.open({
      network: self,
      ledger: { membership } as unknown as Ledger,
      clock,
      random: { bytes: (length) => new Uint8Array(length) },
      events: new Events(),
      addresses: memoryCatalog(),
      configured: ['/memory/90'],
    })
  })
  afterEach(async () => {
    await contacts.close()
    await Promise.all([self.close(), other.close()])
  })

  it('are called as soon as they are there, and no more once they are gone', async () => {
    await settle()
    assert.deepEqual([...new Set(dialed)], ['/memory/90'])
    contacts.configure([
      '/memory/90',
      ...other.addresses().map((address) => address.replace(/\/p2p\/.*$/, '')),
    ])
    await settle()
    assert.deepEqual(self.connected(), [other.device])
    contacts.configure([])
    await settle()
    dialed.length = 0
    await clock.advance(3_600_000)
    assert.deepEqual(
      dialed.filter((address) => address === '/memory/90'),
      [],
    )
    assert.deepEqual(self.connected(), [other.device], 'a link that stands stays')
  })

  it('may name a device: it is called there', async () => {
    const [address = ''] = other.addresses()
    const named = address.includes('/p2p/') ? address : `${address}/p2p/${other.device}`
    contacts.configure([named])
    await clock.advance(1000)
    assert.deepEqual(self.connected(), [other.device])
  })

  it('are not called after the end', async () => {
    await contacts.close()
    dialed.length = 0
    contacts.configure(['/memory/91'])
    await clock.advance(60_000)
    assert.deepEqual(dialed, [])
  })
})
