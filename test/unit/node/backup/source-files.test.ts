/** What becomes of the answers of those who read. */
import assert from 'node:assert/strict'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import type { FileResult, Job } from '../../../../node/backup/jobs.ts'
import type { Draft } from '../../../../node/backup/list-directory.ts'
import { holesBetween } from '../../../../node/backup/run-file.ts'
import { SourceFiles } from '../../../../node/backup/source-files.ts'
import { Tally } from '../../../../node/backup/tally.ts'
import { type Extent, findEntryFault, holesMax } from '../../../../protocol/index.ts'

const MiB = 1024 * 1024

describe('files being read', () => {
  /** Holes and bytes by turns, from an offset on. */
  const combed = (from: number, count: number): Extent[] =>
    Array.from({ length: count }, (_, at) => ({ offset: from + at * 8192 + 4096, length: 4096 }))

  it('are read once more, as one, when their stretches have more holes together than an entry may have', async () => {
    const jobs: Job[] = []
    const draft: Draft = {
      ...{ type: 'file', name: Buffer.from('image'), mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n, ctimeNs: 0n },
      ...{ inode: 1n, device: 1n, linkCount: 1, size: 20 * 32 * MiB },
    }
    const kept = await new Promise<boolean>((resolve, reject) => {
      const files = new SourceFiles({
        submit: (job): Promise<FileResult> => {
          jobs.push(job)
          if (job.kind !== 'file') throw new TypeError('not a small file')
          const { size, mtimeNs, ctimeNs, inode, device, mode, uid, gid, linkCount } = draft
          const whole = { facts: { size, mtimeNs, ctimeNs, inode, device, mode, uid, gid, linkCount } }
          const holes = job.expected === undefined ? [{ offset: 0, length: size }] : combed(job.offset, 4096)
          return Promise.resolve({
            kind: 'file',
            state: 'read',
            chunks: [],
            holes,
            xattrs: [],
            ...(job.expected === undefined ? whole : {}),
          })
        },
        sealNode: () => assert.fail('no node is needed'),
        tally: new Tally(systemWorld.clock),
        fail: reject,
      })
      files.add({
        path: Buffer.from('/image'),
        shown: () => Buffer.from('/image'),
        draft,
        allocated: 1,
        hash: 0,
        done: resolve,
      })
    })
    assert.equal(kept, true)
    assert.equal(jobs.length, 21)
    assert.equal(findEntryFault(draft), undefined)
  })

  it('keep the largest holes, as many as there may be', () => {
    const data = Array.from({ length: 100 }, (_, at): Extent => ({ offset: at * 1000, length: 500 + at }))
    assert.equal(holesBetween(data, 0, 100_000, 10).length, 10)
    assert.equal(holesBetween(data, 0, 100_000, 10)[0]?.length, 500)
    assert.equal(
      holesBetween(combed(0, holesMax + 2), 0, (holesMax + 2) * 8192, holesMax).length <= holesMax,
      true,
    )
  })
})
