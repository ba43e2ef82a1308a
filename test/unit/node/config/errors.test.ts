import assert from 'node:assert/strict'
import { parseConfig, readConfigText } from '../../../../node/config/parse.ts'
import { CellarError } from '../../../../protocol/index.ts'

const path = '/home/ann/config.toml'

/** What is said of a text, as `line: message`. */
function said(text: string, env: Record<string, string> = {}): string[] {
  const { problems } = readConfigText(text, { path, env, homeDirectory: '/home/ann' })
  return problems.map(({ line, message }) => `${line === undefined ? '-' : String(line)}: ${message}`)
}

describe('what is wrong in settings', () => {
  it('is told with path, line, key, the nearest name and what to do (Q1.2, Q2.1)', () => {
    const text = 'mdns = true\n\n[profile.photos]\nsources = ["/photos"]\nexclud = ["*.tmp"]\n'
    assert.throws(
      () => parseConfig(text, path),
      (error: unknown) => {
        assert.ok(error instanceof CellarError)
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.ok(error.message.startsWith(`${path}, line 5: "profile.photos.exclud" is not a setting here`))
        assert.ok(error.message.endsWith('; did you mean "exclude"?'))
        assert.deepEqual(error.context, { path, line: 5, key: 'profile.photos.exclud', nearest: 'exclude' })
        return true
      },
    )
  })

  it('is told all at once, each thing once, in the order of the file (Q2.1)', () => {
    const text =
      'mdns = "yes"\nlimit_upload = -1\n[schedule]\ncheck = "weakly"\n[profile.a]\nsources = "/a"\n'
    assert.deepEqual(
      said(text).map((line) => line.split(' ').slice(0, 5).join(' ')),
      [
        '1: "mdns" must be true',
        '2: "limit_upload" must be a',
        '4: "schedule.check" must be off,',
        '6: "profile.a.sources" must be a',
      ],
    )
    assert.throws(
      () => parseConfig(text, path),
      /line 1: "mdns".*\(and 3 more: cellar config check tells them all\)/,
    )
  })

  const cases: Readonly<Record<string, readonly [text: string, ...said: RegExp[]]>> = {
    'no TOML': ['a = \n', /^1: this is no TOML: /],
    'an unknown key of the top': [
      'limit_uplaod = 3',
      /^1: "limit_uplaod" is not a setting .*did you mean "limit_upload"\?$/,
    ],
    'a dash for an underscore': [
      '[profile.x]\none-file-system = true',
      /^2: .*did you mean "one_file_system"\?$/,
    ],
    'a key that is like no other': ['xyzzy = 1', /^1: "xyzzy" is not a setting [^?]*$/],
    'a text for a list': [
      'peers = "desktop:4517"',
      /^1: "peers" must be a list, in brackets: write \["desktop:4517"\]$/,
    ],
    'a wrong item of a list': [
      'peers = [\n  "a:1",\n  7,\n]',
      /^3: "peers\[2\]" must be a text in quotes, not 7$/,
    ],
    'an address that is none': [
      'listen = ["desktop"]',
      /^1: "listen\[1\]" cannot be used: cannot listen at "desktop"/,
    ],
    'a peer that is none': [
      'peers = ["desktop"]',
      /^1: "peers\[1\]" cannot be used: "desktop" is not HOST:PORT/,
    ],
    'a time without a unit': ['hold_window = 7', /^1: "hold_window" must be a time such as "7d", .*, not 7$/],
    'a size that is none': [
      'staging = "much"',
      /^1: "staging" must be a size such as .*not "much"; or "none"$/,
    ],
    'a level that is none': ['log_level = "loud"', /^1: "log_level" must be one of "fatal", .*not "loud"$/],
    'a relative path': [
      'store = "backups"',
      /^1: "store" must be an absolute path, or one that begins with ~\//,
    ],
    'a table for a value': [
      '[mdns]\nx = 1',
      /^1: "mdns" must be true or false, without quotes, not a table$/,
    ],
    'a value for a table': ['metrics = 3', /^1: "metrics" must be a table: write \[metrics\]/],
    'an hour that is none': [
      'limits = [{ from = "8" }]',
      /^1: "limits\[1\]\.from" must be an hour of the day/,
    ],
    'a day that is none': [
      'limits = [{ days = "mon..fry" }]',
      /^1: "limits\[1\]\.days" must be days of the week/,
    ],
    'a hook that does nothing': ['[[hook]]\nname = "a"', /^1: "hook\[1\]" needs "command" or "url"/],
    'a hook without a name': ['[[hook]]\nurl = "https://x.org"', /^1: "hook\[1\]" needs "name"/],
    'two hooks of one name': [
      '[[hook]]\nname = "a"\nurl = "https://x.org"\n[[hook]]\nname = "a"\nurl = "https://x.org"',
      /^5: "hook\[2\]\.name" is "a" twice$/,
    ],
    'a command and an address': [
      '[[hook]]\nname = "a"\nurl = "https://x.org"\ncommand = ["true"]',
      /^3: "hook\[1\]\.url" and "command" exclude each other/,
    ],
    'a hook of a profile that is not there': [
      '[[hook]]\nname = "a"\ncommand = ["true"]\nprofiles = ["phtoo"]\n[profile.photo]',
      /^4: "hook\[1\]\.profiles\[1\]" names "phtoo", and there is no such profile; did you mean "photo"\?$/,
    ],
    'a moment that is none': [
      '[[hook]]\nname = "a"\ncommand = ["x"]\non = ["fail"]',
      /^4: "hook\[1\]\.on\[1\]" must be one of/,
    ],
    'mail without a receiver': ['[email]\nsmtp = "smtp://x"\nfrom = "a@x"', /^1: "email" needs "to"/],
    'a page for everybody': [
      '[dashboard]\nlisten = "0.0.0.0:80"',
      /^2: "dashboard\.listen" must be on the loopback/,
    ],
    'figures in a file that nobody reads': ['[metrics]\ntext_file = "/x"', /^2: .*must end in "\.prom"/],
    'a parent that is not there': [
      '[profile.default]\n[profile.a]\ninherits = "defualt"',
      /^3: "profile\.a\.inherits" names "defualt", and there is no such profile; did you mean "default"\?$/,
    ],
    'parents in a circle': [
      '[profile.a]\ninherits = "b"\n[profile.b]\ninherits = "a"\n[profile.c]\ninherits = "a"',
      /^2: "profile\.a\.inherits" goes in a circle: b, a, b$/,
      /^4: "profile\.b\.inherits" goes in a circle: a, b, a$/,
    ],
    'its own parent': ['[profile.a]\ninherits = "a"', /^2: "profile\.a\.inherits" goes in a circle: a, a$/],
    'a name that is none': [
      '[profile."my photos"]',
      /^1: "profile\."my photos"" must have a name of letters/,
    ],
    'a stream with sources': [
      '[profile.a]\nsources = ["/a"]\nstdin_from_command = ["x"]',
      /^3: "profile\.a\.stdin_from_command" is backed up by itself/,
    ],
    'two sets of rules for the same sources (Q4.2)': [
      '[profile.a]\nsources = ["/a"]\nretention = { keep_last = 1 }\n[profile.b]\nsources = ["/a"]\nretention = { keep_last = 2 }',
      /^6: "profile\.b\.retention" differs from that of profile "a", which has the same sources$/,
    ],
    'rules that keep nothing': ['[retention]\nkeep_daily = 0', /^1: "retention" cannot be applied: /],
    'a list that neither replaces nor adds': [
      '[profile.a]\nexclude = { add = ["x"] }',
      /^2: "profile\.a\.exclude" must be a list, or \{ append/,
    ],
    'a tag with a comma': ['[profile.a]\ntags = ["a,b"]', /^2: "profile\.a\.tags\[1\]" must be a tag/],
    'a variable that is not set': [
      '\nstore = "${NOWHERE}/x"',
      /^2: "store" takes \$\{NOWHERE\}, and the environment has no NOWHERE$/,
    ],
    'a key that is none at all': ['__proto__ = 1', /^1: /],
  }
  for (const [what, [text, ...patterns]] of Object.entries(cases)) {
    it(`is named and placed: ${what}`, () => {
      const lines = said(text)
      assert.equal(lines.length, patterns.length, lines.join('\n'))
      for (const [at, pattern] of patterns.entries()) assert.match(lines[at] ?? '', pattern)
    })
  }

  it('is told of variables by their names, without a line', () => {
    assert.deepEqual(said('mdns = true', { CELLAR_LIMIT_UPLOAD: 'fast' }), [
      '-: the variable CELLAR_LIMIT_UPLOAD must be a whole number of KiB a second, 1 or more, not "fast"; or "none"',
    ])
  })

  it('never has a secret in it: addresses, headers and long texts are not said again (Q2.2)', () => {
    const hook = '[[hook]]\nname = "a"\n'
    for (const [text, key] of [
      [`${hook}url = "htp://SECRET"`, 'url'],
      [`${hook}url = "https://x.org"\nheaders = { "a b" = "SECRET" }`, 'headers'],
      ['[email]\nsmtp = "ann:SECRET@mail"\nfrom = "a"\nto = ["b"]', 'smtp'],
      [`log_level = "${'SECRET'.repeat(10)}"`, 'log_level'],
    ] as const) {
      const [line = ''] = said(text)
      assert.match(line, new RegExp(key))
      assert.doesNotMatch(line, /SECRET/)
    }
  })
})
