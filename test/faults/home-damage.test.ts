/** Damage to keys, settings and catalog of a home: refused in clear words, nothing destroyed or begun anew. */

import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Device } from '../tools/cellar.ts'
import { backUp, checkAll, failedWith, Household, restoreSame, snapshotsOf } from '../tools/household.ts'

/** Writes the same bytes into every file of a directory. */
function garble(directory: string, bytes: Uint8Array): void {
  for (const name of readdirSync(directory)) writeFileSync(join(directory, name), bytes)
}

describe('damage to the small files of a home', function () {
  this.timeout(240_000)
  let house: Household
  let device: Device
  let source: string
  const at = (name: string) => join(device.home, name)

  before(async () => {
    house = new Household()
    source = house.path('documents')
    mkdirSync(source)
    writeFileSync(join(source, 'letter'), 'dear reader')
    device = house.device('desktop')
    await device.init()
    await backUp(device, source)
  })
  after(() => house[Symbol.asyncDispose]())

  /** What was damaged is put back, and all is as before: nothing else was touched. */
  async function isWholeAgain(): Promise<void> {
    assert.equal((await snapshotsOf(device)).length, 1)
    await checkAll(device)
  }

  /** Each of these must be refused. @returns what was said */
  async function refused(status: number, code: string): Promise<string> {
    let said = ''
    for (const command of [['snapshots'], ['backup', source], ['start']]) {
      const finished = await device.try('--json', ...command)
      assert.equal(failedWith(finished, status), code)
      said = finished.stderr
    }
    return said
  }

  for (const name of ['device.key', 'vault.key']) {
    it(`${name} that others can read is refused`, async () => {
      chmodSync(at(name), 0o644)
      assert.match(await refused(1, 'KEY_MODE'), new RegExp(name))
      chmodSync(at(name), 0o600)
      await isWholeAgain()
    })

    for (const [what, bytes] of [
      ['garbled', Buffer.from('rootcellar key? no\nAAAA\n')],
      ['empty', Buffer.alloc(0)],
      ['cut short', undefined],
    ] as const) {
      it(`${name} that is ${what} is refused`, async () => {
        const kept = readFileSync(at(name))
        writeFileSync(at(name), bytes ?? kept.subarray(0, kept.length - 9))
        const said = await refused(1, 'KEY_INVALID')
        assert.match(said, new RegExp(name))
        assert.ok(!said.includes(kept.toString('utf8').split('\n')[1] ?? ''), 'the key is in the message')
        writeFileSync(at(name), kept)
        await isWholeAgain()
      })
    }
  }

  it('without device.key there is no mesh here, and nothing is begun anew', async () => {
    renameSync(at('device.key'), at('away'))
    await refused(10, 'NO_MESH')
    renameSync(at('away'), at('device.key'))
    await isWholeAgain()
  })

  it('without vault.key a reader opens its box in the membership log (keys.md §2)', async () => {
    renameSync(at('vault.key'), at('away'))
    await restoreSame(device, 'latest', source, house.path('by-the-box'))
    renameSync(at('away'), at('vault.key'))
    await isWholeAgain()
  })

  for (const [what, text, named] of [
    ['a setting that is none', 'liste = ["127.0.0.1:0"]\n', /liste/],
    ['a value of the wrong kind', 'mdns = "yes"\n', /mdns/],
    ['what is no TOML', 'listen = [\nmdns\n', /line [12]/],
  ] as const) {
    it(`config.toml with ${what} is refused, and named`, async () => {
      const kept = readFileSync(at('config.toml'))
      writeFileSync(at('config.toml'), text)
      assert.match(await refused(2, 'CONFIG_INVALID'), named)
      writeFileSync(at('config.toml'), kept)
      await isWholeAgain()
    })
  }

  for (const [what, bytes] of [
    ['garbled', Buffer.from('no catalog')],
    ['empty', Buffer.alloc(0)],
  ] as const) {
    it(`a catalog of ${what} files is refused in clear words, and nothing is destroyed`, async () => {
      cpSync(at('state'), at('kept'), { recursive: true })
      garble(at('state'), bytes)
      const finished = await device.try('--json', 'backup', source)
      assert.match(failedWith(finished, 1), /^(STORE_DAMAGED|MEMBERSHIP_INVALID)$/)
      assert.doesNotMatch(finished.stderr, /\bat .*\.js:/)
      rmSync(at('state'), { recursive: true })
      renameSync(at('kept'), at('state'))
      await isWholeAgain()
    })
  }

  it('a lost catalog is told of in clear words, and no chunk is destroyed', async () => {
    renameSync(at('state'), at('kept'))
    const finished = await device.try('--json', 'snapshots')
    assert.equal(failedWith(finished, 1), 'STATE_LOST')
    assert.doesNotMatch(finished.stderr, /\bat .*\.js:/)
    rmSync(at('state'), { recursive: true, force: true })
    renameSync(at('kept'), at('state'))
    await isWholeAgain()
  })
})
