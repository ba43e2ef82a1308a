import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Admission } from '../../../node/control/admission.ts'
import { sessionMs, sessionsMax, ticketMs, ticketsMax } from '../../../node/control/limits.ts'
import { dashboardToken } from '../../../node/control/token.ts'
import { ManualClock } from '../node/manual-clock.ts'

const TOKEN = 'a'.repeat(43)

function world(): { readonly clock: ManualClock; readonly random: { bytes(length: number): Uint8Array } } {
  let drawn = 0
  return {
    clock: new ManualClock(),
    random: {
      bytes: (length) => {
        const bytes = new Uint8Array(length)
        new DataView(bytes.buffer).setUint32(0, ++drawn)
        return bytes
      },
    },
  }
}

describe('admission to the dashboard', () => {
  it('takes the token, and nothing that is like it (H5.4)', () => {
    const admission = new Admission(TOKEN, world())
    assert.ok(admission.isIn(`Bearer ${TOKEN}`, undefined))
    for (const wrong of [
      '',
      'Bearer ',
      `Bearer ${TOKEN}a`,
      `Bearer ${TOKEN.slice(1)}`,
      TOKEN,
      `Basic ${TOKEN}`,
    ])
      assert.ok(!admission.isIn(wrong, undefined), wrong)
    assert.ok(!admission.isIn(undefined, undefined))
    assert.ok(!admission.isIn(undefined, TOKEN), 'the token is no cookie')
  })

  it('takes a ticket once (H5.6)', () => {
    const admission = new Admission(TOKEN, world())
    const { ticket } = admission.issue()
    const session = admission.redeem(ticket)
    assert.ok(session !== undefined && session !== ticket)
    assert.ok(admission.isIn(undefined, session))
    assert.ok(!admission.isIn(undefined, ticket), 'a ticket is no cookie')
    assert.equal(admission.redeem(ticket), undefined)
    assert.equal(admission.redeem('x'), undefined)
    assert.equal(admission.redeem(''), undefined)
  })

  it('takes no cookie where a wrong token comes with it', () => {
    const admission = new Admission(TOKEN, world())
    const session = admission.redeem(admission.issue().ticket)
    assert.ok(!admission.isIn('Bearer wrong', session))
  })

  it('forgets tickets and sessions after their time (H5.6)', async () => {
    const outside = world()
    const admission = new Admission(TOKEN, outside)
    const early = admission.issue()
    const late = admission.issue()
    assert.equal(early.expiresMs, outside.clock.nowMs() + ticketMs)
    await outside.clock.advance(ticketMs - 1)
    const session = admission.redeem(early.ticket)
    assert.ok(session !== undefined)
    await outside.clock.advance(1)
    assert.equal(admission.redeem(late.ticket), undefined)
    await outside.clock.advance(sessionMs - 2)
    assert.ok(admission.isIn(undefined, session))
    await outside.clock.advance(1)
    assert.ok(!admission.isIn(undefined, session))
  })

  it('keeps so many of them, the newest', () => {
    const admission = new Admission(TOKEN, world())
    const tickets = Array.from({ length: ticketsMax + 1 }, () => admission.issue().ticket)
    assert.equal(admission.redeem(tickets[0]!), undefined)
    assert.ok(admission.redeem(tickets[1]!) !== undefined)
    const sessions = Array.from({ length: sessionsMax + 1 }, () => admission.redeem(admission.issue().ticket))
    assert.ok(!admission.isIn(undefined, sessions[0]))
    assert.ok(admission.isIn(undefined, sessions[1]))
  })
})

describe('token of the dashboard', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-token-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  it('is made once, for its owner alone (H5.5)', () => {
    const path = join(directory, 'dashboard.token')
    const { random } = world()
    const token = dashboardToken(path, random)
    assert.match(token, /^[\w-]{43}$/)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(readFileSync(path, 'utf8'), `${token}\n`)
    assert.equal(dashboardToken(path, random), token)
  })

  it('is refused where others may read it, and where it is none (H5.5)', () => {
    const path = join(directory, 'dashboard.token')
    writeFileSync(path, `${TOKEN}\n`, { mode: 0o644 })
    assert.throws(() => dashboardToken(path, world().random), { code: 'KEY_MODE' })
    rmSync(path)
    writeFileSync(path, 'hello\n', { mode: 0o600 })
    assert.throws(() => dashboardToken(path, world().random), { code: 'KEY_INVALID' })
  })
})
