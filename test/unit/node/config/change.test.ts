/** Changing settings from the page: the rest of the file stays, and only what is harmless may be changed. */

import assert from 'node:assert/strict'
import { parse } from 'smol-toml'
import { changedText, type SettingChange } from '../../../../node/config/change.ts'
import { rootFields } from '../../../../node/config/tables.ts'
import { isCellarError } from '../../../../protocol/index.ts'

const TEXT = `# mine
# hold_window = "7d"
limit_upload = 100 # slow

# the papers
[profile.documents]
sources = ["/home/ada/Documents"] # all
tags = ["\${TAG}", "own"]
exclude = [
  # editors
  "*.tmp", # vim
  "*.bak",
  # the end
]
retention = { keep_daily = 3 }

# how often
[schedule]
check = "weekly"

[[hook]]
name = "tell"
on = ["failure"]
url = "https://example.org/\${TAG}"
`

const surroundings = { path: 'config.toml', env: { TAG: 'secret' }, homeDirectory: '/home/ada' }

function change(changes: readonly SettingChange[], text = TEXT, env: Record<string, string> = {}): string {
  return changedText(text, changes, { ...surroundings, env: { ...surroundings.env, ...env } })
}

/** What is in one text and not in the other, as lines. */
function difference(after: string, before = TEXT): { gone: string[]; come: string[] } {
  const [old, now] = [before.split('\n'), after.split('\n')]
  return { gone: old.filter((line) => !now.includes(line)), come: now.filter((line) => !old.includes(line)) }
}

function refused(code: string, work: () => unknown): void {
  assert.throws(work, (error) => isCellarError(error) && error.code === code)
}

describe('changing settings (spec/config.md §6)', () => {
  it('changes a value where it stands, and leaves the remark behind it (Q6.2)', () => {
    assert.deepEqual(difference(change([{ path: ['limit_upload'], value: 250 }])), {
      gone: ['limit_upload = 100 # slow'],
      come: ['limit_upload = 250 # slow'],
    })
  })

  it('puts a setting of the top below the remark that says what holds without it (Q6.2)', () => {
    const text = change([{ path: ['hold_window'], value: '14d' }])
    assert.ok(text.startsWith('# mine\n# hold_window = "7d"\nhold_window = "14d"\nlimit_upload'), text)
  })

  it('puts a setting beside the others of its table, and a new table at the end (Q6.2)', () => {
    const text = change([
      { path: ['schedule', 'drill'], value: 'monthly' },
      { path: ['profile', 'documents', 'schedule'], value: 'daily' },
      { path: ['retention', 'keep_daily'], value: 7 },
      { path: ['limit_download'], value: 5 },
    ])
    assert.ok(text.includes('check = "weekly"\ndrill = "monthly"\n'), text)
    assert.ok(text.includes('retention = { keep_daily = 3 }\nschedule = "daily"\n'), text)
    assert.ok(text.endsWith('\n\n[retention]\nkeep_daily = 7\n'), text)
    assert.ok(text.includes('# slow\nlimit_download = 5\n'), text)
    assert.deepEqual(difference(text).gone, [])
  })

  it('leaves items of a list as they were written, with their remarks (Q6.2)', () => {
    const text = change([{ path: ['profile', 'documents', 'exclude'], value: ['*.o', '*.tmp'] }])
    const list = 'exclude = [\n  "*.o",\n  # editors\n  "*.tmp", # vim\n  # the end\n]\n'
    assert.ok(text.includes(list), text)
    assert.deepEqual(difference(text), { gone: ['  "*.bak",'], come: ['  "*.o",'] })
  })

  it('changes a table in braces, and takes a setting away (Q6.2)', () => {
    const text = change([
      { path: ['profile', 'documents', 'retention', 'keep_weekly'], value: 4 },
      { path: ['limit_upload'] },
      { path: ['schedule', 'check'] },
    ])
    assert.deepEqual(difference(text), {
      gone: ['limit_upload = 100 # slow', 'retention = { keep_daily = 3 }', 'check = "weekly"'],
      come: ['retention = { keep_daily = 3, keep_weekly = 4 }'],
    })
  })

  it('changes a list of tables', () => {
    const limits = [{ from: '08:00', to: '22:00', upload: 500 }]
    const text = change([{ path: ['limits'], value: limits }])
    assert.ok(text.includes('limits = [{ from = "08:00", to = "22:00", upload = 500 }]\n'), text)
    assert.deepEqual(difference(text).gone, [])
  })

  it('changes nothing where the file says so already, or says nothing of it', () => {
    assert.equal(change([{ path: ['limit_upload'], value: 100 }, { path: ['floor_age'] }]), TEXT)
  })

  it('begins a file that says nothing', () => {
    assert.equal(change([{ path: ['drill', 'files'], value: 3 }], ''), '[drill]\nfiles = 3\n')
  })

  it('knows dotted keys, names in quotes and files without an end of line', () => {
    const text = 'profile."my.docs".sources = ["/a"]\r\nschedule.check = "daily"'
    const after = change(
      [
        { path: ['profile', 'my.docs', 'schedule'], value: 'weekly' },
        { path: ['schedule', 'check'], value: 'off' },
      ],
      text,
    )
    assert.deepEqual(JSON.parse(JSON.stringify(parse(after))), {
      profile: { 'my.docs': { sources: ['/a'], schedule: 'weekly' } },
      schedule: { check: 'off' },
    })
  })

  it('never changes what runs a program, opens a place, says where things are, or is secret (Q6.1)', () => {
    const paths = [
      ...[
        'hook',
        'email',
        'metrics',
        'dashboard',
        'listen',
        'peers',
        'store',
        'status_file',
        'mdns',
        'profile',
      ],
      ...['schedule', 'retention', 'silence'],
    ].map((key) => [key])
    const inner = [
      ['hook', '0', 'url'],
      ['email', 'password_command'],
      ['metrics', 'listen'],
      ['dashboard', 'listen'],
      ...['sources', 'stdin_from_command', 'hooks', 'files_from', 'exclude_file', 'inherits'].map((key) => [
        'profile',
        'documents',
        key,
      ]),
      ['profile', 'new', 'schedule'],
      ['__proto__', 'polluted'],
    ]
    for (const path of [...paths, ...inner]) refused('USAGE', () => change([{ path, value: 'daily' }]))
  })

  it('has decided of each setting of the top whether it is harmless (Q6.1)', () => {
    const changeable = [
      'limit_upload',
      'limit_download',
      'limits',
      'hold_window',
      'floor_age',
      'floor_newest',
    ]
    const tables = ['retention', 'schedule', 'scrub', 'drill', 'profile']
    const found = Object.values(rootFields).flatMap(({ key }) => {
      try {
        change([{ path: [key] }])
        return [key]
      } catch (error) {
        assert.ok(isCellarError(error) && error.code === 'USAGE')
        return []
      }
    })
    assert.deepEqual(found, [...changeable, 'silent_after'])
    assert.deepEqual(
      tables.filter((key) => found.includes(key)),
      [],
    )
  })

  it('refuses a wrong value, a wrong file, and what a variable gives (Q6.3)', () => {
    refused('CONFIG_INVALID', () => change([{ path: ['hold_window'], value: 'soon' }]))
    refused('CONFIG_INVALID', () => change([{ path: ['limit_upload'], value: { then: 1 } }]))
    refused('CONFIG_INVALID', () => change([{ path: ['hold_window'], value: '7d' }], 'nothing = 1\n'))
    refused('CONFIG_INVALID', () =>
      change([{ path: ['hold_window'], value: '7d' }], TEXT, { CELLAR_HOLD_WINDOW: '9d' }),
    )
  })

  it('takes no variable of the environment into a text, and leaves those that stand there (Q6.4)', () => {
    const text = change([{ path: ['profile', 'documents', 'tags'], value: ['secret', '${TAG}', '$$x'] }])
    assert.ok(text.includes('tags = ["${TAG}", "$${TAG}", "$$$x"]'), text)
  })
})
