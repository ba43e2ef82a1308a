import assert from 'node:assert/strict'
import { CellarError, type ErrorCode } from '../../../node/client.ts'
import { cellar, type FakeOptions, jsonLines } from './fake-world.ts'
import { RESTORED, SUMMARY } from './fixtures.ts'

const unread = [{ path: '/a', code: 'SOURCE_UNREADABLE', message: 'permission denied' }]

/** A backup that goes on until it is aborted. */
const endless = {
  backup: (_params: unknown, { signal }: { readonly signal: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new CellarError('ABORTED', 'backup was interrupted')))
    }),
}

describe('exit status', () => {
  for (const [code, status] of [
    ['NO_MESH', 10],
    ['CODE_WRONG', 12],
    ['NO_PEER', 20],
    ['STORE_FULL', 1],
    ['SNAPSHOT_NOT_FOUND', 1],
    ['USAGE', 2],
  ] as readonly (readonly [ErrorCode, number])[]) {
    it(`is ${String(status)} for ${code}, with what to do`, async () => {
      const handlers = { backup: () => Promise.reject(new CellarError(code, 'it went wrong')) }
      const outcome = await cellar(['backup', '/a'], { handlers })
      assert.equal(outcome.status, status)
      assert.match(outcome.stderr, /^cellar: it went wrong\nto do: {2}\S/)
      assert.equal(outcome.stdout, '')
      assert.equal(outcome.closed, 1)
      const json = await cellar(['backup', '/a', '--json'], { handlers })
      const last = jsonLines(json.stderr).at(-1)!
      assert.equal(last['message_type'], 'exit_error')
      assert.equal(last['code'], status)
      assert.equal(last['message'], 'it went wrong')
    })
  }

  it('is 3 when sources could not be read, though the snapshot is made', async () => {
    const outcome = await cellar(['backup', '/a'], { handlers: { backup: () => ({ ...SUMMARY, unread }) } })
    assert.equal(outcome.status, 3)
    assert.match(outcome.stdout, /snapshot 9958b48b saved/)
    assert.match(outcome.stderr, /one source could not be read/)
  })

  it('is 21 when copies waited for are missing, and 3 weighs more', async () => {
    const waited = { wanted: 3, reached: false }
    assert.equal(
      (await cellar(['backup', '/a', '--wait'], { handlers: { backup: () => ({ ...SUMMARY, waited }) } }))
        .status,
      21,
    )
    assert.equal(
      (
        await cellar(['backup', '/a', '--wait'], {
          handlers: { backup: () => ({ ...SUMMARY, waited, unread }) },
        })
      ).status,
      3,
    )
  })

  it('is 1 when entries could not be restored, or damage was found and not mended', async () => {
    const errors = [{ path: '/a', code: 'CHUNK_CORRUPT', message: 'bad' }]
    assert.equal(
      (
        await cellar(['restore', 'latest', '-t', 'x'], {
          handlers: { restore: () => ({ ...RESTORED, errors }) },
        })
      ).status,
      1,
    )
    const summary = {
      message_type: 'summary',
      num_errors: 2,
      num_mended: 1,
      chunks_checked: 9,
      bytes_read: 0,
      snapshots_checked: 1,
      broken_packs: [],
      suggest_repair_index: false,
      suggest_prune: false,
    } as const
    assert.equal((await cellar(['check'], { handlers: { check: () => summary } })).status, 1)
    assert.equal(
      (await cellar(['check'], { handlers: { check: () => ({ ...summary, num_mended: 2 }) } })).status,
      0,
    )
  })

  it('is 130 when interrupted, and says what is kept', async () => {
    const outcome = await cellar(['backup', '/a'], {
      handlers: endless,
      onListen: (interrupt) => setImmediate(interrupt),
    })
    assert.equal(outcome.status, 130)
    assert.match(
      outcome.stderr,
      /^cellar: interrupted: there is no new snapshot; what was stored already is used again/,
    )
    assert.deepEqual(outcome.exits, [])
    assert.equal(outcome.closed, 1)
  })

  it('says that the snapshot is kept when only the waiting was interrupted', async () => {
    const handlers: FakeOptions['handlers'] = {
      backup: (params, context) => {
        context.onEvent({ message_type: 'saved', snapshot_id: SUMMARY.snapshot_id ?? '' })
        return endless.backup(params, context)
      },
    }
    const outcome = await cellar(['backup', '/a', '--wait'], {
      handlers,
      onListen: (interrupt) => setImmediate(interrupt),
    })
    assert.equal(outcome.status, 130)
    assert.match(outcome.stderr, /snapshot 9958b48b is saved/)
  })

  it('ends at once at the second signal', async () => {
    const outcome = await cellar(['backup', '/a'], {
      handlers: endless,
      onListen: (interrupt) =>
        setImmediate(() => {
          interrupt()
          interrupt()
        }),
    })
    assert.deepEqual(outcome.exits, [130])
  })

  it('is 1 with the way to report it for what is a bug', async () => {
    const outcome = await cellar(['status'], {
      handlers: { status: () => Promise.reject(new TypeError('x is undefined')) },
    })
    assert.equal(outcome.status, 1)
    assert.match(outcome.stderr, /TypeError: x is undefined\nto do: .*bug/)
  })

  it('is 141, silently, when nobody reads the output any more', async () => {
    const outcome = await cellar(['version'], { readerGone: true })
    assert.equal(outcome.status, 141)
    assert.equal(outcome.stderr, '')
  })

  it('of stop is 0 when no node runs', async () => {
    const outcome = await cellar(['stop'])
    assert.equal(outcome.status, 0)
    assert.match(outcome.stdout, /No node runs/)
  })
})
