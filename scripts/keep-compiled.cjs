// Loaded before the program (--require): keeps what Node makes of its parts while it runs, for the launcher
// (cli/launcher.ts). What a command needs is made when it is first called, so it is taken when the command ends.
const { createHash } = require('node:crypto')
const { mkdirSync, renameSync, writeFileSync } = require('node:fs')
const { basename, dirname, join } = require('node:path')
const { pathToFileURL } = require('node:url')
const v8 = require('node:v8')
const vm = require('node:vm')
const { isMainThread } = require('node:worker_threads')

const bundle = dirname(process.argv[1] ?? '')
const isPart = (filename = '') => filename.startsWith(`${pathToFileURL(bundle).href}/`)
const directory = join(bundle, 'compiled', `${process.version}-${process.platform}-${process.arch}`)
const scripts = []

vm.Script = class extends vm.Script {
  constructor(code, options) {
    super(code, options)
    if (isPart(options?.filename)) scripts.push({ name: basename(options.filename), code, script: this })
  }
}

process.on('exit', (status) => {
  if (!isMainThread || status !== 0) return
  // What was made under other flags than those the next process begins with is refused by it (node/adapters/memory.ts).
  v8.setFlagsFromString('--heap-growing-percent=0')
  mkdirSync(directory, { recursive: true })
  for (const { name, code, script } of scripts) {
    const path = join(directory, name)
    const compiled = script.createCachedData()
    const digest = createHash('sha256').update(code).update(compiled).digest()
    writeFileSync(`${path}.new`, Buffer.concat([digest, compiled]))
    renameSync(`${path}.new`, path)
  }
})
