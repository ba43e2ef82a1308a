import assert from 'node:assert/strict'
import { PROFILE_DEFAULT } from '../../../../node/config/defaults.ts'
import { formatConfig } from '../../../../node/config/format.ts'
import { parseConfig } from '../../../../node/config/parse.ts'
import type { ProfileConfig } from '../../../../node/config/types.ts'

const parse = (text: string) => parseConfig(text, 'config.toml', { homeDirectory: '/home/ann' })

function profileIn(text: string, name: string): ProfileConfig {
  const profile = parse(text).profiles.find((one) => one.name === name)
  assert.ok(profile !== undefined)
  return profile
}

describe('profiles', () => {
  it('have everything that a backup can be told, and all of it has a default', () => {
    assert.deepEqual(profileIn('[profile.a]', 'a'), { ...PROFILE_DEFAULT, name: 'a' })
  })

  it('are read as they are written', () => {
    const text = `[profile.a]
sources = ["~/Documents", "/etc"]
files_from = ["~/list"]
exclude = ["*.tmp"]
iexclude = ["*.ISO"]
exclude_file = ["~/excludes"]
exclude_caches = true
exclude_if_present = [".nobackup"]
exclude_larger_than = "2GiB"
one_file_system = true
tags = ["home"]
skip_if_unchanged = true
wait = "goal"
schedule = "30 3 * * mon-fri"
jitter = "5min"
on_battery = false
on_metered = false
priority = "normal"
copies = 2
silent_after = "3d"
`
    assert.deepEqual(profileIn(text, 'a'), {
      ...PROFILE_DEFAULT,
      name: 'a',
      sources: ['/home/ann/Documents', '/etc'],
      filesFrom: ['/home/ann/list'],
      exclude: ['*.tmp'],
      iexclude: ['*.ISO'],
      excludeFile: ['/home/ann/excludes'],
      excludeCaches: true,
      excludeIfPresent: ['.nobackup'],
      excludeLargerThan: 2 * 1024 ** 3,
      oneFileSystem: true,
      tags: ['home'],
      skipIfUnchanged: true,
      wait: 'goal',
      schedule: '30 3 * * mon-fri',
      jitterMs: 300_000,
      onBattery: false,
      onMetered: false,
      priority: 'normal',
      copies: 2,
      silentAfterMs: 3 * 86_400_000,
    })
  })

  const family = `[profile.child]
inherits = "middle"
exclude = { append = ["c"] }
exclude_larger_than = "none"
[profile.middle]
inherits = "top"
exclude = { append = ["b"] }
tags = ["m"]
[profile.top]
sources = ["/top"]
exclude = ["a"]
tags = ["t"]
schedule = "daily"
exclude_larger_than = "1G"
retention = { keep_daily = 7 }
`

  it('inherit what they do not say; lists replace, or add to those before', () => {
    const child = profileIn(family, 'child')
    assert.deepEqual(child.exclude, ['a', 'b', 'c'])
    assert.deepEqual(child.tags, ['m'])
    assert.deepEqual(child.sources, ['/top'])
    assert.equal(child.schedule, 'daily')
    assert.deepEqual(child.retention, { daily: 7 })
  })

  it('can say that there is none of what they would inherit', () => {
    assert.equal(profileIn(family, 'middle').excludeLargerThan, 1024 ** 3)
    assert.equal(profileIn(family, 'child').excludeLargerThan, undefined)
  })

  it('come in the order of the file, and out of their text unchanged', () => {
    const config = parse(family)
    assert.deepEqual(
      config.profiles.map(({ name }) => name),
      ['child', 'middle', 'top'],
    )
    assert.deepEqual(parse(formatConfig(config)), config)
  })
})
