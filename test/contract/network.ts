/** What every implementation of Network must do; run against each (mesh.md). */

import assert from 'node:assert/strict'
import type { Channel, Network } from '../../node/network.ts'
import { type CellarError, type DeviceId, frameBytesMax } from '../../protocol/index.ts'

/** A few devices on one network of their own. */
export interface NetworkFixture {
  /** Opens the n-th device; the same device again after it was closed. */
  open(n: number): Promise<Network>
  /** Closes what is still open. */
  dispose(): Promise<void>
}

const sync = '/rootcellar/test/1'
const pair = '/rootcellar/test-pair/1'
const signal = (): AbortSignal => AbortSignal.timeout(20_000)

/** Waits for a condition that others bring about. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until a number has not changed for a while: until all has come to rest, on a slow machine too. */
export async function untilStill(read: () => number): Promise<void> {
  for (let still = 0, before = read(); still < 8; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    still = read() === before ? still + 1 : 0
    before = read()
  }
}

const code = (wanted: string) => (error: CellarError) => {
  assert.equal(error.code, wanted, error.stack)
  return true
}

/** Makes the two members of each other. */
export function acquaint(...networks: Network[]): void {
  const all = new Set(networks.map((network) => network.device))
  for (const network of networks) network.members(all)
}

const text = (frame: Uint8Array | undefined): string => Buffer.from(frame ?? []).toString()

const address = (network: Network): string => network.addresses()[0] ?? assert.fail('no address')

/** Declares the tests. */
export function networkContract(name: string, makeFixture: () => NetworkFixture): void {
  describe(`network contract: ${name}`, () => {
    let fixture: NetworkFixture
    let a: Network
    let b: Network

    beforeEach(async () => {
      fixture = makeFixture()
      a = await fixture.open(1)
      b = await fixture.open(2)
      acquaint(a, b)
    })
    afterEach(() => fixture.dispose())

    const connect = async (): Promise<void> => {
      await a.dial(address(b), signal())
      await until('both up', () => a.connected().length === 1 && b.connected().length === 1)
    }

    /** A channel from a, and its other end at b. */
    const channels = async (): Promise<[Channel, Channel, () => void]> => {
      await connect()
      let finish!: () => void
      const finished = new Promise<void>((resolve) => (finish = resolve))
      const far = new Promise<Channel>((resolve) => {
        b.handle(sync, 'members', async (channel, from) => {
          assert.equal(from, a.device)
          resolve(channel)
          await finished
        })
      })
      const near = await a.open(b.device, sync, signal())
      await near.send(Buffer.from('begin'))
      const other = await far
      assert.equal(text(await other.receive()), 'begin')
      return [near, other, finish]
    }

    it('calls a member, and both know of each other', async () => {
      const events: string[] = []
      a.onPeer((device, state) => events.push(`${device === b.device ? 'b' : '?'} ${state}`))
      assert.equal(await a.dial(address(b), signal()), b.device)
      await until('both up', () => a.connected().length === 1 && b.connected().length === 1)
      assert.deepEqual(a.connected(), [b.device])
      assert.deepEqual(b.connected(), [a.device])
      assert.deepEqual(events, ['b up'])
      assert.ok(b.addressesOf(a.device).length > 0, 'the called one learns where the caller is')
    })

    it('carries frames whole and in order, both ways, of any length', async () => {
      const [near, far, finish] = await channels()
      const lengths = [0, 1, 5, 1000, 16_380, 16_384, 16_385, 70_000, 3_000_000, frameBytesMax, 0, 7]
      const frames = lengths.map((length, i) => new Uint8Array(length).fill(i + 1))
      const send = async (channel: Channel) => {
        for (const frame of frames) await channel.send(frame)
        await channel.close()
      }
      const check = async (channel: Channel) => {
        for (const frame of frames) {
          const got = await channel.receive()
          assert.ok(got !== undefined && Buffer.compare(got, frame) === 0)
        }
        assert.equal(await channel.receive(), undefined)
      }
      await Promise.all([send(near), send(far), check(near), check(far)])
      finish()
    })

    it('puts the parts of a frame together', async () => {
      const [near, far, finish] = await channels()
      await near.send([Buffer.from('ab'), new Uint8Array(0), Buffer.from('c'), new Uint8Array(20_000)])
      const got = await far.receive()
      assert.equal(got?.byteLength, 20_003)
      assert.equal(Buffer.from(got.subarray(0, 3)).toString(), 'abc')
      finish()
    })

    it('refuses to send a frame that is too long, and goes on', async () => {
      const [near, far, finish] = await channels()
      await assert.rejects(near.send(new Uint8Array(frameBytesMax + 1)), code('FRAME_TOO_LONG'))
      await near.send(Buffer.from('next'))
      assert.equal(text(await far.receive()), 'next')
      finish()
    })

    it('makes the sender wait while the reader does not read', async () => {
      const [near, far, finish] = await channels()
      let sent = 0
      const sending = (async () => {
        for (; sent < 64; sent += 1) await near.send(new Uint8Array(1 << 20).fill(sent))
      })()
      await untilStill(() => sent)
      assert.ok(sent < 16, `${String(sent)} MiB were sent to one who does not read`)
      for (let i = 0; i < 64; i += 1) assert.equal((await far.receive())?.[7], i)
      await sending
      finish()
    })

    it('breaks both ends when one breaks off', async () => {
      const [near, far, finish] = await channels()
      const waiting = assert.rejects(far.receive(), code('PEER_GONE'))
      near.abort(new Error('enough'))
      await waiting
      await assert.rejects(near.receive(), code('PEER_GONE'))
      await assert.rejects(near.send(new Uint8Array(1)), code('PEER_GONE'))
      finish()
    })

    it('stops waiting for a frame when its signal is aborted, and can be used further', async () => {
      const [near, far, finish] = await channels()
      const abort = new AbortController()
      const waiting = assert.rejects(far.receive(abort.signal), /no more/)
      abort.abort(new Error('no more'))
      await waiting
      await near.send(Buffer.from('still'))
      assert.equal(text(await far.receive()), 'still')
      finish()
    })

    it('ends a channel whose handler throws, and serves the next', async () => {
      await connect()
      let calls = 0
      b.handle(sync, 'members', async (channel) => {
        calls += 1
        if (calls === 1) throw new Error('a fault of ours')
        await channel.send(Buffer.from('fine'))
      })
      const first = await a.open(b.device, sync, signal())
      await assert.rejects(first.receive(), code('PEER_GONE'))
      const second = await a.open(b.device, sync, signal())
      assert.equal(text(await second.receive()), 'fine')
      assert.equal(await second.receive(), undefined)
    })

    it('says clearly that a protocol is not served', async () => {
      await connect()
      await assert.rejects(a.open(b.device, '/rootcellar/none/1', signal()), code('PEER_PROTOCOL'))
    })

    it('opens a channel to a member that is not connected, by the addresses known', async () => {
      b.handle(sync, 'members', async (channel) => {
        await channel.send(Buffer.from('hello'))
      })
      await assert.rejects(a.open(b.device, sync, signal()), code('PEER_GONE'))
      a.hint(b.device, b.addresses())
      const channel = await a.open(b.device, sync, signal())
      assert.equal(text(await channel.receive()), 'hello')
    })

    it('finds a member again that was closed and came back elsewhere', async () => {
      await connect()
      await b.close()
      await until('down', () => a.connected().length === 0)
      b = await fixture.open(2)
      acquaint(a, b)
      await a.dial(address(b), signal())
      await until('up again', () => a.connected().length === 1 && b.connected().length === 1)
    })

    it('tells one who is no member, and does not keep it', async () => {
      const stranger = await fixture.open(3)
      stranger.members(new Set([a.device]))
      await assert.rejects(stranger.dial(address(a), signal()), code('NOT_A_MEMBER'))
      await assert.rejects(stranger.dial(address(a), signal(), 'guest'), code('NOT_A_MEMBER'))
      assert.deepEqual(a.connected(), [])
      await assert.rejects(a.dial(address(stranger), signal()), code('NOT_A_MEMBER'))
    })

    it('lets a guest reach what is served to anyone, and nothing else', async () => {
      let reached = 0
      const count = async () => {
        reached += 1
        await Promise.resolve()
      }
      a.handle(sync, 'members', count)
      const end = a.handle(pair, 'anyone', async (channel) => {
        await channel.send((await channel.receive()) ?? assert.fail())
      })
      const stranger = await fixture.open(3)
      assert.equal(await stranger.dial(address(a), signal(), 'guest'), a.device)
      const channel = await stranger.open(a.device, pair, signal())
      await channel.send(Buffer.from('echo'))
      assert.equal(text(await channel.receive()), 'echo')
      const barred = await stranger.open(a.device, sync, signal())
      await assert.rejects(barred.receive(), code('PEER_GONE'))
      assert.equal(reached, 0)
      assert.deepEqual(a.connected(), [])
      assert.deepEqual(stranger.connected(), [])
      end()
      const other = await fixture.open(4)
      await assert.rejects(other.dial(address(a), signal(), 'guest'), code('NOT_A_MEMBER'))
    })

    it('makes members of guests once both sides say so', async () => {
      a.handle(pair, 'anyone', async () => Promise.resolve())
      const guest = await fixture.open(3)
      await guest.dial(address(a), signal(), 'guest')
      a.members(new Set([a.device, b.device, guest.device]))
      guest.members(new Set([a.device, guest.device]))
      await until('up', () => a.connected().includes(guest.device) && guest.connected().includes(a.device))
    })

    it('cuts a member at once that is none any more', async () => {
      const [near, , finish] = await channels()
      const downs: DeviceId[] = []
      b.onPeer((device, state) => state === 'down' && downs.push(device))
      b.members(new Set([b.device]))
      assert.deepEqual(b.connected(), [])
      assert.deepEqual(downs, [a.device])
      await assert.rejects(near.receive(), code('PEER_GONE'))
      await until('down', () => a.connected().length === 0)
      await assert.rejects(a.dial(address(b), signal()), code('NOT_A_MEMBER'))
      finish()
    })

    it('leaves one link when both call at once', async () => {
      let ups = 0
      a.onPeer(() => (ups += 1))
      await Promise.all([a.dial(address(b), signal()), b.dial(address(a), signal())])
      await until('up', () => a.connected().length === 1 && b.connected().length === 1)
      assert.equal(ups, 1)
      b.handle(sync, 'members', async (channel) => channel.send(Buffer.from('one')))
      const channel = await a.open(b.device, sync, signal())
      assert.equal(text(await channel.receive()), 'one')
    })

    it('tells notices to every member that can be reached, through others too', async () => {
      const c = await fixture.open(3)
      acquaint(a, b, c)
      await a.dial(address(b), signal())
      await c.dial(address(b), signal())
      const heard = new Set<string>()
      b.onNotice((notice, from) => heard.add(`b ${String(Buffer.from(notice))} ${String(from === a.device)}`))
      c.onNotice((notice, from) => heard.add(`c ${String(Buffer.from(notice))} ${String(from === a.device)}`))
      // Gossip needs a moment to know who listens: what must arrive goes over the links anyway.
      await until('heard', () => {
        a.publish(Buffer.from(`news`))
        return heard.size === 2
      })
      assert.deepEqual([...heard].sort(), ['b news true', 'c news true'])
    })

    it('closes once, quickly, with channels open', async () => {
      const [near, far] = await channels()
      const waiting = Promise.allSettled([near.receive(), far.receive()])
      const start = Date.now()
      const there = address(b)
      await Promise.all([a.close(), a.close(), b.close()])
      assert.ok(Date.now() - start < 3000)
      for (const end of await waiting) assert.equal(end.status, 'rejected')
      await assert.rejects(a.dial(there, signal()), code('PEER_GONE'))
    })
  })
}
