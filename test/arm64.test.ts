/**
 * What runs on a Raspberry Pi, looked up on any machine: each package with a native part is locked with its part for
 * Linux on arm64, or there is something in its place that is not native.
 */

import assert from 'node:assert/strict'
import { isInProject, projectText } from './tools/project.ts'

/** A package in the lock file. */
interface Locked {
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Packages that want to compile or fetch something when they are installed, and what arm64 has of them without that: a
 * package of its own, a file that comes along, or another package that does the same in WebAssembly.
 */
const BUILT: Readonly<
  Record<string, { readonly part?: string; readonly file?: string; readonly instead?: string }>
> = {
  'classic-level': { file: 'prebuilds/linux-arm64/classic-level.armv8.node' },
  koffi: { part: '@koromix/koffi-linux-arm64' },
  esbuild: { part: '@esbuild/linux-arm64' },
  'zstd-napi': { instead: '@bokuweb/zstd-wasm' },
}

const { packages } = JSON.parse(projectText('package-lock.json')) as {
  packages: Readonly<Record<string, Locked>>
}
const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '')
const locked = new Map(Object.entries(packages).map(([path, one]) => [nameOf(path), one]))

function isFor(one: Locked | undefined, system: string, processor: string): boolean {
  return one?.os?.includes(system) === true && one.cpu?.includes(processor) === true
}

/** A part for a processor, of all systems' parts of one package. */
function partsFor(one: Locked, processor: string): string[] {
  return Object.keys(one.optionalDependencies ?? {}).filter((name) =>
    isFor(locked.get(name), 'linux', processor),
  )
}

describe('on arm64', () => {
  const inParts = [...locked].filter(([, one]) => partsFor(one, 'x64').length > 0)

  it('is asked for at all', () => {
    assert.ok(inParts.some(([name]) => name === 'koffi'))
  })

  for (const [name, one] of inParts)
    it(`${name} has a part, as on x64`, () => {
      assert.notDeepEqual(partsFor(one, 'arm64'), [])
    })

  for (const [name, one] of [...locked].filter(([, { hasInstallScript }]) => hasInstallScript === true))
    it(`${name} needs nothing compiled`, () => {
      const built = BUILT[name]
      assert.ok(built !== undefined, 'say in this test what arm64 has of it')
      if (built.part !== undefined) assert.ok(partsFor(one, 'arm64').includes(built.part))
      if (built.file !== undefined) assert.ok(isInProject(`node_modules/${name}/${built.file}`))
      if (built.instead !== undefined) {
        // It may be missing, and then the other one, without any native part, is what all installs have.
        assert.equal(one.optional, true)
        const other = locked.get(built.instead)
        assert.ok(other !== undefined && other.hasInstallScript !== true && other.cpu === undefined)
        assert.ok(built.instead in (packages['']?.dependencies ?? {}))
      }
    })
})
