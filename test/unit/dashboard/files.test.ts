/** What the screen of files decides and says. */

import assert from 'node:assert/strict'
import type {
  DeviceInfo,
  FileVersion,
  RestoreOrderInfo,
  RestoreSummary,
  SnapshotInfo,
} from '../../../node/api.ts'
import {
  choiceOf,
  crumbsOf,
  nameOf,
  parentOf,
  pathOfQuery,
  pathQuery,
  pathText,
  patternOf,
  type RawPath,
  rawOf,
  shown,
  startOf,
  TOP,
} from '../../../node/dashboard/page/files/paths.ts'
import { previewOf } from '../../../node/dashboard/page/files/preview-kind.ts'
import {
  freshTarget,
  nameForFile,
  orderParams,
  restoreParams,
  restorers,
  targetFault,
} from '../../../node/dashboard/page/files/restore-plan.ts'
import {
  directoriesFirst,
  filesSentence,
  isOpen,
  orderSentence,
  restoredSentence,
  searchSentence,
  seenText,
  unsearchedText,
} from '../../../node/dashboard/page/files/words.ts'

const raw = (text: string): RawPath => text as RawPath
const plain = { target: '/tmp/back', overwrite: 'never', verify: false, device: '' } as const

describe('files on the page', () => {
  describe('paths', () => {
    it('keep every byte of a name, on the way to an address and back', () => {
      for (const path of [
        '/',
        '/home/anna/ünïcödé 木.txt',
        '/a&b=c?#%/d',
        rawOf({ b64: btoa('/x/\xff\xfe') }),
      ]) {
        const given = typeof path === 'string' && path.includes('\xff') ? raw(path) : rawOf(path)
        assert.equal(pathOfQuery(pathQuery(given)), given)
      }
      assert.deepEqual(pathText('/x/\xff'), { b64: btoa('/x/\xff') })
      assert.equal(shown('/x/\xff'), '/x/\ufffd')
    })

    it('that somebody typed lead somewhere', () => {
      assert.equal(pathOfQuery({}), TOP)
      assert.equal(pathOfQuery({ path64: '!!' }), TOP)
      assert.equal(pathOfQuery({ path: 'home//anna/./' }), '/home/anna')
    })

    it('have directories above, and a name', () => {
      assert.deepEqual(
        crumbsOf(raw('/home/anna')).map(({ name, path }) => [name, path]),
        [
          ['home', '/home'],
          ['anna', '/home/anna'],
        ],
      )
      assert.deepEqual(
        [parentOf(raw('/home/anna')), parentOf(raw('/home')), parentOf(TOP)],
        ['/home', '/', '/'],
      )
      assert.equal(nameOf(raw('/home/anna')), 'anna')
    })

    it('of several sources begin where they part', () => {
      assert.equal(startOf([raw('/home/anna/Documents')]), '/home/anna/Documents')
      assert.equal(startOf([raw('/home/anna/Documents'), raw('/home/anna/Pictures')]), '/home/anna')
      assert.equal(startOf([raw('/home/an'), raw('/home/anna')]), '/home')
      assert.equal(startOf([raw('/home'), raw('/home/anna')]), '/home')
      assert.equal(startOf([raw('/etc'), raw('/home')]), '/')
      assert.equal(startOf([]), '/')
    })
  })

  describe('what is restored', () => {
    it('is one entry, by a pattern that matches no other, below its directory', () => {
      const params = restoreParams(
        { snapshot: 'abc', path: raw('/home/anna/a[1]*.txt') },
        { place: 'new', ...plain },
      )
      assert.deepEqual(
        [params.snapshot, params.includes, params.target],
        ['abc:/home/anna', ['/a\\[1\\]\\*.txt'], '/tmp/back'],
      )
      assert.deepEqual([params.delete, params.overwrite, params.verify], [false, 'never', false])
      assert.deepEqual(patternOf(raw('/x/\xff?')), { b64: btoa('/\xff\\?') })
      assert.deepEqual(choiceOf('abc', raw('/\xff')), { b64: btoa('abc:/\xff') })
    })

    it('goes where it was, or all of it anywhere', () => {
      const there = restoreParams(
        { snapshot: 'abc', path: raw('/home/anna') },
        { place: 'original', ...plain },
      )
      assert.deepEqual([there.target, there.snapshot, there.includes], ['/home', 'abc:/home', ['/anna']])
      const all = restoreParams({ snapshot: 'abc', path: TOP }, { place: 'new', ...plain })
      assert.deepEqual([all.snapshot, all.includes], ['abc', []])
    })

    it('may be ordered of another device that reads, by a keeper only', () => {
      const device = (id: string, self: boolean, capabilities: readonly string[]) =>
        ({ id, self, capabilities }) as unknown as DeviceInfo
      const others = [device('b', false, ['read']), device('c', false, ['store'])]
      assert.deepEqual(
        restorers([device('a', true, ['read', 'admit']), ...others]).map(({ id }) => id),
        ['b'],
      )
      assert.deepEqual(restorers([device('a', true, ['read']), ...others]), [])
      const order = orderParams({ snapshot: 'abc', path: raw('/home/anna') }, 'b')
      assert.deepEqual(
        [order.device, order.snapshot, order.includes, order.name],
        ['b', 'abc:/home', ['/anna'], 'anna'],
      )
    })

    it('needs an absolute directory; a fresh one in the home is offered', () => {
      assert.match(targetFault(' ') ?? '', /where to/)
      assert.match(targetFault('back') ?? '', /begin with/)
      assert.equal(targetFault('/back'), undefined)
      assert.match(
        freshTarget('/home/anna/.local/share/rootcellar/store', 0),
        /^\/home\/anna\/Restored\/1970-01-01 /,
      )
      assert.equal(freshTarget('/mnt/disk/store', 0), '')
    })

    it('is downloaded under its own name', () => {
      assert.equal(nameForFile(raw('/a/note.txt'), false), 'note.txt')
      assert.equal(nameForFile(raw('/a/b'), true), 'b.tar')
      assert.equal(nameForFile(TOP, true), 'snapshot.tar')
    })
  })

  describe('a preview', () => {
    it('goes by what is in the file, never by its name', () => {
      assert.deepEqual(previewOf(Buffer.from('héllo')), { kind: 'text', text: 'héllo' })
      assert.deepEqual(previewOf(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0])), {
        kind: 'image',
        type: 'image/png',
      })
      assert.equal(previewOf(Buffer.from('RIFF....WEBP')).kind, 'image')
      assert.equal(previewOf(Buffer.from('RIFF....WAVE')).kind, 'text')
      for (const none of [Buffer.alloc(0), Buffer.from([0, 1]), Buffer.from([0xff, 0xfe])])
        assert.equal(previewOf(none).kind, 'none')
      // A picture that may hold programs is shown as what it is written in.
      assert.equal(previewOf(Buffer.from('<svg onload="x()"/>')).kind, 'text')
    })
  })

  describe('words', () => {
    it('say whose files there are', () => {
      const source = (name: string) => ({ device_name: name }) as SnapshotInfo
      assert.equal(filesSentence([]), 'Nothing is backed up yet.')
      assert.equal(
        filesSentence([source('pc'), source('laptop'), source('pc')]),
        'The files of laptop and pc, as they were backed up.',
      )
    })

    it('say how a search stands, and what could not be searched', () => {
      const result = { hits: 2, entries: 10, snapshots: 1, total_snapshots: 1, unreachable_count: 0 }
      assert.equal(searchSentence('x', 0, undefined), 'Looking for “x”…')
      assert.equal(searchSentence('x', 2, undefined), '2 entries so far for “x”.')
      assert.equal(searchSentence('x', 0, result), 'Nothing found for “x”.')
      assert.equal(
        searchSentence('x', 1, { ...result, next: 'n' }),
        '1 entry found for “x”, and there may be more.',
      )
      assert.equal(unsearchedText(0), undefined)
      assert.match(unsearchedText(1) ?? '', /1 snapshot could not be searched: it is on no device in reach/)
    })

    it('say in how many snapshots a version is', () => {
      const version = {
        snapshot_count: 3,
        first_seen: '2026-01-01T00:00:00Z',
        last_seen: '2026-01-11T00:00:00Z',
      }
      assert.equal(seenText(version as FileVersion), '3 snapshots over 10 days')
      assert.equal(seenText({ ...version, last_seen: version.first_seen } as FileVersion), '3 snapshots')
    })

    it('say what a restore came to, with what is missing', () => {
      const summary = {
        files_restored: 1,
        bytes_restored: 5,
        files_skipped: 2,
        target: '/t',
        errors: [{}],
        seconds_elapsed: 3,
      }
      assert.equal(
        restoredSentence(summary as unknown as RestoreSummary, 1),
        '1 entry (5 B) restored to /t in 3 s. 2 files there already were left as they are. 1 entry could not be restored.',
      )
    })

    it('say how an order stands, to who gave and to who took it', () => {
      const order = { here: false, device_name: 'pc', state: 'waiting', name: 'Documents', errors: 0 }
      const say = (more: object) => orderSentence({ ...order, ...more } as RestoreOrderInfo)
      assert.equal(say({}), 'Restoring “Documents” on pc: it waits for somebody at pc.')
      assert.equal(say({ here: true }), 'pc asks to restore “Documents” here: it waits for you.')
      assert.equal(
        say({ state: 'done', target: '/r/Documents', errors: 1 }),
        'Restoring “Documents” on pc: done, in /r/Documents. 1 entry could not be restored.',
      )
      assert.equal(
        say({ state: 'failed', message: 'disk full' }),
        'Restoring “Documents” on pc: failed: disk full.',
      )
      assert.deepEqual([isOpen({ state: 'running' }), isOpen({ state: 'refused' })], [true, false])
    })

    it('put directories first', () => {
      const entries = [{ type: 'file' }, { type: 'dir' }, { type: 'symlink' }, { type: 'dir' }] as const
      assert.deepEqual(
        directoriesFirst(entries).map(({ type }) => type),
        ['dir', 'dir', 'file', 'symlink'],
      )
    })
  })
})
