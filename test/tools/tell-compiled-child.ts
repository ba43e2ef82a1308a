/** Loaded before the program (`--import`): prints, when it ends, of which parts it was given what was compiled before. */

import { basename } from 'node:path'
import vm from 'node:vm'

/** One part of the program. */
export interface ToldPart {
  readonly name: string
  /** `refused`: Node would not have it; `none`: the launcher gave none. */
  readonly compiled: 'taken' | 'refused' | 'none'
}

const told: ToldPart[] = []

vm.Script = class extends vm.Script {
  constructor(code: string, options: vm.ScriptOptions) {
    super(code, options)
    const compiled =
      options.cachedData === undefined ? 'none' : this.cachedDataRejected === true ? 'refused' : 'taken'
    told.push({ name: basename(options.filename ?? ''), compiled })
  }
}

process.on('exit', () => {
  console.error(JSON.stringify(told))
})
