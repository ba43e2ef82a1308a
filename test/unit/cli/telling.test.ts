import assert from 'node:assert/strict'
import { CellarError, type HookTested, type Status } from '../../../node/client.ts'
import { cellar, jsonLines } from './fake-world.ts'
import { STATUS } from './fixtures.ts'

const TESTED: HookTested = {
  message_type: 'hook_tested',
  name: 'discord',
  on: 'failure',
  answer: 'HTTP 204 from discord.com',
  seconds: 0.2,
}

const HOOKS: Status['telling']['hooks'] = [
  {
    name: 'discord',
    on: ['failure', 'silent'],
    told: 5,
    failures: 2,
    message: 'hook "discord": no\u001b[2J',
  },
  { name: 'email', on: ['failure'], told: 0, failures: 0 },
]

describe('cellar hook', () => {
  const handlers = { status: () => ({ ...STATUS, telling: { hooks: HOOKS, silent: [] } }) }

  it('lists hooks with how they fared, and lets nothing of them at the terminal', async () => {
    const { stdout, status } = await cellar(['hook'], { handlers })
    assert.equal(status, 0)
    assert.match(stdout, /discord +failure silent +5 +2 +never +hook "discord": no/)
    assert.doesNotMatch(stdout, /\u001b/)
    assert.deepEqual(jsonLines((await cellar(['--json', 'hook'], { handlers })).stdout)[0], HOOKS)
  })

  it('says where to read when there are none', async () => {
    const { stdout, stderr } = await cellar(['hook'], { handlers: { status: () => STATUS } })
    assert.match(stdout + stderr, /docs\/monitoring\.md/)
  })

  it('tries one, and says what it answered', async () => {
    const { stdout, calls } = await cellar(['hook', 'test', 'discord', '--on', 'failure'], {
      handlers: { hookTest: () => TESTED },
    })
    assert.equal(stdout, 'discord was told of a made-up "failure": HTTP 204 from discord.com.\n')
    assert.deepEqual(calls[0]?.params, { name: 'discord', on: 'failure' })
  })

  it('fails when the hook fails, and when there is no such moment', async () => {
    const failing = () => {
      throw new CellarError('HOOK_FAILED', 'hook "discord": discord.com answered 404')
    }
    const { status, stderr } = await cellar(['hook', 'test', 'discord'], { handlers: { hookTest: failing } })
    assert.equal(status, 1)
    assert.match(stderr, /answered 404/)
    assert.equal((await cellar(['hook', 'test', 'discord', '--on', 'never'], {})).status, 2)
  })
})

describe('cellar metrics', () => {
  it('prints them as they are', async () => {
    const handlers = { metrics: () => ({ text: '# HELP a b\na 1\n' }) }
    assert.equal((await cellar(['metrics'], { handlers })).stdout, '# HELP a b\na 1\n')
  })
})

describe('cellar status --check', () => {
  const counts = { total: 2, complete: 2, partial: 0, only_on_owner: 0, nowhere: 0 }
  for (const [verdict, exit, change] of [
    ['safe', 0, {}],
    ['waiting', 21, { snapshots: { ...counts, complete: 1, partial: 1 } }],
    ['alone', 21, { snapshots: { ...counts, complete: 1, only_on_owner: 1 } }],
    [
      'late',
      1,
      {
        problems: [
          { level: 'warning', code: 'BACKUP_LATE', message: 'No backup of "x" on laptop for 9 days' },
        ],
      },
    ],
    ['empty', 1, { snapshots: { ...counts, total: 0, complete: 0 } }],
    ['trouble', 1, { snapshots: { ...counts, complete: 1, nowhere: 1 } }],
  ] as readonly (readonly [string, number, Partial<Status>])[]) {
    it(`ends with ${String(exit)} when the verdict is "${verdict}", and without the option with 0`, async () => {
      const handlers = { status: () => ({ ...STATUS, snapshots: counts, ...change }) }
      const { status, stdout } = await cellar(['--json', 'status', '--check'], { handlers })
      assert.equal(status, exit)
      assert.equal(jsonLines(stdout)[0]?.['verdict'], verdict)
      assert.equal((await cellar(['status'], { handlers })).status, 0)
    })
  }
})
