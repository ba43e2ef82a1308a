import assert from 'node:assert/strict'
import type { BegunJob } from '../../../node/api.ts'
import { endedText } from '../../../node/dashboard/page/begun-words.ts'

const say = (job: object) => endedText({ title: '', problem_count: 0, ...job } as unknown as BegunJob)

describe('what was begun on the page', () => {
  it('is told when it has ended, with what came of it', () => {
    const backup = { files_new: 2, files_changed: 1, data_added_packed: 2048 }
    assert.deepEqual(say({ method: 'backupProfile', title: 'papers', summary: backup }), {
      words: 'Backed up papers: 3 files new or changed, 2.00 KiB stored.',
      isBad: false,
    })
    assert.deepEqual(say({ method: 'backupProfile', title: 'papers', summary: backup, problem_count: 1 }), {
      words: 'Backed up papers: 3 files new or changed, 2.00 KiB stored; 1 file could not be read.',
      isBad: true,
    })
    const scrub = { bytes_read: 1024, chunks_bad: 0, chunks_mended: 0, chunks_left: 0 }
    assert.deepEqual(say({ method: 'scrub', summary: scrub }), {
      words: '1.00 KiB read: all good.',
      isBad: false,
    })
    assert.equal(say({ method: 'scrub', summary: { ...scrub, chunks_bad: 1, chunks_left: 1 } })?.isBad, true)
    assert.equal(
      say({ method: 'drill', summary: { files_restored: 3, files_failed: 1, from: ['pi'] } })?.words,
      '1 file could not be restored from pi.',
    )
    assert.equal(
      say({ method: 'check', summary: { num_errors: 0, snapshots_checked: 4 } })?.words,
      '4 snapshots checked: whole.',
    )
  })

  it('is told when it failed, and not when somebody cancelled it, nor where it is shown already', () => {
    const error = { code: 'NO_PEER', message: 'nobody is there' }
    assert.deepEqual(say({ method: 'drill', error }), { words: 'nobody is there', isBad: true })
    assert.equal(say({ method: 'drill', error: { ...error, code: 'ABORTED' } }), undefined)
    assert.equal(say({ method: 'restore', error }), undefined)
  })
})
