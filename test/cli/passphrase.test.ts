import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Device } from '../tools/cellar.ts'
import { failedWith, Household, sees, statusOf } from '../tools/household.ts'

describe('a passphrase on the keys of a device', function () {
  this.timeout(240_000)
  let house: Household
  /** The same home with an environment of its own. */
  const withEnv = (env: Record<string, string>): Device =>
    new Device({ home: house.path('desktop'), name: 'desktop', env })
  const file = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(house.path(name), text, { mode })
    return house.path(name)
  }

  before(async () => {
    house = new Household()
    await house.device('desktop').init()
  })
  after(() => house[Symbol.asyncDispose]())

  it('is set from a file, and from then on nothing opens the keys without it', async () => {
    const set = withEnv({ CELLAR_NEW_PASSPHRASE_FILE: file('new', 'correct horse\n') })
    assert.equal((await set.json('key', 'passphrase', 'set'))['message_type'], 'passphrase_set')
    assert.equal(existsSync(join(set.home, 'vault.key')), false)
    assert.match(
      readFileSync(join(set.home, 'device.key'), 'utf8'),
      /^rootcellar device key, version 2\nargon2id /,
    )
    const nobody = await withEnv({}).try('--json', 'devices')
    assert.equal(failedWith(nobody, 12), 'PASSPHRASE_NEEDED')
    const wrong = await withEnv({ CELLAR_PASSPHRASE: 'wrong horse' }).try('--json', 'devices')
    assert.equal(failedWith(wrong, 12), 'PASSPHRASE_WRONG')
  })

  it('comes from the environment, or from a file that not everybody may read', async () => {
    const given = withEnv({ CELLAR_PASSPHRASE: 'correct horse' })
    assert.equal((await given.json<unknown[]>('devices')).length, 1)
    const open = withEnv({ CELLAR_PASSPHRASE_FILE: file('open', 'correct horse', 0o644) })
    assert.equal(failedWith(await open.try('--json', 'devices'), 1), 'KEY_MODE')
  })

  it('is asked for once by a node that runs; commands need it no more', async () => {
    const node = withEnv({ CELLAR_PASSPHRASE_FILE: file('phrase', 'correct horse\n') })
    await node.start()
    try {
      assert.ok(sees((await statusOf(node))!, 'desktop'))
      assert.equal((await withEnv({}).json<unknown[]>('devices')).length, 1)
    } finally {
      await node.stop()
    }
  })

  it('is taken away by who has it', async () => {
    const wrong = withEnv({ CELLAR_PASSPHRASE: 'wrong horse' })
    assert.equal(failedWith(await wrong.try('--json', 'key', 'passphrase', 'remove'), 12), 'PASSPHRASE_WRONG')
    const given = withEnv({ CELLAR_PASSPHRASE: 'correct horse' })
    assert.equal((await given.json('key', 'passphrase', 'remove'))['was_set'], true)
    assert.equal((await withEnv({}).json<unknown[]>('devices')).length, 1)
  })
})
