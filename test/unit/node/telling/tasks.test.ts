import assert from 'node:assert/strict'
import { taskTidings } from '../../../../node/telling/tasks.ts'
import { goesOnMs, stoppedMs, TroubleSorter } from '../../../../node/telling/troubles.ts'
import type { DeviceId } from '../../../../protocol/index.ts'
import { task } from './fixtures.ts'

const told = (...over: Parameters<typeof task>) => taskTidings(task(...over), 'laptop', 5)
const moments = (...over: Parameters<typeof task>) => told(...over).map(({ on, state }) => `${on} ${state}`)

describe('what is told of tasks', () => {
  it('a backup begins', () => {
    const [before, ...others] = told({ outcome: 'began' })
    assert.deepEqual(
      [before?.on, before?.title, others.length],
      ['before', 'Backup "photos" begins on laptop', 0],
    )
  })

  it('a backup is done: after, success, and the end of a failure', () => {
    assert.deepEqual(moments(), ['after news', 'success news', 'failure over'])
  })

  it('says figures of a backup that is done', () => {
    const summary = { total_files_processed: 1, data_added: 3 * 1024 * 1024, copies: 1, copies_wanted: 2 }
    assert.equal(
      told({ summary })[0]?.message,
      'Backup "photos" is done on laptop: 1 file, 3.0 MiB new, on 1 of 2 devices, in 3 s.',
    )
  })

  it('a backup fails: after and failure', () => {
    assert.deepEqual(moments({ outcome: 'failed', code: 'STORE_FULL' }), ['after news', 'failure news'])
  })

  it('TE1.2: the words of an error, which may name files, are in the detail only', () => {
    const [, failure] = told({ outcome: 'failed', code: 'STORE_FULL', message: '/home/ann/x: no space' })
    assert.equal(failure?.detail, '/home/ann/x: no space')
    assert.equal(
      failure.message,
      'Backup "photos" failed on laptop: STORE_FULL. To do: free space on the disk, or raise the quota.',
    )
  })

  it('something left out is a failure too, as nobody would hear of it else', () => {
    const [after, failure] = told({ outcome: 'partly', message: 'one source could not be read' })
    assert.deepEqual([after?.on, failure?.on, failure?.level], ['after', 'failure', 'warning'])
    assert.match(failure?.message ?? '', /One source could not be read\.$/)
  })

  it('other tasks are told of only when they fail, and when they work again', () => {
    assert.deepEqual(moments({ name: 'scrub', outcome: 'began' }), [])
    assert.deepEqual(moments({ name: 'scrub' }), ['failure over'])
    assert.deepEqual(moments({ name: 'scrub', outcome: 'failed', code: 'INTERNAL' }), ['failure news'])
  })

  for (const code of ['ABORTED', 'NODE_STOPPED', 'USAGE'] as const)
    it(`what a person ended or mistyped is no failure: ${code}`, () => {
      assert.deepEqual(moments({ outcome: 'failed', code }), ['after news'])
    })

  it('what is put off is nobody’s trouble', () => {
    assert.deepEqual(moments({ outcome: 'put-off', code: 'PUT_OFF' }), [])
  })
})

describe('which troubles are told', () => {
  const names = { self: 'laptop', device: undefined }
  const trouble = (code: 'STORE_FULL' | 'PEER_GONE' | 'PEER_PROTOCOL' | 'INTERNAL', message = 'words') =>
    ({ kind: 'trouble', code, message }) as const

  it('grave ones at once, the first line of them only', () => {
    const sorter = new TroubleSorter()
    const told = sorter.tidingOf(trouble('INTERNAL', 'it broke\n    at /opt/x.js'), names, 0)
    assert.match(told?.message ?? '', /^It broke\. To do: /)
    assert.equal(told?.level, 'error')
  })

  it('none that ends by itself', () => {
    assert.equal(new TroubleSorter().tidingOf(trouble('PEER_GONE'), names, 0), undefined)
  })

  it('those between devices once they go on for an hour', () => {
    const sorter = new TroubleSorter()
    const at = (ms: number) => sorter.tidingOf(trouble('PEER_PROTOCOL'), names, ms) !== undefined
    assert.deepEqual(
      [at(0), at(goesOnMs - 1), at(goesOnMs), at(goesOnMs + stoppedMs + 1)],
      [false, false, true, false],
    )
  })

  it('by code and device: one device does not hide another', () => {
    const sorter = new TroubleSorter()
    const about = (device: string) =>
      sorter.tidingOf(
        { kind: 'trouble', code: 'KEY_CLONED', message: 'm', device: device as DeviceId },
        { self: 'laptop', device },
        0,
      )?.about
    assert.notEqual(about('a'), about('b'))
    assert.match(about('a') ?? '', /KEY_CLONED/)
  })
})
