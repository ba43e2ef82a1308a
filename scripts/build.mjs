// Compiles the sources to dist/, the chunker to WebAssembly first (its bytes are read at run time).
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: at('.'), stdio: 'inherit' })

mkdirSync(at('dist/node/backup'), { recursive: true })
if (existsSync(at('node/backup/assembly/gear.ts'))) {
  run('node_modules/assemblyscript/bin/asc.js', 'node/backup/assembly/gear.ts', '-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '-o', 'dist/node/backup/gear.wasm')
}
run('node_modules/typescript/bin/tsc', '-p', '.')
if (existsSync(at('dist/cli/main.js'))) chmodSync(at('dist/cli/main.js'), 0o755)
