import assert from 'node:assert/strict'
import { type DeviceId, makerOf } from '../../../../protocol/index.ts'
import { rootOf } from '../a-mesh.ts'
import { start } from './a-leaning-mesh.ts'

describe('the maker of a snapshot', () => {
  /** A snapshot of the desktop that was forgotten, and brought back on the laptop; as the nas sees it. */
  function broughtBack() {
    const { desktop, laptop, nas } = start()
    desktop.say({ forgets: [desktop.self.dotOf('r0')] })
    laptop.hear(desktop).say({ adds: ['r0'] })
    nas.hear(desktop).hear(laptop)
    const maker = (sealed?: DeviceId, atMs?: (device: DeviceId) => number) =>
      makerOf(
        nas.view,
        nas.membership,
        { root: rootOf('r0'), owner: laptop.id },
        { sealed, announcedAtMs: ({ device }) => atMs?.(device) },
      )
    return { desktop, laptop, nas, maker }
  }

  it('is who announced it first, whoever brought it back and whatever time that one claims', () => {
    const { desktop, laptop, maker } = broughtBack()
    assert.equal(maker(), desktop.id)
    assert.equal(
      maker(undefined, (device) => (device === laptop.id ? 0 : 1)),
      desktop.id,
    )
  })

  it('is by time the first of several whose announcements are forgotten', () => {
    const { desktop, laptop, nas, maker } = broughtBack()
    desktop.hear(laptop).say({ forgets: [laptop.self.dotOf('r0')] })
    nas.hear(desktop)
    assert.equal(
      maker(undefined, (device) => (device === laptop.id ? 1 : 0)),
      desktop.id,
    )
    assert.equal(
      maker(undefined, (device) => (device === laptop.id ? 0 : 1)),
      laptop.id,
    )
  })

  it('is who is sealed in it, of those that announced it, and of nobody else', () => {
    const { desktop, laptop, nas, maker } = broughtBack()
    assert.equal(maker(laptop.id), laptop.id)
    assert.equal(maker(nas.id), desktop.id)
  })

  it('is who announced what nobody else did, whoever is sealed in it', () => {
    const { desktop, laptop, nas } = start()
    laptop.say({ adds: ['mine'] })
    nas.hear(laptop)
    const announced = { root: rootOf('mine'), owner: laptop.id }
    const facts = { sealed: desktop.id, announcedAtMs: () => undefined }
    assert.equal(makerOf(nas.view, nas.membership, announced, facts), laptop.id)
  })
})
