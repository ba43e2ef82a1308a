// Runs the commands that are given most, on files of its own, so that what Node makes of the program is kept beside it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Forgets have something to remove, and at once. */
const withoutWaiting = 'hold_window = "0s"\nfloor_age = "0s"\nfloor_newest = 0\n'

/** Without what would change what a command does, or the flags of Node: the next process begins without. */
const plainEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CELLAR_|NODE_OPTIONS$)/.test(name)))

/** For the Node that runs this; another one compiles for itself. Where it cannot, the program begins more slowly. */
export function compileAhead() {
  try {
    runCommands()
  } catch (error) {
    console.warn(`commands will begin more slowly: ${error.message}`)
  }
}

function runCommands() {
  const directory = mkdtempSync(join(tmpdir(), 'cellar-build-'))
  const [home, source, target] = ['home', 'source', 'target'].map((name) => join(directory, name))
  const cellar = (...args) => {
    const program = [
      '--require',
      at('scripts/keep-compiled.cjs'),
      at('dist/bundle/cellar.js'),
      '--home',
      home,
      ...args,
    ]
    execFileSync(process.execPath, program, {
      env: plainEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  try {
    cellar('init', '--name', 'build', '--no-recovery')
    const settings = join(home, 'config.toml')
    writeFileSync(settings, withoutWaiting + readFileSync(settings, 'utf8'))
    mkdirSync(source)
    for (const text of ['one', 'two']) {
      for (let n = 0; n < 200; n++) writeFileSync(join(source, `${n}.txt`), `${text} ${n} `.repeat(n * 20))
      cellar('backup', source)
    }
    cellar('forget', '--keep-last', '1', '--prune')
    for (const command of ['snapshots', 'status', 'check', 'version']) cellar(command)
    cellar('ls', 'latest')
    cellar('restore', 'latest', '--target', target)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
