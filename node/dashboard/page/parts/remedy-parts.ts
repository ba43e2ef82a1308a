/** Finds commands in a sentence. Pure. */

/** A piece of a sentence. */
export interface RemedyPart {
  readonly text: string
  readonly isCommand: boolean
}

/** Words behind `cellar` that belong to a command: lower case, NAMES to be filled in, and flags. */
const COMMAND = /\bcellar(?: (?:--?[a-z][a-z-]*|[a-z]+(?:-[a-z]+)*|[A-Z][A-Z_]*))+/g

/** What follows a command as words of the sentence. */
const WORDS =
  / (?:a|an|and|or|on|in|of|the|to|for|has|have|says|tells|is|it|goes|again|then|there|with|by|when)\b.*$/

/** The pieces of a text, in order; together they are the text. */
export function remedyParts(text: string): RemedyPart[] {
  const parts: RemedyPart[] = []
  let at = 0
  for (const match of text.matchAll(COMMAND)) {
    const command = match[0].replace(WORDS, '')
    if (match.index > at) parts.push({ text: text.slice(at, match.index), isCommand: false })
    parts.push({ text: command, isCommand: true })
    at = match.index + command.length
  }
  if (at < text.length) parts.push({ text: text.slice(at), isCommand: false })
  return parts
}
