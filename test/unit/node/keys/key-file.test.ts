import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { homePaths, type HomePaths, isSealed, readKeys, writeKeys } from '../../../../node/home.ts'
import { formatPlainKey, type HomeKeys, parseKeyFile } from '../../../../node/keys/key-file.ts'
import { formatSealedKeys } from '../../../../node/keys/key-seal.ts'
import { removePassphrase, setPassphrase } from '../../../../node/keys/passphrase.ts'

const KEYS = { device: new Uint8Array(32).fill(1), vault: new Uint8Array(32).fill(2) }
const RANDOM = { bytes: (length: number) => new Uint8Array(length).fill(3) }
const nobody = () => Promise.reject(new TypeError('nobody is to be asked'))
const says = (passphrase: string) => () => Promise.resolve(passphrase)

describe('key files', function () {
  this.timeout(180_000)
  let home: HomePaths

  beforeEach(() => {
    home = homePaths(mkdtempSync(join(tmpdir(), 'cellar-keys-')), {})
    writeKeys(home, KEYS)
  })
  afterEach(() => {
    rmSync(home.directory, { recursive: true })
  })

  /** Writes the device's key file as sealing does, at little cost: the file with the vault key stays. */
  function seal(keys: HomeKeys): void {
    const cheap = { memory: 64, passes: 1, lanes: 1 }
    writeFileSync(home.deviceKey, formatSealedKeys(keys, 'correct horse', RANDOM, cheap), { mode: 0o600 })
  }

  it('of version 1 stay readable as they were written', () => {
    const text = `rootcellar device key, version 1\n${Buffer.from(KEYS.device).toString('base64')}\n`
    assert.equal(formatPlainKey('device', KEYS.device), text)
    assert.deepEqual(parseKeyFile(text, 'device', 'p'), { kind: 'plain', key: KEYS.device })
  })

  it('are asked for nothing while they are plain', async () => {
    assert.deepEqual(await readKeys(home, nobody), KEYS)
    assert.equal(isSealed(home), false)
  })

  it('hold no key in clear under a passphrase, and open with it', async () => {
    await setPassphrase(home, 'correct horse', nobody)
    assert.equal(isSealed(home), true)
    assert.equal(existsSync(home.vaultKey), false)
    const text = readFileSync(home.deviceKey, 'utf8')
    for (const key of [KEYS.device, KEYS.vault]) {
      assert.equal(text.includes(Buffer.from(key).toString('base64').slice(0, 40)), false)
      assert.equal(text.includes(Buffer.from(key).toString('hex')), false)
    }
    assert.deepEqual(await readKeys(home, says('correct horse')), KEYS)
    await assert.rejects(readKeys(home, says('correct hors')), { code: 'PASSPHRASE_WRONG' })
    await assert.rejects(readKeys(home), { code: 'PASSPHRASE_NEEDED' })
  })

  it('take another passphrase only from who has the one before, and none that is short', async () => {
    await setPassphrase(home, 'correct horse', nobody)
    await assert.rejects(setPassphrase(home, 'battery staple', says('wrong horse')), {
      code: 'PASSPHRASE_WRONG',
    })
    await setPassphrase(home, 'battery staple', says('correct horse'))
    assert.deepEqual(await readKeys(home, says('battery staple')), KEYS)
    await assert.rejects(setPassphrase(home, 'short', nobody), { code: 'USAGE' })
  })

  it('are plain again when the passphrase is taken away', async () => {
    assert.equal(await removePassphrase(home, nobody), false)
    await setPassphrase(home, 'correct horse', nobody)
    assert.equal(await removePassphrase(home, says('correct horse')), true)
    assert.deepEqual(await readKeys(home, nobody), KEYS)
  })

  it('keep a device that reads nothing as one', async () => {
    rmSync(home.vaultKey)
    seal({ ...KEYS, vault: undefined })
    assert.deepEqual(await readKeys(home, says('correct horse')), { device: KEYS.device, vault: undefined })
  })

  it('leave no plain vault key behind after a crash between the two steps of sealing', async () => {
    seal(KEYS)
    assert.equal(existsSync(home.vaultKey), true)
    assert.deepEqual(await readKeys(home, says('correct horse')), KEYS)
    assert.equal(existsSync(home.vaultKey), false)
  })

  it('are bound to what they cost: who changes it gets nothing', async () => {
    seal(KEYS)
    assert.deepEqual(await readKeys(home, says('correct horse')), KEYS)
    const text = readFileSync(home.deviceKey, 'utf8')
    writeFileSync(home.deviceKey, text.replace(/passes=\d+/, 'passes=2'), { mode: 0o600 })
    await assert.rejects(readKeys(home, says('correct horse')), { code: 'PASSPHRASE_WRONG' })
  })

  it('are refused with costs that would only stop the program, and of later versions', () => {
    const salt = Buffer.alloc(16).toString('base64')
    const sealed = (cost: string) =>
      parseKeyFile(`rootcellar device key, version 2\nargon2id ${cost} salt=${salt}\nAAAA\n`, 'device', 'p')
    for (const cost of [
      'memory=9999999 passes=1 lanes=1',
      'memory=65536 passes=17 lanes=1',
      'memory=65536 passes=0 lanes=1',
      'memory=65536 passes=1 lanes=0',
      'memory=8 passes=1 lanes=2',
    ])
      assert.throws(() => sealed(cost), { code: 'KEY_INVALID' }, cost)
    const later = 'rootcellar device key, version 3\n'
    assert.throws(() => parseKeyFile(later, 'device', 'p'), { code: 'VERSION_UNKNOWN' })
    assert.throws(() => parseKeyFile('something\n', 'device', 'p'), { code: 'KEY_INVALID' })
  })
})
