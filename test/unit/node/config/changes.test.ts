import assert from 'node:assert/strict'
import { changesOf } from '../../../../node/config/changes.ts'
import { CONFIG_DEFAULT } from '../../../../node/config/defaults.ts'
import { parseConfig } from '../../../../node/config/parse.ts'
import { Settings } from '../../../../node/config/settings.ts'
import type { Config } from '../../../../node/config/types.ts'

const parse = (text: string, env = {}) =>
  parseConfig(text, 'config.toml', { env, homeDirectory: '/home/ann' })

describe('other settings under a running node', () => {
  it('take effect but for what needs a restart, and both are named (Q5.2)', () => {
    const before = parse('listen = ["127.0.0.1:1"]\nlimit_upload = 5\n')
    const read = parse(
      'listen = ["127.0.0.1:2"]\nmdns = false\nstore = "/x"\nlimit_upload = 6\n[profile.a]\n[dashboard]\nlisten = "none"',
    )
    const { next, changed, needsRestart } = changesOf(before, read)
    assert.deepEqual(changed, ['limit_upload', 'profile'])
    assert.deepEqual(needsRestart, ['listen', 'mdns', 'store', 'dashboard.listen'])
    assert.deepEqual(next, {
      ...read,
      listen: before.listen,
      mdns: true,
      store: undefined,
      dashboard: before.dashboard,
    })
  })

  it('are none where nothing has changed', () => {
    assert.deepEqual(changesOf(CONFIG_DEFAULT, parse('')), {
      next: CONFIG_DEFAULT,
      changed: [],
      needsRestart: [],
    })
  })

  it('are told to who listens, until they do not', () => {
    const settings = new Settings(CONFIG_DEFAULT)
    const told: [Config, Config][] = []
    const off = settings.onChange((now, before) => told.push([now, before]))
    const other = parse('limit_upload = 3')
    settings.change(other)
    assert.equal(settings.current, other)
    assert.deepEqual(told, [[other, CONFIG_DEFAULT]])
    off()
    settings.change(CONFIG_DEFAULT)
    assert.equal(told.length, 1)
  })
})

describe('the environment', () => {
  it('goes before the file, for settings of the top that are one value', () => {
    const env = {
      CELLAR_LIMIT_UPLOAD: '7',
      CELLAR_MDNS: 'false',
      CELLAR_HOLD_WINDOW: '3d',
      CELLAR_STORE: '/big',
      CELLAR_STAGING: 'none',
    }
    const config = parse('limit_upload = 5\nstaging = "1G"\nfloor_newest = 2', env)
    assert.equal(config.limitUpload, 7)
    assert.equal(config.mdns, false)
    assert.equal(config.holdWindowMs, 3 * 86_400_000)
    assert.equal(config.store, '/big')
    assert.equal(config.staging, undefined)
    assert.equal(config.floorNewest, 2)
  })

  it('is not looked at for lists, for other names, and where it is empty', () => {
    const env = {
      CELLAR_LISTEN: '1.2.3.4:5',
      CELLAR_HOME: '/x',
      CELLAR_PROFILE: 'a',
      CELLAR_LIMIT_UPLOAD: '',
    }
    assert.deepEqual(parse('', env), CONFIG_DEFAULT)
  })

  it('stands in texts as ${NAME}, and $$ is a dollar', () => {
    const env = { WHERE: '/mnt', N: '' }
    const text = '[profile.a]\nsources = ["${WHERE}/x"]\nexclude = ["a$$b", "$x", "c${N}", "$${WHERE}"]'
    const [profile] = parse(text, env).profiles
    assert.deepEqual(profile?.sources, ['/mnt/x'])
    assert.deepEqual(profile.exclude, ['a$b', '$x', 'c', '${WHERE}'])
  })
})
