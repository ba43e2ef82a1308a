import assert from 'node:assert/strict'
import type { NodeHandle } from '../../../node/client.ts'
import { cellar, jsonLines } from './fake-world.ts'

const link = {
  message_type: 'dashboard',
  url: 'http://127.0.0.1:4518/open?ticket=x',
  expires_at: '2026-03-01T12:02:00Z',
} as const

function running(): { readonly connect: () => Promise<NodeHandle>; readonly closed: () => number } {
  let closed = 0
  const handle = {
    call: async (method: string) => {
      assert.equal(method, 'dashboard')
      return link
    },
    close: async () => void (closed += 1),
  }
  return { connect: async () => handle as unknown as NodeHandle, closed: () => closed }
}

describe('cellar dashboard', () => {
  it('prints the link, alone where somebody reads it who is no person', async () => {
    const { connect, closed } = running()
    const person = await cellar(['dashboard'], { door: { connect }, terminal: true })
    assert.equal(person.status, 0)
    assert.ok(person.stdout.startsWith(`${link.url}\n`))
    assert.match(person.stdout + person.stderr, /once, within two minutes/)
    const quiet = await cellar(['dashboard', '--quiet'], { door: { connect } })
    assert.equal(quiet.stdout, `${link.url}\n`)
    const program = await cellar(['dashboard', '--json'], { door: { connect } })
    assert.deepEqual(jsonLines(program.stdout), [link])
    assert.equal(closed(), 3)
  })

  it('opens no node for it: only one that runs has a page', async () => {
    const { status, stderr } = await cellar(['dashboard'])
    assert.equal(status, 1)
    assert.equal(stderr, 'cellar: no node runs on this device\nto do:  cellar start\n')
  })
})
