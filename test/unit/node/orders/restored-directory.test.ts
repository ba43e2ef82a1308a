import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  isStillThere,
  makeRestoredDirectory,
  restoresDirectory,
} from '../../../../node/adapters/restored-directory.ts'

describe('a directory for an order', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'cellar-orders-'))
  })
  afterEach(() => {
    rmSync(base, { recursive: true })
  })

  it('is made with those above it, for its owner only (Z2.1)', () => {
    const below = join(base, 'a', 'Restored')
    const { path } = makeRestoredDirectory(below, 'photos')
    assert.equal(path, join(below, 'photos'))
    for (const one of [path, below]) assert.equal(lstatSync(one).mode & 0o777, 0o700)
  })

  it('is always new: whatever has its name stays as it is (Z2.2)', () => {
    mkdirSync(join(base, 'photos'))
    writeFileSync(join(base, 'photos-2'), 'mine')
    symlinkSync('/etc', join(base, 'photos-3'))
    symlinkSync(join(base, 'nowhere'), join(base, 'photos-4'))
    const { path } = makeRestoredDirectory(base, 'photos')
    assert.equal(path, join(base, 'photos-5'))
    assert.equal(readlinkSync(join(base, 'photos-3')), '/etc')
    assert.deepEqual(readdirSync(join(base, 'photos')), [])
    assert.equal(lstatSync(join(base, 'nowhere'), { throwIfNoEntry: false }), undefined)
  })

  it('is never outside, whatever is wished for (Z2.1)', () => {
    for (const wish of ['..', '../out', '/tmp/out', '../../../etc/cron.d', '.ssh', 'a/b', '\0', '~root'])
      assert.equal(join(makeRestoredDirectory(base, wish).path, '..'), base, JSON.stringify(wish))
  })

  it('is not made where a file is in the way of those above it', () => {
    writeFileSync(join(base, 'file'), '')
    assert.throws(() => makeRestoredDirectory(join(base, 'file', 'Restored'), 'x'), { code: 'TARGET_UNSAFE' })
  })

  it('is known again, and nothing else in its place (Z2.3)', () => {
    const made = makeRestoredDirectory(base, 'photos')
    assert.equal(isStillThere(made), true)
    renameSync(made.path, join(base, 'moved'))
    assert.equal(isStillThere(made), false, 'gone')
    mkdirSync(made.path)
    assert.equal(isStillThere(made), false, 'another directory')
    rmSync(made.path, { recursive: true })
    symlinkSync(join(base, 'moved'), made.path)
    assert.equal(isStillThere(made), false, 'a link to the very one')
  })

  it('is below the home of the person, where the settings say so', () => {
    assert.equal(restoresDirectory('~/Restored'), join(homedir(), 'Restored'))
    assert.equal(restoresDirectory('/srv/restored'), '/srv/restored')
    assert.equal(restoresDirectory('~'), homedir())
  })
})
