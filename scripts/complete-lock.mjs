// Names in package-lock.json the optional packages of other systems that a registry did not offer when it was written.
// Without them `npm ci` refuses the lock file. They are not fetched where their system does not fit.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = fileURLToPath(new URL('../package-lock.json', import.meta.url))
const lock = JSON.parse(readFileSync(path, 'utf8'))

const systems = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
  'aix',
]
const processors = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'x64',
  'wasm32',
]

/** What a package is for, read from its name: `@scope/binding-linux-x64-musl`. */
function platformOf(name) {
  const system = systems.find((it) => name.includes(it)) ?? (name.includes('wasi') ? 'wasi' : undefined)
  const processor = processors.find((it) => new RegExp(`[-_/]${it}(?![0-9])`).test(name))
  if (system === undefined || processor === undefined) return undefined
  const libc = /musl/.test(name) ? ['musl'] : /gnu/.test(name) && system === 'linux' ? ['glibc'] : undefined
  return { cpu: [processor], ...(libc && { libc }), os: [system] }
}

const added = []
for (const [at, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const isThere = `node_modules/${name}` in lock.packages || `${at}/node_modules/${name}` in lock.packages
    const platform = platformOf(name)
    if (isThere || platform === undefined || !/^\d/.test(version)) continue
    const isDev = entry.dev === true ? { dev: true } : {}
    lock.packages[`node_modules/${name}`] = { version, ...platform, ...isDev, optional: true }
    added.push(name)
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`)
process.stdout.write(`${added.length} added: ${added.join(' ')}\n`)
