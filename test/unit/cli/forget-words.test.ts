import assert from 'node:assert/strict'
import type { Forgotten } from '../../../node/client.ts'
import { cellar, type FakeOptions } from './fake-world.ts'
import { RESTORED, SNAPSHOT, SUMMARY } from './fixtures.ts'

const forget = (more: Partial<Forgotten>): FakeOptions => ({
  handlers: {
    forget: () => ({
      message_type: 'forgotten',
      dry_run: false,
      groups: [],
      snapshot_ids: [],
      refused: [],
      waits_for_contact: false,
      ...more,
    }),
  },
})

describe('words of commands', () => {
  it('say that a rule of 0 keeps nothing', async () => {
    const none = await cellar(['forget', '--keep-daily', '0'], forget({}))
    assert.equal(none.status, 2)
    assert.match(none.stderr, /a rule of 0 keeps nothing/)
    assert.equal(none.calls.length, 0)
  })

  it('point to the trash for what is there', async () => {
    const message = 'snapshot ffff is forgotten already: see cellar trash'
    const refused = [{ snapshot: 'ffff', code: 'SNAPSHOT_NOT_FOUND', message }]
    const { stderr } = await cellar(['forget', 'ffff'], forget({ refused }))
    assert.match(stderr, /to do: {2}cellar trash\n$/)
  })

  it('number the sources of a device whose paths cannot be read', async () => {
    const group = { device: 'laptop', paths: [], keep: [SNAPSHOT], remove: [], reasons: [] }
    const { stdout } = await cellar(['forget', '--keep-last', '1'], forget({ groups: [group, group] }))
    assert.match(stdout, /^Snapshots of device laptop, source 1:$/m)
    assert.match(stdout, /^Snapshots of device laptop, source 2:$/m)
  })

  it('say where a dry run would have restored to', async () => {
    const handlers = { restore: () => ({ ...RESTORED, dry_run: true }) }
    const { stdout } = await cellar(['restore', 'latest', '-t', '/tmp/out', '-n'], { handlers })
    assert.match(stdout, /^snapshot 9958b48b would be in \/tmp\/out$/m)
  })

  it('advise to look at paths that are not there, and at permissions of others', async () => {
    const stderrFor = async (code: string) => {
      const unread = [{ path: '/nonexistent', code, message: 'no' }]
      const handlers = { backup: () => ({ ...SUMMARY, unread }) }
      return (await cellar(['backup', '/nonexistent'], { handlers })).stderr
    }
    assert.match(await stderrFor('ENOENT'), /to do: {2}check how the paths are written/)
    assert.match(await stderrFor('EACCES'), /to do: {2}look at the permissions/)
  })
})
