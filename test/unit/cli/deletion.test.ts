import assert from 'node:assert/strict'
import type {
  ForgetParams,
  Forgotten,
  PruneResult,
  ReclaimBlock,
  Refused,
  SnapshotInfo,
  TrashEntry,
} from '../../../node/client.ts'
import { HOLD, LEANING } from './deletion-fixtures.ts'
import { cellar, type FakeOptions, jsonLines } from './fake-world.ts'
import { SNAPSHOT } from './fixtures.ts'

const OLDER: SnapshotInfo = {
  ...SNAPSHOT,
  id: '1234abcd'.padEnd(64, '0'),
  short_id: '1234abcd',
  time: '2026-02-28T11:00:00Z',
}

const FORGOTTEN: Forgotten = {
  message_type: 'forgotten',
  dry_run: false,
  groups: [],
  snapshot_ids: [OLDER.id],
  refused: [],
  waits_for_contact: false,
}

const GROUPS: Forgotten['groups'] = [
  {
    device: 'laptop',
    paths: ['/home/ann'],
    keep: [SNAPSHOT],
    remove: [OLDER],
    reasons: [{ snapshot: SNAPSHOT, matches: ['daily snapshot', 'pinned'] }],
  },
]

const REFUSED: Refused = {
  snapshot: 'ffff',
  code: 'SNAPSHOT_NOT_FOUND',
  message: 'no live snapshot begins with ffff',
}

const PRUNED: PruneResult = {
  message_type: 'pruned',
  dry_run: false,
  snapshots_released: 2,
  chunks_removed: 120,
  bytes_removed: 3 * 1024 ** 2,
  bytes_freed: 2 * 1024 ** 2,
  waiting: [],
}

const WAITING: PruneResult = {
  ...PRUNED,
  dry_run: true,
  waiting: [
    { block: HOLD, snapshot_ids: [OLDER.id], bytes: 1024 },
    {
      block: LEANING,
      snapshot_ids: [OLDER.id, SNAPSHOT.id],
      bytes: 5 * 1024 ** 3,
      bytes_if_removed: 4 * 1024 ** 3,
    },
  ],
}

const forget = (more: Partial<Forgotten> = {}): FakeOptions => ({
  handlers: { forget: () => ({ ...FORGOTTEN, ...more }), prune: () => PRUNED },
})

async function paramsOf(...args: readonly string[]): Promise<ForgetParams> {
  const outcome = await cellar(['forget', ...args], forget())
  assert.equal(outcome.status, 0, outcome.stderr)
  return outcome.calls[0]?.params as ForgetParams
}

describe('cellar forget', () => {
  it('sends ids and rules to the node as they were typed', async () => {
    const nothing = { devices: [], paths: [], tags: [] }
    assert.deepEqual(await paramsOf('9958', 'latest', '-d', 'laptop'), {
      snapshots: ['9958', 'latest'],
      filter: { ...nothing, devices: ['laptop'] },
      dryRun: false,
    })
    const counts = [
      '--keep-last',
      '1',
      '--keep-hourly',
      'unlimited',
      '--keep-daily',
      '7',
      '--keep-weekly',
      '-1',
    ]
    const spans = ['--keep-within', '1y6m7d12h', '--keep-within-daily', '30d']
    const tags = ['--keep-tag', 'a,b', '--keep-tag', 'c']
    assert.deepEqual(await paramsOf(...counts, ...spans, ...tags, '--group-by', 'host,tags', '-n'), {
      snapshots: [],
      filter: nothing,
      rules: {
        last: 1,
        hourly: -1,
        daily: 7,
        weekly: -1,
        within: '1y6m7d12h',
        withinDaily: '30d',
        tags: [['a', 'b'], ['c']],
      },
      groupBy: ['host', 'tags'],
      dryRun: true,
    })
    assert.deepEqual((await paramsOf('--keep-daily', '7', '--group-by', '')).groupBy, [])
    assert.equal((await paramsOf('--keep-daily', '7')).groupBy, undefined)
  })

  for (const [what, args] of [
    ['neither ids nor rules', []],
    ['rules that keep nothing', ['--keep-daily', '0']],
    ['ids and rules at once', ['9958', '--keep-daily', '7']],
    ['a count that is none', ['--keep-daily', 'seven']],
    ['a negative count', ['--keep-daily', '-2']],
    ['a span of weeks', ['--keep-within', '2w']],
    ['an unknown group', ['--keep-daily', '7', '--group-by', 'size']],
    ['a group twice', ['--keep-daily', '7', '--group-by', 'host,host']],
  ] as const) {
    it(`refuses ${what} with status 2, and asks no node`, async () => {
      const outcome = await cellar(['forget', ...args])
      assert.equal(outcome.status, 2)
      assert.equal(outcome.calls.length, 0)
      assert.notEqual(outcome.stderr, '')
    })
  }

  it('tells what each group keeps, why, and what goes', async () => {
    const { stdout, status } = await cellar(['forget', '--keep-daily', '1'], forget({ groups: GROUPS }))
    assert.equal(status, 0)
    assert.match(stdout, /^Snapshots of device laptop, paths \/home\/ann:\n\nkeep 1 snapshot:\nID {8}Time/)
    assert.match(stdout, /\n9958b48b {2}\S+ \S+ {2}daily {2}daily snapshot\n {38}pinned\n/)
    assert.match(stdout, /\nforget 1 snapshot:\nID/)
    assert.match(stdout, /\nForgot 1 snapshot: 1234abcd\.\n.*cellar undelete ID/)
    const dry = await cellar(['forget', '--keep-daily', '1', '-n'], forget({ groups: GROUPS, dry_run: true }))
    assert.match(dry.stdout, /\nwould forget 1 snapshot:\n/)
    assert.match(dry.stdout, /\nWould forget 1 snapshot: 1234abcd\. Nothing was changed\.\n$/)
  })

  it('says why a group is left alone', async () => {
    const groups = [{ keep: [SNAPSHOT, OLDER], remove: [], reasons: [], stopped: 'no rule keeps any\u001b' }]
    const { stdout } = await cellar(['forget', '--keep-tag', 'x'], forget({ groups, snapshot_ids: [] }))
    assert.match(stdout, /^All snapshots:\n/)
    assert.match(stdout, /Nothing of this group is forgotten: no rule keeps any\\x1b\n/)
    assert.match(stdout, /Nothing is forgotten\.\n$/)
    const none = await cellar(['forget', '--keep-last', '1'], forget({ snapshot_ids: [] }))
    assert.equal(none.stdout, 'No snapshot matches.\n')
  })

  it('with --json is an array of groups for rules, and one line for ids', async () => {
    const rules = await cellar(
      ['forget', '--keep-daily', '1', '--json', '--prune'],
      forget({ groups: GROUPS }),
    )
    const [groups, pruned] = rules.stdout.trimEnd().split('\n')
    assert.deepEqual(JSON.parse(groups ?? ''), GROUPS)
    assert.deepEqual(JSON.parse(pruned ?? ''), PRUNED)
    const ids = await cellar(['forget', '1234', '--json'], forget())
    assert.deepEqual(jsonLines(ids.stdout), [FORGOTTEN])
  })

  it('with --prune frees space, only when something was forgotten, and with -n only says so', async () => {
    const calls = async (args: readonly string[], more: Partial<Forgotten>) =>
      (await cellar(['forget', '1234', '--prune', ...args], forget(more))).calls.slice(1)
    const params = { dryRun: false, unfinished: false }
    assert.deepEqual(await calls([], {}), [{ method: 'prune', params }])
    assert.deepEqual(await calls(['-n'], { dry_run: true }), [
      { method: 'prune', params: { ...params, dryRun: true } },
    ])
    assert.deepEqual(await calls([], { snapshot_ids: [] }), [])
  })

  it('says when the others cannot know of it yet', async () => {
    const outcome = await cellar(['forget', '1234'], forget({ waits_for_contact: true }))
    assert.equal(outcome.status, 0)
    assert.match(outcome.stderr, /^note: no other device is in contact/)
  })

  it('ends with 3 when some could not be forgotten, else with the status of the error', async () => {
    const some = await cellar(['forget', '1234', 'ffff'], forget({ refused: [REFUSED] }))
    assert.equal(some.status, 3)
    assert.match(
      some.stderr,
      /^error: ffff: no live snapshot begins with ffff\ncellar: 1 snapshot could not be forgotten\n/,
    )
    const json = await cellar(['forget', '1234', 'ffff', '--json'], forget({ refused: [REFUSED] }))
    assert.deepEqual(
      jsonLines(json.stderr).map((line) => [line['message_type'], line['item'] ?? line['code']]),
      [
        ['error', 'ffff'],
        ['exit_error', 3],
      ],
    )
    const none = await cellar(['forget', 'ffff'], forget({ refused: [REFUSED], snapshot_ids: [] }))
    assert.equal(none.status, 1)
    assert.equal(none.stdout, '')
    assert.match(none.stderr, /^cellar: no live snapshot begins with ffff\nto do: {2}cellar snapshots\n$/)
  })
})

describe('cellar trash', () => {
  const entry = (snapshot: SnapshotInfo, ...waits_for: readonly ReclaimBlock[]): TrashEntry => ({
    snapshot,
    forgotten_by: 'desktop',
    forgotten_at: '2026-02-28T12:00:00Z',
    reason: 'retention',
    held_here: true,
    holders: ['desktop', 'pi'],
    waits_for,
  })

  it('says who forgot what, where it still is, and what its space waits for', async () => {
    const entries = [
      entry(OLDER, HOLD, LEANING),
      entry(SNAPSHOT, HOLD),
      entry({ ...SNAPSHOT, short_id: 'ffffffff' }),
    ]
    const { stdout } = await cellar(['trash'], { handlers: { trash: () => entries } })
    const lines = stdout.split('\n')
    assert.match(lines[0] ?? '', /^ID +Time +Device +Forgotten +By +Here +Held by +Freed +Paths$/)
    assert.match(
      lines[2] ?? '',
      /^1234abcd .* 24 hours ago +desktop, a rule +whole +desktop +after ann's tablet +\/home/,
    )
    assert.match(lines[4] ?? '', /^9958b48b .* after 2026-03-07 \d\d:00:00 +\/home\/ann$/)
    assert.match(lines[6] ?? '', /^ffffffff .* at the next prune +\/home\/ann$/)
    assert.match(stdout, /\n {2}1234abcd, 9958b48b: it is kept for the hold window of 7 days\n/)
    assert.match(stdout, /\n {2}1234abcd: the tablet has not said that/)
    assert.match(
      stdout,
      /\n3 snapshots in the trash\. To bring one back: cellar undelete ID\n1 snapshot of them/,
    )
  })

  it('is an array with --json, and may be empty', async () => {
    const entries = [entry(OLDER, LEANING)]
    const { stdout } = await cellar(['trash', '--json'], { handlers: { trash: () => entries } })
    assert.deepEqual(JSON.parse(stdout), entries)
    const empty = await cellar(['trash'], { handlers: { trash: () => [] } })
    assert.equal(empty.stdout, 'The trash is empty.\n')
  })
})

describe('cellar undelete, pin and unpin', () => {
  const changed = { snapshot_ids: [SNAPSHOT.id, OLDER.id], refused: [] }
  const handlers: FakeOptions['handlers'] = {
    undelete: () => ({ message_type: 'undeleted', ...changed, pinned_ids: [OLDER.id] }),
    pin: () => ({ message_type: 'pinned', ...changed, refused: [REFUSED] }),
    unpin: () => ({ message_type: 'unpinned', snapshot_ids: [SNAPSHOT.id], refused: [] }),
  }

  it('say what became of each snapshot', async () => {
    const undeleted = await cellar(['undelete', '9958', '1234'], { handlers })
    assert.deepEqual(undeleted.calls, [{ method: 'undelete', params: { snapshots: ['9958', '1234'] } }])
    assert.match(
      undeleted.stdout,
      /^2 snapshots brought back: 9958b48b, 1234abcd\nPinned.*rule.*: 1234abcd\n/,
    )
    const pinned = await cellar(['pin', '9958', '1234', 'ffff'], { handlers })
    assert.equal(pinned.status, 3)
    assert.equal(pinned.stdout, '9958b48b, 1234abcd pinned: no rule forgets them\n')
    assert.match(pinned.stderr, /1 snapshot could not be pinned/)
    const { stdout } = await cellar(['unpin', '9958'], { handlers })
    assert.equal(stdout, '9958b48b unpinned here: rules may forget it\n')
  })

  it('are one line with --json, and want at least one id', async () => {
    const { stdout } = await cellar(['unpin', '9958', '--json'], { handlers })
    assert.equal(jsonLines(stdout)[0]?.['message_type'], 'unpinned')
    for (const command of ['undelete', 'pin', 'unpin']) assert.equal((await cellar([command])).status, 2)
  })
})

describe('cellar prune', () => {
  const prune = (result: PruneResult): FakeOptions => ({ handlers: { prune: () => result } })

  it('says what was freed, and that something waits', async () => {
    const { stdout, calls } = await cellar(['prune', '--unfinished'], prune({ ...WAITING, dry_run: false }))
    assert.deepEqual(calls, [{ method: 'prune', params: { dryRun: false, unfinished: true } }])
    assert.equal(
      stdout,
      'Freed 2 forgotten snapshots, 120 chunks with 3.000 MiB; the store is 2.000 MiB smaller on the disk.\n' +
        '2 forgotten snapshots wait; why, and for whom: cellar prune --explain\n',
    )
    const nothing = { ...PRUNED, snapshots_released: 0, chunks_removed: 0 }
    assert.equal((await cellar(['prune'], prune(nothing))).stdout, 'There was nothing to free.\n')
    assert.match((await cellar(['prune', '-n'], prune(WAITING))).stdout, /^Can be freed now: 2 forgotten/)
  })

  it('--explain changes nothing, and says what waits, for whom and since when, and what would end it', async () => {
    const { stdout, calls } = await cellar(['prune', '--explain'], prune(WAITING))
    assert.deepEqual(calls, [{ method: 'prune', params: { dryRun: true, unfinished: false } }])
    const blocks = stdout.split('\n\n')
    assert.match(blocks[0] ?? '', /^Can be freed now: 2 forgotten snapshots/)
    assert.match(
      blocks[2] ?? '',
      new RegExp(
        [
          '^5.000 GiB in 2 snapshots: 1234abcd, 9958b48b',
          '  the tablet has not said that it takes account of the forget',
          "  waits for ann's tablet, last heard of 9 days ago \\(2026-02-20 .*\\)",
          "  if ann's tablet will never come back: cellar devices remove 'ann'\\\\''s tablet'",
          '    frees 4.000 GiB here at once; .*$',
        ].join('\n'),
      ),
    )
    assert.match(blocks[3] ?? '', /^1\.000 KiB in 1 snapshot: 1234abcd\n.*\n {2}ends by itself at 2026-03-07/)
    assert.equal(blocks[4], 'Nothing was changed.\n')
  })

  it('--explain names no way out where removing a device would free nothing', async () => {
    const waiting = [{ block: LEANING, snapshot_ids: [OLDER.id], bytes: 1024, bytes_if_removed: 0 }]
    const { stdout } = await cellar(['prune', '--explain'], prune({ ...WAITING, waiting }))
    assert.match(stdout, /without ann's tablet nothing would be free either/)
    assert.doesNotMatch(stdout, /devices remove/)
  })

  it('with --json is the events and the result', async () => {
    const event = { message_type: 'status', step: 'removing', snapshots_released: 1, bytes_freed: 0 } as const
    const handlers: FakeOptions['handlers'] = {
      prune: (_params, { onEvent }) => (onEvent(event), WAITING),
    }
    assert.deepEqual(jsonLines((await cellar(['prune', '--json'], { handlers })).stdout), [event, WAITING])
    assert.deepEqual(jsonLines((await cellar(['prune', '--json', '-q'], { handlers })).stdout), [WAITING])
  })
})

describe('cellar devices', () => {
  const laptop = { device: '12D3KooWlaptop', name: 'laptop' }

  it('lean says what it means for the others', async () => {
    const handlers: FakeOptions['handlers'] = {
      deviceLean: ({ leans }) => ({ ...laptop, leans, epoch: 4 }),
    }
    const on = await cellar(['devices', 'lean', 'laptop'], { handlers })
    assert.deepEqual(on.calls, [{ method: 'deviceLean', params: { device: 'laptop', leans: true } }])
    assert.match(on.stdout, /^laptop may lean: .* waits until laptop has been heard\.\n$/)
    const off = await cellar(['devices', 'lean', 'laptop', '--off'], { handlers })
    assert.deepEqual(off.calls, [{ method: 'deviceLean', params: { device: 'laptop', leans: false } }])
    assert.match(off.stdout, /^laptop leans no more/)
  })

  it('trust says what the suspicion was', async () => {
    const suspicion = { device: 'laptop', since: '2026-02-28T12:00:00Z', message: 'most of it has changed' }
    const handlers = { deviceTrust: () => ({ ...laptop, suspicion }) }
    const { stdout } = await cellar(['devices', 'trust', 'laptop'], { handlers })
    assert.equal(stdout, 'Rules apply to laptop again. It was: most of it has changed\n')
    const json = await cellar(['devices', 'trust', 'laptop', '--json'], { handlers })
    assert.deepEqual(jsonLines(json.stdout), [{ message_type: 'trusted', ...laptop, suspicion }])
    const none = await cellar(['devices', 'trust', 'laptop'], { handlers: { deviceTrust: () => laptop } })
    assert.equal(none.stdout, 'Nothing was held against laptop.\n')
  })
})
