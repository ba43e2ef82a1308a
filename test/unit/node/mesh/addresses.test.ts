import assert from 'node:assert/strict'
import {
  AddressBook,
  bareAddress,
  deviceOfAddress,
  readAddress,
  withoutLoopback,
} from '../../../../node/mesh/addresses.ts'
import type { CellarError, DeviceId } from '../../../../protocol/index.ts'

const device = '12D3KooWa' as DeviceId

describe('addresses as typed', () => {
  it('are HOST:PORT or multiaddrs', () => {
    assert.equal(readAddress(' 192.168.1.5:4001 '), '/ip4/192.168.1.5/tcp/4001')
    assert.equal(readAddress('[fe80::1]:4001'), '/ip6/fe80::1/tcp/4001')
    assert.equal(readAddress('attic.local:4001'), '/dns/attic.local/tcp/4001')
    assert.equal(readAddress('/ip4/1.2.3.4/tcp/5'), '/ip4/1.2.3.4/tcp/5')
  })

  it('are refused when they are neither', () => {
    for (const typed of [
      '',
      'attic',
      ':4001',
      'attic:0',
      'attic:65536',
      'attic:x',
      'a b:1',
      '::1:4001',
      '[attic]:1',
      `${'x'.repeat(300)}:1`,
    ]) {
      assert.throws(
        () => readAddress(typed),
        (error: CellarError) => error.code === 'USAGE',
        typed,
      )
    }
  })

  it('may end in a device id', () => {
    assert.equal(deviceOfAddress(`/ip4/1.2.3.4/tcp/5/p2p/${device}`), device)
    assert.equal(deviceOfAddress('/ip4/1.2.3.4/tcp/5'), undefined)
    assert.equal(bareAddress(`/ip4/1.2.3.4/tcp/5/p2p/${device}`), '/ip4/1.2.3.4/tcp/5')
  })
})

describe('addresses told to others', () => {
  it('are without those of the machine itself, unless there are no others', () => {
    const here = ['/ip4/127.0.0.1/tcp/4517', '/ip6/::1/tcp/4517']
    assert.deepEqual(withoutLoopback([...here, '/ip4/10.77.0.2/tcp/4517']), ['/ip4/10.77.0.2/tcp/4517'])
    assert.deepEqual(withoutLoopback(here), here)
  })
})

describe('the address book', () => {
  it('keeps the last told first, sixteen at most, and says what is news', () => {
    const book = new AddressBook()
    assert.equal(book.add(device, ['/a', `/b/p2p/${device}`]), true)
    assert.equal(book.add(device, ['/b']), false)
    assert.deepEqual(book.of(device), ['/b', '/a'])
    book.add(
      device,
      Array.from({ length: 40 }, (_, i) => `/x/${String(i)}`),
    )
    assert.equal(book.of(device).length, 16)
    assert.equal(book.add(device, [`/${'y'.repeat(300)}`]), false)
  })
})
