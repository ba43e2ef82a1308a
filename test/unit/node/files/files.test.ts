import assert from 'node:assert/strict'
import { isCellarError } from '../../../../protocol/index.ts'
import { every, testNode, type TestNode } from '../../../support/node.ts'
import { replicate } from '../deletion/household.ts'
import { closeAfterEach } from '../deletion/desktop.ts'
import { Author, file, mesh, search } from './files-node.ts'

const day = 86_400_000
const isUsage = (error: unknown): boolean => isCellarError(error, 'USAGE')

describe('what begins with a file', () => {
  const opened = closeAfterEach()
  let desktop: TestNode
  let author: Author
  beforeEach(async () => {
    desktop = await opened(testNode({ number: 1, membership: mesh }))
    author = await Author.of(desktop)
  })

  describe('browse', () => {
    it('shows a directory page by page, and the last page says so', async () => {
      const names = Array.from({ length: 5 }, (_, at) => `file ${String(at)}`)
      await author.backUp(
        { home: { in: Object.fromEntries(names.map((name) => [name, { bytes: name }])) } },
        day,
      )
      const seen: string[] = []
      let after: string | undefined
      const pages: number[] = []
      do {
        const page = await desktop.call('browse', {
          snapshot: 'latest',
          filter: every,
          path: '/home/',
          limit: 2,
          ...(after !== undefined && { after }),
        })
        assert.equal(page.path, '/home')
        assert.equal(page.entry?.type, 'dir')
        seen.push(...page.entries.map(({ name }) => name))
        pages.push(page.entries.length)
        after = page.next
      } while (after !== undefined)
      assert.deepEqual(seen, names)
      assert.deepEqual(pages, [2, 2, 1])
    })

    it('shows the top, a path behind the colon, and a file as itself', async () => {
      const root = await author.backUp({ home: { in: { anna: { in: { note: file('hello', 1n) } } } } }, day)
      const ask = (snapshot: string, path: string) =>
        desktop.call('browse', { snapshot, filter: every, path, limit: 10 })
      const top = await ask('latest', '/')
      assert.deepEqual(
        [top.path, top.entry, top.entries.map(({ path }) => path)],
        ['/', undefined, ['/home']],
      )
      const below = await ask(`${root.slice(0, 8)}:/home`, 'anna')
      assert.deepEqual(
        [below.path, below.entries.map(({ path }) => path)],
        ['/home/anna', ['/home/anna/note']],
      )
      const note = await ask(root, '/home/anna/note')
      assert.deepEqual([note.entry?.type, note.entry?.size, note.entries], ['file', 5, []])
      assert.equal(note.snapshot.id, root)
    })

    it('refuses a path that is not there, and a cursor of something else', async () => {
      await author.backUp({ a: { in: { x: {}, y: {}, z: {} } }, b: { in: { w: {} } } }, day)
      const ask = (path: string, after?: string) =>
        desktop.call('browse', {
          snapshot: 'latest',
          filter: every,
          path,
          limit: 1,
          ...(after !== undefined && { after }),
        })
      await assert.rejects(ask('/nowhere'), (error) => isCellarError(error, 'PATH_NOT_FOUND'))
      const { next } = await ask('/a')
      assert.ok(next !== undefined)
      await assert.rejects(ask('/b', next), isUsage)
      for (const wrong of [
        '',
        'x',
        '!',
        Buffer.from('[1]').toString('base64url'),
        Buffer.from('{}').toString('base64url'),
      ])
        await assert.rejects(ask('/a', wrong), isUsage)
    })
  })

  describe('versions', () => {
    it('tells each version once, the newest first, with where it was seen', async () => {
      const tree = (text: string, inode: bigint, mtimeNs: bigint) => ({
        home: { in: { note: file(text, inode, { mtimeNs }), other: { bytes: text } } },
      })
      const roots = [
        await author.backUp(tree('one', 1n, 1n), 1 * day),
        await author.backUp(tree('one', 1n, 1n), 2 * day),
        await author.backUp(tree('three', 1n, 3n), 3 * day),
        await author.backUp({ home: { in: {} } }, 4 * day),
        await author.backUp(tree('one', 9n, 1n), 5 * day),
      ]
      const page = await desktop.call('versions', { path: '/home/note', filter: every, limit: 10 })
      assert.deepEqual(
        page.versions.map(({ size, snapshots, snapshot_count, first_seen, last_seen, devices }) => [
          size,
          snapshots,
          snapshot_count,
          first_seen.slice(0, 10),
          last_seen.slice(0, 10),
          devices,
        ]),
        [
          [3, [roots[4], roots[1], roots[0]], 3, '1970-01-02', '1970-01-06', ['desktop']],
          [5, [roots[2]], 1, '1970-01-04', '1970-01-04', ['desktop']],
        ],
      )
      assert.deepEqual(
        [
          page.version_count,
          page.snapshot_count,
          page.absent_count,
          page.unreachable_count,
          page.left_out_count,
        ],
        [2, 5, 1, 0, 0],
      )
    })

    it('takes a file whose neighbours changed as the same, and one written over in place as another', async () => {
      const tree = (note: string, neighbour: string, ctimeNs: bigint) => ({
        note: { bytes: note, inode: 1n, ctimeNs },
        // The content of a made file lies in a bundle of its own; another one stands for another bundle.
        neighbour: { bytes: neighbour, inode: 2n },
      })
      await author.backUp(tree('abc', 'x', 5n), 1 * day, '/')
      await author.backUp(tree('abd', 'y', 5n), 2 * day, '/')
      const same = await desktop.call('versions', { path: '/note', filter: every, limit: 10 })
      assert.equal(same.version_count, 1, 'what a backup takes as unchanged')
      await author.backUp(tree('abe', 'y', 6n), 3 * day, '/')
      const other = await desktop.call('versions', { path: '/note', filter: every, limit: 10 })
      assert.equal(other.version_count, 2)
    })

    it('goes on where the page before ended, also when a snapshot came meanwhile', async () => {
      for (let at = 1; at <= 5; at++)
        await author.backUp({ note: { bytes: 'x'.repeat(at), mtimeNs: BigInt(at) } }, at * day, '/')
      const ask = (after?: string) =>
        desktop.call('versions', {
          path: '/note',
          filter: every,
          limit: 2,
          ...(after !== undefined && { after }),
        })
      const first = await ask()
      await author.backUp({ note: { bytes: 'new', mtimeNs: 9n } }, 9 * day, '/')
      const second = await ask(first.next)
      const third = await ask(second.next)
      const sizes = [first, second, third].map(({ versions }) => versions.map(({ size }) => size))
      assert.deepEqual(sizes, [[5, 4], [3, 2], [1]])
      assert.equal(third.next, undefined)
      await assert.rejects(ask('x'), isUsage)
    })

    it('tells directories by what is below, and has none for the top', async () => {
      await author.backUp({ a: { in: { b: file('x', 1n) } }, c: {} }, day, '/')
      await author.backUp({ a: { in: { b: file('x', 1n) } }, c: { bytes: 'y' } }, 2 * day, '/')
      const page = await desktop.call('versions', { path: '/a', filter: every, limit: 10 })
      assert.deepEqual([page.version_count, page.versions[0]?.snapshot_count], [1, 2])
      await assert.rejects(desktop.call('versions', { path: '/', filter: every, limit: 10 }), isUsage)
    })

    it('counts what is on no device in reach instead of waiting', async () => {
      const laptop = await opened(testNode({ number: 2, membership: mesh, clock: desktop.clock }))
      await author.backUp({ note: { bytes: 'x' } }, day, '/')
      await replicate(desktop, laptop)
      await (await Author.of(laptop)).backUp({ note: { bytes: 'yy' } }, 2 * day, '/')
      // The desktop hears of the second and has nothing of it.
      const { tell } = await import('../../../support/node.ts')
      await tell(laptop, desktop)
      const page = await desktop.call('versions', { path: '/note', filter: every, limit: 10 })
      assert.deepEqual([page.version_count, page.snapshot_count, page.unreachable_count], [1, 2, 1])
      const { hits, notices, result } = await search(desktop, 'note')
      assert.deepEqual([hits.length, notices.length, result.unreachable_count], [1, 1, 1])
    })
  })

  describe('search', () => {
    it('finds parts of names, whatever the case, and tells each path once', async () => {
      await author.backUp({ home: { in: { 'Tax 2024': { in: { 'notes.txt': file('x', 1n) } } } } }, 1 * day)
      await author.backUp({ home: { in: { 'Tax 2024': { in: { 'notes.txt': file('y', 2n) } } } } }, 2 * day)
      const paths = async (text: string) => (await search(desktop, text)).hits.map(({ path }) => path)
      assert.deepEqual(await paths('tax'), ['/home/Tax 2024'])
      assert.deepEqual(await paths('NOTES'), ['/home/Tax 2024/notes.txt'])
      assert.deepEqual(await paths('2024/no'), ['/home/Tax 2024/notes.txt'])
      assert.deepEqual(await paths('home/tax'), ['/home/Tax 2024'])
      assert.deepEqual(await paths('*.TXT'), ['/home/Tax 2024/notes.txt'])
      assert.deepEqual(await paths('nothing of the kind'), [])
      await assert.rejects(search(desktop, '[a'), isUsage)
    })

    it('tells what is there now first, then what only older snapshots have', async () => {
      const tree = (...names: string[]) => ({
        home: { in: Object.fromEntries(names.map((name, at) => [name, file(name, BigInt(at + 1))])) },
      })
      const roots = [
        await author.backUp(tree('gone note', 'note'), 1 * day),
        await author.backUp(tree('note', 'other note'), 2 * day),
        await author.backUp(tree('note'), 3 * day),
      ]
      const { hits, result } = await search(desktop, 'note')
      assert.deepEqual(
        hits.map(({ path, snapshot, is_gone }) => [path, snapshot, is_gone]),
        [
          ['/home/note', roots[2], false],
          ['/home/other note', roots[1], true],
          ['/home/gone note', roots[0], true],
        ],
      )
      assert.deepEqual(
        [result.hits, result.snapshots, result.total_snapshots, result.next],
        [3, 3, 3, undefined],
      )
    })

    it('goes on where a page ended, in whatever place, and tells all once', async () => {
      const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { bytes: name }]))
      await author.backUp(
        { x1: { in: { ...files('x3', 'y', 'x2'), x4: { in: files('x5') } } }, gone: { in: files('x9') } },
        1 * day,
        '/',
      )
      await author.backUp(
        { x1: { in: { ...files('x3', 'x2'), x4: { in: files('x5', 'x6') } } }, x7: {} },
        2 * day,
        '/',
      )
      const whole = (await search(desktop, 'x')).hits.map(({ path }) => path)
      assert.equal(whole.length, 8)
      for (const limit of [1, 2, 3, 7, 8]) {
        const seen: string[] = []
        for (let after: string | undefined, pages = 0; ; pages++) {
          assert.ok(pages < 20)
          const { hits, result } = await search(desktop, 'x', {
            limit,
            ...(after !== undefined && { after }),
          })
          assert.equal(result.hits, hits.length)
          seen.push(...hits.map(({ path }) => path))
          after = result.next
          if (after === undefined) break
        }
        assert.deepEqual(seen, whole, `pages of ${String(limit)}`)
      }
    })

    it('looks at one snapshot only, or below one directory only', async () => {
      const old = await author.backUp({ a: { in: { note1: {} } }, b: { in: { note2: {} } } }, 1 * day, '/')
      await author.backUp({ a: { in: { note3: {} } } }, 2 * day, '/')
      const paths = async (more: Parameters<typeof search>[2]) =>
        (await search(desktop, 'note', more)).hits.map(({ path }) => path)
      assert.deepEqual(await paths({ snapshot: old }), ['/a/note1', '/b/note2'])
      assert.deepEqual(await paths({ snapshot: `${old}:/b` }), ['/b/note2'])
      assert.deepEqual(await paths({ below: '/a' }), ['/a/note3', '/a/note1'])
      assert.deepEqual(await paths({ below: '/nowhere' }), [])
    })

    it('goes on without the snapshots that came after its first page', async () => {
      await author.backUp({ note1: {}, note2: {}, note3: {} }, 1 * day, '/')
      const first = await search(desktop, 'note', { limit: 2 })
      await author.backUp({ note0: {} }, 2 * day, '/')
      const second = await search(desktop, 'note', { after: first.result.next! })
      assert.deepEqual(
        second.hits.map(({ path, is_gone }) => [path, is_gone]),
        [['/note3', false]],
      )
    })
  })

  describe('snapshots, page by page', () => {
    it('come in either order, and forgetting one leaves no gap', async () => {
      const roots = []
      for (let at = 1; at <= 5; at++) roots.push(await author.backUp({ [`f${String(at)}`]: {} }, at * day))
      const ask = (more: object) =>
        desktop.call('snapshots', { filter: every, snapshots: [], limit: 2, ...more })
      const first = await ask({ newestFirst: true })
      assert.deepEqual(
        first.map(({ id }) => id),
        [roots[4], roots[3]],
      )
      await desktop.call('pin', { snapshots: [roots[1]!] })
      await desktop.call('forget', { snapshots: [roots[3]!, roots[2]!], filter: every, dryRun: false })
      const second = await ask({ newestFirst: true, after: first[1]?.cursor })
      assert.deepEqual(
        second.map(({ id }) => id),
        [roots[1], roots[0]],
      )
      assert.deepEqual(
        second.map(({ pinned_by }) => pinned_by),
        [['desktop'], undefined],
      )
      const upwards = await ask({ limit: 1 })
      assert.deepEqual(
        upwards.map(({ id }) => id),
        [roots[0]],
      )
      assert.deepEqual(
        (await ask({ after: upwards[0]?.cursor })).map(({ id }) => id),
        [roots[1], roots[4]],
      )
      await assert.rejects(ask({ after: 'x' }), isUsage)
    })
  })
})
