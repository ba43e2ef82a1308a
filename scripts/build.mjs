// Compiles the sources to dist/: the chunker to WebAssembly (its bytes are read at run time), and the program into few
// files. Everything else, tests above all, is compiled by tsc beside it, which takes most of the time: with `--program`,
// as whoever installs needs it, that is left out.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.mjs'
import { compileAhead } from './compile-ahead.mjs'
import { bundleDashboard } from './dashboard.mjs'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: at('.'), stdio: 'inherit' })

/** Removes what was compiled from a file that is gone: a deleted test must not go on running. */
function removeStale(directory) {
  if (!existsSync(at(`dist/${directory}`))) return
  for (const entry of readdirSync(at(`dist/${directory}`), { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) removeStale(path)
    else if (/\.js(\.map)?$/.test(entry.name) && !existsSync(at(path.replace(/\.js(\.map)?$/, '.ts')))) {
      rmSync(at(`dist/${path}`))
    }
  }
}

mkdirSync(at('dist/node/backup'), { recursive: true })
if (existsSync(at('node/backup/assembly/gear.ts'))) {
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory']
  const output = ['-o', 'dist/node/backup/gear.wasm']
  run('node_modules/assemblyscript/bin/asc.js', 'node/backup/assembly/gear.ts', ...flags, ...output)
}
if (!process.argv.includes('--program')) {
  for (const layer of ['protocol', 'storage', 'node', 'cli', 'test']) removeStale(layer)
  run('node_modules/typescript/bin/tsc', '-p', '.')
}
await bundle()
await bundleDashboard()
chmodSync(at('dist/bundle/cellar.js'), 0o755)
compileAhead()
