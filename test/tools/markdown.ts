/** What tests read in documents: blocks in fences, links, and which lines are neither. */

import { projectText } from './project.ts'

/** A block between two lines of three backticks. */
export interface Fence {
  readonly path: string
  /** Of its first backticks, from 1. */
  readonly line: number
  /** First word behind the backticks; empty when there is none. */
  readonly language: string
  /** `name=value` and `name="value"` behind the language. */
  readonly attributes: ReadonlyMap<string, string>
  readonly lines: readonly string[]
}

/** A link, with what a reader is shown. */
export interface Link {
  readonly path: string
  readonly line: number
  readonly text: string
  readonly target: string
  /** What stands in quotes behind the target: for a test, its title. */
  readonly title: string | undefined
}

/** All blocks in fences of one document, in order. A fence that is never closed ends with the document. */
export function fencesOf(path: string, text = projectText(path)): Fence[] {
  const fences: Fence[] = []
  let open: (Fence & { readonly lines: string[] }) | undefined
  for (const [n, line] of text.split('\n').entries()) {
    const mark = /^```(\S*)(.*)$/.exec(line)
    if (mark === null) open?.lines.push(line)
    else if (open === undefined) {
      const [, language = '', rest = ''] = mark
      const attributes = new Map(
        [...rest.matchAll(/([\w-]+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, plain]) => [
          name,
          quoted ?? plain ?? '',
        ]),
      )
      open = { path, line: n + 1, language, attributes, lines: [] }
    } else {
      fences.push(open)
      open = undefined
    }
  }
  return open === undefined ? fences : [...fences, open]
}

/** A document line by line, what stands in fences left empty. */
export function linesOutside(path: string, text = projectText(path)): string[] {
  let isInside = false
  return text.split('\n').map((line) => {
    const isMark = line.startsWith('```')
    if (isMark) isInside = !isInside
    return isMark || isInside ? '' : line
  })
}

/** All links outside of fences and of backticks. */
export function linksOf(path: string, text = projectText(path)): Link[] {
  return linesOutside(path, text).flatMap((line, n) =>
    [...line.replace(/`[^`]*`/g, (code) => code.replace(/[[\]()]/g, ' ')).matchAll(LINK)].map(
      ([, shown = '', target = '', title]) => ({ path, line: n + 1, text: shown, target, title }),
    ),
  )
}

const LINK = /\[([^\]]*)\]\(([^)\s]+)(?:\s+"([^"]*)")?\)/g
