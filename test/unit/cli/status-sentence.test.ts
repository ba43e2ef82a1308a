import assert from 'node:assert/strict'
import { type Status, statusSentence } from '../../../node/client.ts'
import { STATUS } from './fixtures.ts'

const counts = { total: 5, complete: 5, partial: 0, only_on_owner: 0, nowhere: 0 }
const pi = { device: 'x', name: 'pi', connected: false, last_seen: '2026-02-26T12:00:00Z', snapshots: 2 }

describe('the sentence of status', () => {
  for (const [what, change, verdict, sentence, todo] of [
    ['all is safe', {}, 'safe', 'All 5 snapshots are on every device that stores.', undefined],
    [
      'a number of copies is reached',
      { mesh: { ...STATUS.mesh, copies_goal: 2 } },
      'safe',
      'All 5 snapshots are on at least 2 devices.',
      undefined,
    ],
    [
      'there is only this device',
      { mesh: { ...STATUS.mesh, devices: 1 } },
      'alone',
      'All 5 snapshots are on this device only, the one device of this mesh.',
      'cellar invite: pair another device',
    ],
    [
      'there is nothing yet',
      { snapshots: { ...counts, total: 0, complete: 0 } },
      'empty',
      'There is no snapshot yet.',
      'cellar backup PATH',
    ],
    [
      'a device is away',
      { snapshots: { ...counts, complete: 3, partial: 2 }, waiting: [pi] },
      'waiting',
      '3 of 5 snapshots are on as many devices as wanted; 2 wait for pi (away).',
      'start rootcellar on pi; the rest goes by itself',
    ],
    [
      'snapshots are on their own device only',
      { snapshots: { ...counts, complete: 4, only_on_owner: 1 }, waiting: [{ ...pi, connected: true }] },
      'alone',
      '4 of 5 snapshots are on as many devices as wanted, 1 is on its own device only; 1 waits for pi (on its way).',
      'nothing: it goes on by itself',
    ],
    [
      'a device is full',
      {
        snapshots: { ...counts, complete: 3, partial: 2 },
        waiting: [{ ...pi, connected: true, full: true }],
      },
      'waiting',
      '3 of 5 snapshots are on as many devices as wanted; 2 wait for pi (full).',
      'free space on pi, raise a quota, or add a device',
    ],
    [
      'no node runs',
      { running: false, snapshots: { ...counts, complete: 3, partial: 2 }, waiting: [pi] },
      'waiting',
      '3 of 5 snapshots are on as many devices as wanted; 2 wait for pi (away).',
      'cellar start: a node that runs sends them by itself',
    ],
    [
      'snapshots are nowhere',
      { snapshots: { ...counts, complete: 4, nowhere: 1 } },
      'trouble',
      '1 snapshot of 5 is on no device that is known here.',
      'start rootcellar on every device that may hold them, then: cellar snapshots',
    ],
    [
      'something is broken',
      {
        problems: [{ level: 'error', code: 'STORE_FULL', message: 'the disk is full', remedy: 'free space' }],
      },
      'trouble',
      'The disk is full.',
      'free space',
    ],
  ] as readonly (readonly [string, Partial<Status>, string, string, string | undefined])[]) {
    it(`is true when ${what}`, () => {
      const said = statusSentence({ ...STATUS, snapshots: counts, ...change })
      assert.deepEqual([said.verdict, said.sentence, said.todo], [verdict, sentence, todo])
    })
  }
})
