// Puts the program together into few files (dist/bundle), from its sources: a command that opens some hundred files
// before it begins is slow to answer. Types are not looked at here: who only installs need not wait for that.
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Threads, by their module; each is an entry of its own. */
const workers = { 'node/backup/worker': 'backup-worker', 'node/restore/worker': 'restore-worker' }

/** A module asks where it lies to find what lies beside it: in the bundle too it means where it is compiled to. */
const ownPlace = {
  name: 'own-place',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const own = relative(at('.'), path)
      if (!/^(?:cli|node|storage|protocol)\//.test(own)) return undefined
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      const place = JSON.stringify(`../${own.replace(/\.ts$/, '.js')}`)
      return {
        contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`),
        loader: 'ts',
      }
    })
  },
}

/**
 * Of the database only the native part is found where it was installed: what is around it, a score of small files, each
 * of which takes a command time to open, goes into the bundle.
 */
const nativeOnly = {
  name: 'native-only',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/binding$/ }, ({ importer }) =>
      /\/node_modules\/classic-level\//.test(importer)
        ? { path: 'classic-level/binding.js', external: true }
        : undefined,
    )
  },
}

/** How everything is compiled: to what Node loads at once, and not to modules, which it loads one after the other. */
const compiled = {
  outdir: at('dist/bundle'),
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  define: { 'import.meta.url': '__url' },
}

/** How everything is put together. */
const options = {
  ...compiled,
  bundle: true,
  legalComments: 'linked',
  // Native parts, and what they bring along, are found where they were installed.
  external: ['koffi', 'zstd-napi', 'zstd-napi/*', '@bokuweb/zstd-wasm', 'assemblyscript', 'tsx'],
  plugins: [ownPlace, nativeOnly],
}

/**
 * Bundles the program. Threads share no code with the program, not even on the disk: what two share is
 * a file of its own, and each file takes a command time to open.
 */
export async function bundle() {
  rmSync(at('dist/bundle'), { recursive: true, force: true })
  const define = { ...compiled.define, BUNDLED_WORKERS: JSON.stringify(workers) }
  await bundleProgram({ BUNDLED_WORKERS: define.BUNDLED_WORKERS })
  const url = { js: "const __url=require('node:url').pathToFileURL(__filename).href;" }
  const threads = Object.entries(workers).map(([module, name]) => [name, at(`${module}.ts`)])
  await build({ ...options, define, banner: url, entryPoints: Object.fromEntries(threads) })
  await build({ ...options, entryPoints: { cellar: at('cli/launcher.ts') } })
  writeFileSync(at('dist/bundle/package.json'), '{"type":"commonjs"}\n')
}

/** The program falls into parts that are loaded when they are needed; only modules can be split so: those first. */
async function bundleProgram(define) {
  const modules = at('dist/bundle/modules')
  const program = { main: at('cli/main.ts') }
  await build({ ...options, define, format: 'esm', splitting: true, outdir: modules, entryPoints: program })
  const parts = readdirSync(modules).filter((name) => name.endsWith('.js'))
  const entryPoints = parts.map((name) => `${modules}/${name}`)
  const supported = { 'dynamic-import': false }
  await build({ ...compiled, supported, outbase: modules, entryPoints })
  rmSync(modules, { recursive: true })
}
