/** Changes a list in the text of a file: items that stay are left as they were written, with the remarks at them. Pure. */

import { parse } from 'smol-toml'
import { inline } from './format.ts'

/** What becomes of a list. */
interface ListEdit {
  /** Where its items stand, offsets in its text. */
  readonly items: readonly { readonly start: number; readonly end: number }[]
  readonly next: readonly unknown[]
  /** Of the line on which the list begins. */
  readonly indent: string
}

/** One item and what was written about it. */
interface Block {
  /** Remarks on lines of their own before it. */
  readonly above: readonly string[]
  readonly text: string
  /** A remark behind it, on its line. */
  readonly behind: string | undefined
}

/**
 * The list with other items.
 *
 * @param text - from bracket to bracket
 */
export function editedList(text: string, { items, next, indent }: ListEdit): string {
  const { blocks, tail } = blocksOf(text, items)
  const left = new Map(blocks.map((block, at) => [at, { block, value: valueOf(block.text) }]))
  const wanted = next.map((value): Block => {
    const found = [...left].find(([, one]) => JSON.stringify(one.value) === JSON.stringify(value))
    if (found === undefined) return { above: [], text: inline(value), behind: undefined }
    left.delete(found[0])
    return found[1].block
  })
  // A remark above an item that goes may be about those after it, too.
  const orphans = [...left.values()].flatMap(({ block }) => block.above)
  const remarks = [...orphans, ...tail]
  const hasRemarks =
    remarks.length > 0 || wanted.some(({ above, behind }) => above.length > 0 || behind !== undefined)
  if (!hasRemarks && !text.includes('\n')) return `[${wanted.map((block) => block.text).join(', ')}]`
  const inner = innerIndent(text, items) ?? `${indent}  `
  const lines = [
    ...wanted.flatMap((block) => [
      ...block.above,
      `${block.text},${block.behind === undefined ? '' : ` ${block.behind}`}`,
    ]),
    ...remarks,
  ]
  return ['[', ...lines.map((line) => inner + line), `${indent}]`].join('\n')
}

function blocksOf(text: string, items: ListEdit['items']): { blocks: Block[]; tail: readonly string[] } {
  let at = 1
  const blocks = items.map(({ start, end }): Block => {
    const above = remarksIn(text.slice(at, start))
    const behind = /^[ \t]*,?[ \t]*(#[^\n]*)?/.exec(text.slice(end))
    at = end + (behind?.[0].length ?? 0)
    return { above, text: text.slice(start, end), behind: behind?.[1]?.trimEnd() }
  })
  return { blocks, tail: remarksIn(text.slice(at, -1)) }
}

/** Between items there is nothing but blanks, commas and remarks. */
function remarksIn(between: string): string[] {
  return (between.match(/#[^\n]*/g) ?? []).map((remark) => remark.trimEnd())
}

function innerIndent(text: string, items: ListEdit['items']): string | undefined {
  const [first] = items
  return first === undefined ? undefined : /\n([ \t]*)$/.exec(text.slice(0, first.start))?.[1]
}

function valueOf(text: string): unknown {
  return parse(`it = ${text}`)['it']
}
