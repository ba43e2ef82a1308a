import assert from 'node:assert/strict'
import { parse } from 'smol-toml'
import { CONFIG_DEFAULT } from '../../../../node/config/defaults.ts'
import { formatConfig } from '../../../../node/config/format.ts'
import { parseConfig, readConfigText } from '../../../../node/config/parse.ts'
import {
  besides,
  type ConfigInForce,
  shownSettings,
  shownTable,
  shownText,
  tableInForce,
} from '../../../../node/config/show.ts'
import { projectText } from '../../../tools/project.ts'
import { exampleIn } from '../../../tools/config-reference.ts'

const env = { NTFY_TOKEN: 'very secret', CELLAR_LOG_LEVEL: 'debug' }

function read(text: string): ConfigInForce {
  const found = readConfigText(text, { path: 'config.toml', env, homeDirectory: '/home/ann' })
  assert.ok(found.config !== undefined, found.problems.map(({ message }) => message).join('\n'))
  return found
}

/** Without the prototypes that the parser of TOML leaves out. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const isEmpty = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && !Array.isArray(item) && Object.keys(item).length === 0

const example = exampleIn(projectText('docs/config.md'))

describe('showing settings', () => {
  it('says where each comes from', () => {
    const shown = shownSettings(
      read('limit_upload = 3\n[profile.a]\ntags = ["t"]\n[profile.b]\ninherits = "a"\nwait = 2'),
    )
    const origin = (...path: string[]) =>
      shown.find((one) => JSON.stringify(one.path) === JSON.stringify(path))?.origin
    assert.equal(origin('limit_upload'), 'line 1')
    assert.equal(origin('mdns'), 'default')
    assert.equal(origin('log_level'), 'CELLAR_LOG_LEVEL')
    assert.equal(origin('profile', 'a', 'tags'), 'line 3')
    assert.equal(origin('profile', 'a', 'exclude'), 'default')
    assert.equal(origin('profile', 'b', 'tags'), 'inherited')
    assert.equal(origin('profile', 'b', 'wait'), 'line 6')
  })

  it('is a file that reads as the same, but for what is secret', () => {
    const { config } = read(example)
    const shown = shownSettings(read(example))
    const text = shownText(shown)
    assert.deepEqual(plain(parse(text)), shownTable(shown))
    // What is empty says nothing: it is not shown.
    const inForce = JSON.stringify(tableInForce(config), (_, item: unknown) =>
      isEmpty(item) ? undefined : item,
    )
    assert.deepEqual(shownTable(shown), JSON.parse(inForce))
    const again = parseConfig(text, 'config.toml')
    const [phone] = again.hooks
    assert.deepEqual(phone?.headers, { Authorization: '…' })
    assert.deepEqual({ ...again, hooks: [] }, { ...config, hooks: [] })
  })

  it('shows no secret: no header, no address behind its host, no password (Q2.2)', () => {
    const text = `[[hook]]
name = "discord"
url = "https://discord.com/api/webhooks/123/secret-1"
headers = { X = "secret-2 \${NTFY_TOKEN}" }
[email]
smtp = "smtp://ann:secret-3@mail.example.org:587"
from = "a@example.org"
to = ["b@example.org"]
[metrics]
push = "https://user:secret-4@gateway/metrics"
`
    const found = read(text)
    const all = shownText(shownSettings(found)) + JSON.stringify(tableInForce(found.config))
    assert.doesNotMatch(all, /secret/)
    assert.match(all, /discord\.com/)
    assert.match(all, /smtp:\/\/ann:…@mail\.example\.org:587/)
  })

  it('says what a running node has not read yet', () => {
    const inForce = tableInForce(read('limit_upload = 3\nlimit_download = 8').config)
    const now = shownSettings(read('\nlimit_upload = 4'))
    const shown = besides(now, inForce)
    const origin = (key: string) => shown.find(({ path }) => path[0] === key)
    assert.deepEqual(origin('limit_upload')?.value, 3)
    assert.equal(origin('limit_upload')?.origin, 'the file now says 4 (line 2)')
    assert.equal(origin('limit_download')?.origin, 'the file now says nothing')
    assert.equal(origin('mdns')?.origin, 'default')
  })
})

describe('a file of settings that is written', () => {
  it('reads as what it was written of', () => {
    const config = parseConfig(example, 'config.toml', { env, homeDirectory: '/home/ann' })
    assert.deepEqual(parseConfig(formatConfig(config), 'config.toml'), config)
  })

  it('says nothing but remarks where all is as without it', () => {
    const text = formatConfig(CONFIG_DEFAULT)
    assert.deepEqual(plain(parse(text)), {})
    // What a person opens it for stands there, ready to be taken.
    const taken = text.replace(/^# (?=\[profile|sources|schedule)/gm, '')
    const [profile] = parseConfig(taken, 'config.toml').profiles
    assert.equal(profile?.name, 'default')
    assert.match(text, /^# listen = \["0\.0\.0\.0:4517", "\[::\]:4517"\]$/m)
  })
})
