import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cellarProgram } from '../tools/cellar.ts'
import { projectRoot } from '../tools/project.ts'
import type { ToldPart } from '../tools/tell-compiled-child.ts'

const preload = join(projectRoot, 'dist', 'test', 'tools', 'tell-compiled-child.js')

describe('the launcher', function () {
  this.timeout(60_000)
  let base: string
  let bundle: string
  let compiled: string

  /** Runs `cellar snapshots`, which opens a node. */
  function run(): readonly ToldPart[] {
    const args = [
      '--import',
      preload,
      join(bundle, 'cellar.js'),
      '--home',
      join(base, 'home'),
      '--json',
      'snapshots',
    ]
    const env = { ...process.env, NODE_OPTIONS: '', NODE_V8_COVERAGE: '' }
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env })
    assert.equal(status, 0, stderr)
    assert.equal(stdout, '[]\n')
    return JSON.parse(stderr) as ToldPart[]
  }
  const partsWith = (parts: readonly ToldPart[], state: ToldPart['compiled']): readonly string[] =>
    parts.filter(({ compiled: found }) => found === state).map(({ name }) => name)

  before(() => {
    base = mkdtempSync(join(tmpdir(), 'cellar-launcher-'))
    // beside its packages, and where nobody else sees it change
    bundle = join(base, 'dist', 'bundle')
    for (const part of ['bundle', 'node'])
      cpSync(join(dirname(dirname(cellarProgram)), part), join(base, 'dist', part), { recursive: true })
    symlinkSync(join(projectRoot, 'node_modules'), join(base, 'node_modules'))
    cpSync(join(projectRoot, 'package.json'), join(base, 'package.json'))
    compiled = join(bundle, 'compiled', `${process.version}-${process.platform}-${process.arch}`)
    execFileSync(process.execPath, [
      join(bundle, 'cellar.js'),
      '--home',
      join(base, 'home'),
      'init',
      '--no-recovery',
    ])
  })
  after(() => {
    rmSync(base, { recursive: true, force: true })
  })

  it('takes what Node made of every part when the program was built', () => {
    const parts = run()
    assert.ok(parts.length > 10, 'the program falls into parts')
    assert.deepEqual(partsWith(parts, 'none'), [])
    assert.deepEqual(partsWith(parts, 'refused'), [])
  })

  it('takes nothing of a part in which a bit is wrong, nor what is cut off or of other code', () => {
    const names = [
      'main.js',
      ...readdirSync(compiled)
        .filter((name) => name !== 'main.js')
        .slice(0, 3),
    ]
    const whole = names.map((name) => readFileSync(join(compiled, name)))
    const [flipped = '', cut = '', empty = '', other = ''] = names
    const bytes = Buffer.from(whole[0]!)
    bytes[bytes.length >> 1]! ^= 4
    writeFileSync(join(compiled, flipped), bytes)
    writeFileSync(join(compiled, cut), whole[1]!.subarray(0, -1))
    writeFileSync(join(compiled, empty), '')
    // of the very same length, which is all that Node looks at
    const code = readFileSync(join(bundle, other), 'utf8')
    writeFileSync(join(bundle, other), code.replace('var ', 'let '))
    const loaded = run()
    const without = names.filter((name) => loaded.some((part) => part.name === name))
    assert.ok(without.includes('main.js'))
    assert.deepEqual(partsWith(loaded, 'none').toSorted(), without.toSorted())
    for (const [at, name] of names.entries()) writeFileSync(join(compiled, name), whole[at]!)
    writeFileSync(join(bundle, other), code)
    assert.deepEqual(partsWith(run(), 'none'), [])
  })

  it('runs without, as with another Node', () => {
    rmSync(compiled, { recursive: true })
    const parts = run()
    assert.equal(partsWith(parts, 'none').length, parts.length)
    assert.ok(!existsSync(compiled), 'it makes none itself')
  })
})
