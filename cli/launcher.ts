#!/usr/bin/env node
/**
 * Starts the program that was put together (scripts/bundle.mjs), with what Node made of its code when it was built: to
 * make that anew takes longer than most commands have to do.
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { constants, Script } from 'node:vm'

/** What a part is given: the names it finds around it. */
type Part = (
  exports: object,
  require: (id: string) => unknown,
  module: { exports: object },
  url: string,
) => void

/** Of this very Node: another one could not read it. */
const compiledDirectory = join(
  __dirname,
  'compiled',
  `${process.version}-${process.platform}-${process.arch}`,
)

const installed = createRequire(__filename)
const parts = new Map<string, { exports: object }>()

/** What a part of the program offers; loaded when it is first asked for. */
function load(name: string): object {
  const known = parts.get(name)
  if (known !== undefined) return known.exports
  const module = { exports: {} }
  parts.set(name, module)
  const path = join(__dirname, name)
  const url = pathToFileURL(path).href
  const code = `(function(exports,require,module,__url){${readFileSync(path, 'utf8')}\n})`
  const cachedData = compiledOf(name, code)
  const script = new Script(code, {
    filename: url,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  ;(script.runInThisContext() as Part)(module.exports, find, module, url)
  return module.exports
}

/** Another part, or a package or module of Node. */
function find(id: string): unknown {
  return id.startsWith('./') ? load(basename(id)) : installed(id)
}

/**
 * What was made of a part: first the SHA-256 of its code and of what follows. Node believes what it is given, and one
 * wrong bit there ends the process, or worse; whether it was made under the same flags it looks itself.
 */
function compiledOf(name: string, code: string): Buffer | undefined {
  let kept: Buffer
  try {
    kept = readFileSync(join(compiledDirectory, name))
  } catch {
    return undefined // built by another Node: slower, and the same
  }
  const compiled = kept.subarray(32)
  const digest = createHash('sha256').update(code).update(compiled).digest()
  return digest.equals(kept.subarray(0, 32)) ? compiled : undefined
}

load('main.js')
