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
      'there is nothing yet, on a device that only stores',
      { snapshots: { ...counts, total: 0, complete: 0 }, device: { ...STATUS.device, role: 'storer' } },
      'empty',
      'There is no snapshot yet.',
      'nothing here; on a device that backs up: cellar backup PATH',
    ],
    [
      'there is nothing yet, on a device that only stores, and does not run',
      {
        running: false,
        snapshots: { ...counts, total: 0, complete: 0 },
        device: { ...STATUS.device, role: 'storer' },
      },
      'empty',
      'There is no snapshot yet.',
      'cellar start, to take what comes; on a device that backs up: cellar backup PATH',
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
      'the one snapshot waits',
      {
        snapshots: { ...counts, total: 1, complete: 0, only_on_owner: 1 },
        waiting: [{ ...pi, snapshots: 1 }],
      },
      'alone',
      'The one snapshot is on its own device only; it waits for pi (away).',
      'start rootcellar on pi; the rest goes by itself',
    ],
    [
      'the one snapshot has too few copies',
      { snapshots: { ...counts, total: 1, complete: 0, partial: 1 } },
      'waiting',
      'The one snapshot is on fewer devices than wanted.',
      'nothing: it goes on by itself',
    ],
    [
      'a profile is late, though all that there is is safe',
      {
        problems: [
          {
            level: 'warning',
            code: 'BACKUP_LATE',
            message: 'No backup of "photos" on laptop for 9 days',
            remedy: 'r',
          },
        ],
      },
      'late',
      'No backup of "photos" on laptop for 9 days; all 5 snapshots are on every device that stores.',
      'r',
    ],
    [
      'the backups of a device look wrong',
      {
        suspicions: [
          { device: 'laptop', since: '2026-02-26T12:00:00Z', message: 'its newest shares little' },
        ],
      },
      'trouble',
      'The backups of laptop look wrong: its newest shares little.',
      'look at its snapshots; when all is well: cellar devices trust laptop',
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
