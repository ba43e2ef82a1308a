import assert from 'node:assert/strict'
import {
  changeMember,
  type OrderId,
  ordersWaitingMax,
  removeMember,
  type RestoreState,
} from '../../../../protocol/index.ts'
import { atOnceMax, orderAgeMsMax } from '../../../../node/orders/order.ts'
import { testSigner } from '../../../support/mesh.ts'
import { settle } from '../manual-clock.ts'
import {
  deviceOf,
  HandRunner,
  openMesh,
  orderMessage,
  type OrdersMesh,
  RawStream,
  wordOf,
} from './orders-mesh.ts'

function idOf(number: number): OrderId {
  return number.toString(16).padStart(32, '0') as OrderId
}

describe('taking orders to restore', () => {
  let mesh: OrdersMesh
  afterEach(async () => {
    await mesh.close()
  })

  /** Gives an order over a stream of its own, and ends it. */
  async function give(more: Parameters<typeof orderMessage>[0] = {}): Promise<string> {
    const stream = await RawStream.open(mesh.asker, mesh.target)
    const word = await stream.ask(orderMessage(more))
    await stream.close()
    return word
  }

  const taken = () => mesh.target.parts.orders.taken.list()

  it('lets it wait for a person, and says so in status (Z1.2)', async () => {
    mesh = await openMesh()
    assert.equal(await give(), 'waiting')
    const { restores, problems } = await mesh.target.call('status', {})
    assert.deepEqual(restores, { waiting: 1, under_way: 0, given: 0 })
    const problem = problems.find(({ code }) => code === 'ORDER_WAITS')
    assert.match(
      problem?.message ?? '',
      /^device-1 asks to have something of snapshot abababab restored here$/,
    )
    assert.doesNotMatch(JSON.stringify(problem), /home|photos/, 'no name of a file')
    const runner = new HandRunner(mesh.target)
    await settle()
    assert.deepEqual(runner.begun, [], 'nothing begins before a yes')
    await mesh.target.call('restoreAnswer', { order: '1111', answer: 'accept' })
    await settle()
    assert.equal(runner.begun.length, 1)
    await runner.close()
  })

  it('refuses a writer, which may not admit (W8.3, Z1.1)', async () => {
    mesh = await openMesh({ restoresFrom: 'keepers' })
    const stream = await RawStream.open(mesh.writer, mesh.target)
    assert.equal(await stream.ask(orderMessage()), 'NOT_ENTITLED')
    assert.deepEqual(taken(), [])
  })

  it('refuses a storer, as asker and as the one who is to restore (W8.3)', async () => {
    mesh = await openMesh({ restoresFrom: 'keepers' })
    const fromStorer = await RawStream.open(mesh.storer, mesh.target)
    assert.equal(await fromStorer.ask(orderMessage()), 'NOT_ENTITLED')
    const toStorer = await RawStream.open(mesh.asker, mesh.storer)
    assert.equal(await toStorer.ask(orderMessage()), 'NOT_ENTITLED')
    assert.deepEqual(mesh.storer.parts.orders.taken.list(), [])
  })

  it('refuses a member that admits and cannot read (W8.3)', async () => {
    mesh = await openMesh({ restoresFrom: 'keepers' })
    await mesh.target.parts.ledger.changeMembership((before) =>
      changeMember(before, testSigner(2), {
        device: deviceOf(mesh.asker),
        atMs: 0,
        capabilities: new Set(['store', 'admit']),
      }),
    )
    assert.equal(await give(), 'NOT_ENTITLED')
  })

  it('takes the same order once, whatever it says the second time (W8.4)', async () => {
    mesh = await openMesh()
    assert.equal(await give(), 'waiting')
    assert.equal(await give({ name: 'other', path: Buffer.from('/etc') }), 'waiting')
    assert.deepEqual(
      taken().map(({ name }) => name),
      ['photos'],
    )
    await mesh.target.call('restoreAnswer', { order: '1111', answer: 'refuse' })
    assert.equal(await give(), 'refused')
  })

  it('says nothing of an order that is not known, or that another device gave (W8.5)', async () => {
    mesh = await openMesh()
    await mesh.target.parts.ledger.changeMembership((before) =>
      changeMember(before, testSigner(2), {
        device: deviceOf(mesh.writer),
        atMs: 0,
        capabilities: new Set(['backup', 'read', 'store', 'admit']),
      }),
    )
    assert.equal(await give(), 'waiting')
    const other = await RawStream.open(mesh.writer, mesh.target)
    assert.equal(await other.ask({ type: 'restoreAsk', order: orderMessage().order }), 'ORDER_NOT_FOUND')
    const same = await RawStream.open(mesh.asker, mesh.target)
    assert.equal(await same.ask({ type: 'restoreAsk', order: idOf(9) }), 'ORDER_NOT_FOUND')
    const right = await RawStream.open(mesh.asker, mesh.target)
    assert.equal(await right.ask({ type: 'restoreAsk', order: orderMessage().order }), 'waiting')
  })

  it('breaks off who says something else first, or a second order after it (W8.2)', async () => {
    mesh = await openMesh()
    const wrong = await RawStream.open(mesh.asker, mesh.target)
    await wrong.send({ type: 'restoreWithdraw' })
    await assert.rejects(wrong.next(), { code: 'PEER_GONE' })
    const twice = await RawStream.open(mesh.asker, mesh.target)
    assert.equal(await twice.ask(orderMessage()), 'waiting')
    await twice.send(orderMessage({ order: idOf(2) }))
    await assert.rejects(
      (async () => {
        for (;;) await twice.next()
      })(),
      { code: 'PEER_GONE' },
    )
    assert.equal(taken().length, 1)
    const { problems } = await mesh.target.call('status', {})
    assert.ok(problems.some(({ code }) => code === 'PEER_PROTOCOL'))
  })

  it('takes so many, and is busy then', async () => {
    mesh = await openMesh()
    for (let n = 0; n < ordersWaitingMax; n++) assert.equal(await give({ order: idOf(n) }), 'waiting')
    assert.equal(await give({ order: idOf(99) }), 'PEER_BUSY')
    assert.equal(await give({ order: idOf(0) }), 'waiting', 'one that is known is answered all the same')
  })

  it('takes none where the settings say so', async () => {
    mesh = await openMesh({ restores: undefined })
    assert.equal(await give(), 'ORDER_REFUSED')
    assert.deepEqual(taken(), [])
  })

  it('accepts at once from whom the settings name, so many in a day, and lets more wait (Z1.5)', async () => {
    mesh = await openMesh({ restoresFrom: ['device-1'] })
    const withdrawn = async (n: number): Promise<string> => {
      const stream = await RawStream.open(mesh.asker, mesh.target)
      const word = await stream.ask(orderMessage({ order: idOf(n) }))
      await stream.send({ type: 'restoreWithdraw' })
      while (wordOf(await stream.next()) !== 'withdrawn');
      await stream.close()
      return word
    }
    for (let n = 0; n < atOnceMax; n++) assert.equal(await withdrawn(n), 'accepted')
    assert.equal(await withdrawn(98), 'waiting', 'those that were withdrawn count too')
    await mesh.clock.advance(orderAgeMsMax)
    assert.equal(await withdrawn(99), 'accepted')
  })

  it('ends an order that nobody answers for a day, and tells who asked (Z1.4)', async () => {
    mesh = await openMesh()
    const runner = new HandRunner(mesh.target)
    const stream = await RawStream.open(mesh.asker, mesh.target)
    assert.equal(await stream.ask(orderMessage()), 'waiting')
    await mesh.clock.advance(orderAgeMsMax - 1)
    assert.equal(taken()[0]?.state, 'waiting')
    await mesh.clock.advance(1)
    assert.equal(taken()[0]?.state, 'expired')
    let word = wordOf(await stream.next())
    while (word === 'waiting') word = wordOf(await stream.next())
    assert.equal(word, 'expired')
    await assert.rejects(mesh.target.call('restoreAnswer', { order: '1111', answer: 'accept' }), {
      code: 'ORDER_EXPIRED',
    })
    await runner.close()
    assert.deepEqual(runner.begun, [])
  })

  it('remembers orders and answers over a restart', async () => {
    mesh = await openMesh()
    await give()
    await mesh.target.close()
    const again = await mesh.open(2, mesh.target)
    assert.equal(again.parts.orders.taken.list()[0]?.state, 'waiting')
    await again.call('restoreAnswer', { order: '1111', answer: 'accept' })
    await again.close()
    const third = await mesh.open(2, again)
    assert.equal(third.parts.orders.taken.list()[0]?.state, 'accepted')
    await third.close()
  })

  it('does not begin what was asked by a device that was removed meanwhile (Z1.3)', async () => {
    mesh = await openMesh()
    await give()
    await mesh.target.call('restoreAnswer', { order: '1111', answer: 'accept' })
    const atMs = mesh.clock.nowMs()
    await mesh.target.parts.ledger.changeMembership((before) =>
      removeMember(before, testSigner(2), { device: deviceOf(mesh.asker), atMs }),
    )
    const runner = new HandRunner(mesh.target)
    await settle()
    assert.equal(taken()[0]?.state, 'refused')
    assert.equal(taken()[0]?.code, 'NOT_ENTITLED')
    await runner.close()
    assert.deepEqual(runner.made, [])
  })

  it('does not accept for such a device either (Z1.3)', async () => {
    mesh = await openMesh()
    await give()
    const atMs = mesh.clock.nowMs()
    await mesh.target.parts.ledger.changeMembership((before) =>
      removeMember(before, testSigner(2), { device: deviceOf(mesh.asker), atMs }),
    )
    await assert.rejects(mesh.target.call('restoreAnswer', { order: '1111', answer: 'accept' }), {
      code: 'NOT_ENTITLED',
    })
  })

  it('tells how far it is about once a second, and the name of the directory without its place', async () => {
    mesh = await openMesh({ restoresFrom: 'keepers' })
    const runner = new HandRunner(mesh.target)
    const stream = await RawStream.open(mesh.asker, mesh.target)
    await stream.send(orderMessage())
    const states: RestoreState[] = []
    const read = (async () => {
      for (;;) {
        const message = await stream.next()
        if (message.type === 'restoreState') states.push(message)
        if (wordOf(message) === 'done') return
      }
    })()
    await settle()
    for (let files = 1; files <= 5; files++) {
      await runner.progress(files)
      await mesh.clock.advance(500)
    }
    await runner.finish()
    await read
    assert.deepEqual(
      states
        .filter(({ state, progress }) => state === 'running' && progress.files > 0)
        .map(({ progress }) => progress.files),
      [1, 3, 5],
    )
    assert.equal(states.at(-1)?.directory, 'photos')
    await runner.close()
  })
})
