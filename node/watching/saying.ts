/** What a person is told of damage: pure. */

import type { RootId } from '../../protocol/index.ts'

/** Snapshots named in one message. */
const namedMax = 5

/** Chunks were damaged and are good again. @param from - of each where from */
export function sayMended(from: readonly ('peer' | 'source')[]): string {
  const ways = [
    ...(from.includes('peer') ? ['from other devices'] : []),
    ...(from.includes('source') ? ['from the files they were made of'] : []),
  ]
  const what = from.length === 1 ? 'a chunk was' : `${String(from.length)} chunks were`
  const how = from.length === 1 ? 'it was' : 'all were'
  return `${what} damaged in the store of this device; ${how} mended ${ways.join(' and ')}`
}

/** Chunks are damaged, and nobody has them. @param broken - snapshots held here that need them */
export function sayLost(chunks: number, broken: readonly RootId[]): string {
  const what = chunks === 1 ? 'a damaged chunk' : `${String(chunks)} damaged chunks`
  const named = broken.slice(0, namedMax).map((root) => root.slice(0, 8))
  const more = broken.length - named.length
  const who = [...named, ...(more > 0 ? [`${String(more)} more`] : [])].join(', ')
  const lack =
    broken.length === 0 ? '' : `; not whole here: ${broken.length === 1 ? 'snapshot' : 'snapshots'} ${who}`
  return `no device in reach has ${what} of the store of this device, and no file gives ${chunks === 1 ? 'it' : 'them'} back${lack}`
}
