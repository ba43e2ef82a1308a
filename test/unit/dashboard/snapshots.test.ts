/** What the screen of snapshots asks for and says. */

import assert from 'node:assert/strict'
import type { DiffStatistics, Forgotten, SnapshotInfo } from '../../../node/api.ts'
import { askedFilter, filterOfQuery, queryOfFilter } from '../../../node/dashboard/page/snapshots/filter.ts'
import {
  changesSentence,
  changeText,
  copiesText,
  copiesTone,
  forgetWarning,
  forgottenText,
  holdersSentence,
  snapshotsSentence,
} from '../../../node/dashboard/page/snapshots/words.ts'

const info = (copies: number, wanted: number, holders: readonly string[] = []) =>
  ({ copies, copies_wanted: wanted, holders }) as unknown as SnapshotInfo

describe('snapshots on the page', () => {
  it('are listed by what stands in the address', () => {
    const filter = filterOfQuery({ device: 'id', tags: 'a, b,,' })
    assert.deepEqual(askedFilter(filter), { devices: ['id'], paths: [], tags: [['a', 'b']] })
    assert.deepEqual(askedFilter(filterOfQuery({})), { devices: [], paths: [], tags: [] })
    assert.deepEqual(
      filterOfQuery(queryOfFilter({ device: '', path: '/home', tags: '' }) as Record<string, string>),
      {
        device: '',
        path: '/home',
        tags: '',
      },
    )
  })

  it('are all safe only when all are', () => {
    const say = (total: number, complete: number) =>
      snapshotsSentence({ snapshots: { total, complete } } as Parameters<typeof snapshotsSentence>[0])
    assert.equal(say(0, 0), 'There are no snapshots yet.')
    assert.equal(say(1, 1), 'The one snapshot is on as many devices as it should be.')
    assert.equal(say(3, 3), 'All 3 snapshots are on as many devices as they should be.')
    assert.equal(say(3, 1), '1 of 3 snapshots is on as many devices as they should be.')
  })

  it('say how many devices hold them, in words and by tone', () => {
    assert.deepEqual([copiesText(info(1, 3)), copiesTone(info(1, 3))], ['1 of 3', 'warn'])
    assert.deepEqual(
      [copiesTone(info(0, 2)), copiesTone(info(2, 2)), copiesTone(info(1, 1))],
      ['bad', 'good', 'good'],
    )
    assert.equal(holdersSentence(info(0, 2)), 'No device says that it has all of it.')
    assert.equal(holdersSentence(info(1, 2, ['pi'])), 'pi has all of it; 2 devices should.')
    assert.equal(holdersSentence(info(2, 2, ['pi', 'desktop'])), 'desktop and pi have all of it.')
  })

  it('say what forgetting means, and what came of it', () => {
    assert.match(forgetWarning(info(1, 1), '7d'), /brought back from the trash for 7d at least/)
    assert.match(
      forgetWarning({ ...info(1, 1), pinned_by: ['pc'] }, undefined),
      /^It is pinned by pc: .* for some days/,
    )
    const forgotten = { refused: [], waits_for_contact: false } as unknown as Forgotten
    assert.match(forgottenText(forgotten), /^Forgotten\. It is in the trash/)
    assert.match(
      forgottenText({ ...forgotten, waits_for_contact: true }),
      /hear of it when one is in contact/,
    )
    assert.equal(
      forgottenText({ ...forgotten, refused: [{ snapshot: 'a', code: 'X', message: 'no' }] }),
      'no',
    )
  })

  it('say what changed', () => {
    assert.equal(changeText({ modifier: '+' }), 'added')
    assert.equal(changeText({ modifier: 'Z' }), 'Z')
    const side = { files: 0, dirs: 0, others: 0, data_blobs: 0, tree_blobs: 0, bytes: 0 }
    const say = (changed: number, files: number) =>
      changesSentence({
        changed_files: changed,
        added: { ...side, files, bytes: 10 },
        removed: side,
      } as unknown as DiffStatistics)
    assert.equal(say(0, 0), 'Nothing changed.')
    assert.equal(say(1, 2), '2 entries added, 0 removed and 1 file changed; 10 B of new content.')
  })
})
