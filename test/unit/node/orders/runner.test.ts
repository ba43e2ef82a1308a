import assert from 'node:assert/strict'
import { CellarError } from '../../../../protocol/index.ts'
import { settle } from '../manual-clock.ts'
import { HandRunner, openMesh, orderMessage, type OrdersMesh, RawStream } from './orders-mesh.ts'

describe('doing orders to restore', () => {
  let mesh: OrdersMesh
  let runner: HandRunner
  beforeEach(async () => {
    mesh = await openMesh({ restoresFrom: 'keepers' })
    runner = new HandRunner(mesh.target)
  })
  afterEach(async () => {
    await runner.close()
    await mesh.close()
  })

  async function give(id = '11', name = 'photos'): Promise<void> {
    const stream = await RawStream.open(mesh.asker, mesh.target)
    await stream.ask(orderMessage({ order: id.repeat(16) as never, name }))
    await stream.close()
    await settle()
  }

  const states = () => mesh.target.parts.orders.taken.list().map(({ state }) => state)

  it('goes one after the other', async () => {
    await give('11')
    await give('22')
    assert.deepEqual(states(), ['running', 'accepted'])
    await runner.finish()
    assert.deepEqual(states(), ['done', 'running'])
    await runner.finish(2)
    assert.deepEqual(states(), ['done', 'done'])
    const [, last] = mesh.target.parts.orders.taken.list()
    assert.equal(last?.code, 'RESTORE_INCOMPLETE')
    assert.equal(last.progress.errors, 2)
  })

  it('knows the directory durably before anything is written into it (Z2.3)', async () => {
    await give()
    const [begun] = runner.begun
    assert.equal(begun?.order.directory?.path, '/restored/photos')
    assert.equal(begun.order.state, 'running')
  })

  it('goes on after a restart, in the directory that it made (Z2.3)', async () => {
    await give()
    await runner.close()
    assert.deepEqual(states(), ['running'])
    const again = await mesh.open(2, mesh.target)
    runner = new HandRunner(again)
    await settle()
    assert.deepEqual(runner.made, [], 'no other one')
    assert.equal(runner.begun[0]?.directory.path, '/restored/photos')
    await runner.finish()
    assert.equal(again.parts.orders.taken.list()[0]?.state, 'done')
    await runner.close()
    await again.close()
  })

  it('makes another one when something else has taken its place (Z2.3)', async () => {
    await give()
    await runner.close()
    runner = new HandRunner(mesh.target)
    runner.gone.add('/restored/photos')
    await settle()
    assert.deepEqual(runner.made, ['photos'])
  })

  it('stops when its person refuses, and when its asker takes it back', async () => {
    await give('11')
    await mesh.target.call('restoreAnswer', { order: '1111', answer: 'refuse' })
    await settle()
    assert.deepEqual(runner.aborted, ['11'.repeat(16)])
    assert.deepEqual(states(), ['refused'])
    await give('22')
    const stream = await RawStream.open(mesh.asker, mesh.target)
    await stream.ask({ type: 'restoreAsk', order: '22'.repeat(16) as never })
    await stream.send({ type: 'restoreWithdraw' })
    await settle()
    assert.equal(runner.aborted.length, 2)
    assert.deepEqual(states(), ['refused', 'withdrawn'])
  })

  it('says why it failed, and goes on with the next', async () => {
    await give('11')
    await give('22')
    await runner.fail(new CellarError('TARGET_FULL', 'no room'))
    const [first] = mesh.target.parts.orders.taken.list()
    assert.deepEqual([first?.state, first?.code, first?.message], ['failed', 'TARGET_FULL', 'no room'])
    await runner.fail(new TypeError('a bug'))
    const [, second] = mesh.target.parts.orders.taken.list()
    assert.deepEqual([second?.state, second?.code], ['failed', 'INTERNAL'])
  })

  it('restores nothing twice when the end cannot be written down at once', async () => {
    await give()
    let failures = 2
    const { catalog } = mesh.target
    const batch = catalog.sub('orders').sub('taken')
    const prototype = Object.getPrototypeOf(batch) as { batch: typeof batch.batch }
    const real = prototype.batch
    prototype.batch = function (this: typeof batch, ...args) {
      if (failures-- > 0) return Promise.reject(new CellarError('STORE_FULL', 'the disk is full'))
      return real.apply(this, args)
    }
    try {
      await runner.finish()
      assert.deepEqual(states(), ['running'])
      await mesh.clock.advance(30_000)
      await mesh.clock.advance(30_000)
      assert.deepEqual(states(), ['done'])
    } finally {
      prototype.batch = real
    }
    assert.equal(runner.begun.length, 1)
  })
})
