/** The threads of a backup, started before there is work for them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { prepareThreads, startThread, usualThreads } from '../../../../node/backup/threads.ts'
import { isUnusedStore, openStore } from '../../../../storage/index.ts'
import { testChunk } from '../../../support/chunks.ts'
import { makeSetting } from './helper.ts'

const threadOf = async (): Promise<Worker> => {
  const { vault } = await makeSetting()
  return startThread({ keys: vault.keys, gear: undefined, keep: 'drop', isLow: false })
}

/** Has it do a job on a file that is not there, and say so. */
async function answerOf(worker: Worker): Promise<unknown> {
  worker.postMessage({ type: 'job', number: 7, job: { kind: 'file', path: Buffer.from('/nowhere') } })
  const [answer] = (await once(worker, 'message')) as [unknown]
  return answer
}

describe('threads of a backup that are prepared', () => {
  it('are taken when there is work, and do it', async () => {
    prepareThreads()
    const workers = await Promise.all(Array.from({ length: usualThreads() + 1 }, threadOf))
    try {
      assert.equal(new Set(workers.map(({ threadId }) => threadId)).size, usualThreads() + 1)
      for (const worker of workers) {
        const answer = (await answerOf(worker)) as { type: string; number: number; result: { state: string } }
        assert.deepEqual([answer.type, answer.number, answer.result.state], ['done', 7, 'missed'])
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()))
    }
  })

  it('are passed over when they have ended meanwhile', async () => {
    const ended = prepareThreads().at(-1)
    await ended?.terminate()
    const others = await Promise.all(Array.from({ length: usualThreads() }, threadOf))
    try {
      assert.ok(ended !== undefined && !others.includes(ended))
      for (const worker of others) assert.equal(((await answerOf(worker)) as { type: string }).type, 'done')
    } finally {
      await Promise.all(others.map((worker) => worker.terminate()))
    }
  })

  it('are wanted where nothing was ever stored', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'cellar-unused-'))
    try {
      assert.equal(isUnusedStore(join(dir, 'absent')), true)
      mkdirSync(join(dir, 'store'))
      const store = await openStore({ dir: join(dir, 'store') })
      assert.equal(isUnusedStore(join(dir, 'store')), true)
      const { id, bytes } = testChunk('something')
      await store.put(id, bytes)
      await store.commit()
      await store.close()
      assert.equal(isUnusedStore(join(dir, 'store')), false)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
