/**
 * Texts with places to fill in, as the settings write them: `{{name}}`, `{{#name}}only when there is one{{/name}}`,
 * `{{^name}}only when there is none{{/name}}`. Pure. The words are those of mustache, and nothing else of it.
 */

import { CellarError } from '../../protocol/index.ts'
import { FIELDS, type FieldName, type FieldValues } from './tiding.ts'

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: FieldName }
  | {
      readonly kind: 'section'
      readonly name: FieldName
      readonly isInverted: boolean
      readonly parts: readonly Part[]
    }

/** A text that was read. */
export interface Template {
  readonly parts: readonly Part[]
}

/** How a value is written where it stands. */
export type Escape = (value: string) => string

const TAG = /\{\{\s*([#^/]?)\s*([^{}\s]*)\s*\}\}/g

/**
 * Reads a template.
 *
 * @throws {CellarError} `CONFIG_INVALID` for a name that does not exist, or a section that does not end
 */
export function parseTemplate(text: string): Template {
  const open: { readonly name: FieldName; readonly isInverted: boolean; readonly parts: Part[] }[] = []
  const top: Part[] = []
  const into = () => open.at(-1)?.parts ?? top
  let at = 0
  for (const match of text.matchAll(TAG)) {
    const [tag, sign = '', word = ''] = match
    if (match.index > at) into().push({ kind: 'text', text: text.slice(at, match.index) })
    at = match.index + tag.length
    const name = fieldName(word)
    if (sign === '') into().push({ kind: 'field', name })
    else if (sign === '/') {
      const section = open.pop()
      if (section?.name !== name)
        throw new CellarError('CONFIG_INVALID', `"{{/${word}}}" ends nothing that began before it`)
      into().push({ kind: 'section', ...section })
    } else open.push({ name, isInverted: sign === '^', parts: [] })
  }
  const left = open.at(-1)
  if (left !== undefined) throw new CellarError('CONFIG_INVALID', `"{{#${left.name}}}" is never ended`)
  if (at < text.length) top.push({ kind: 'text', text: text.slice(at) })
  return { parts: top }
}

function fieldName(word: string): FieldName {
  if (Object.hasOwn(FIELDS, word)) return word as FieldName
  const names = Object.keys(FIELDS).join(', ')
  throw new CellarError('CONFIG_INVALID', `there is nothing called "${word}" to fill in (there are ${names})`)
}

/** Fills a template in. */
export function renderTemplate({ parts }: Template, values: FieldValues, escape: Escape): string {
  return parts.map((part) => renderPart(part, values, escape)).join('')
}

function renderPart(part: Part, values: FieldValues, escape: Escape): string {
  if (part.kind === 'text') return part.text
  const value = values[part.name]
  if (part.kind === 'field') return escape(value)
  return (value === '') === part.isInverted ? renderTemplate(part, values, escape) : ''
}

/** Reads and fills in at once. @throws {CellarError} `CONFIG_INVALID` */
export function fillIn(text: string, values: FieldValues, escape: Escape): string {
  return renderTemplate(parseTemplate(text), values, escape)
}

/** As it is, but without what would end a line of a terminal or begin a command of it. */
export const plain: Escape = (value) => value.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ' ')

/** Between the quotes of a JSON text. */
export const inJson: Escape = (value) => JSON.stringify(value).slice(1, -1)

/** As one part of an address of the web, or of a form. */
export const inUrl: Escape = (value) => encodeURIComponent(value.toWellFormed())

/** In HTML and XML, also between quotes. */
export const inHtml: Escape = (value) =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')

/** In a header: one line; what is not ASCII as RFC 2047 writes it, which ntfy and mail read. */
export const inHeader: Escape = (value) => {
  const line = value.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return /^[\u0020-\u007e]*$/.test(line) ? line : `=?UTF-8?B?${Buffer.from(line).toString('base64')}?=`
}

/** How values are written in a body of a content type; without one, a body that looks like JSON is JSON. */
export function escapeFor(contentType: string | undefined, body: string): Escape {
  const type = contentType?.toLowerCase() ?? (/^\s*[[{](?!\{)/.test(body) ? 'application/json' : 'text/plain')
  if (/[/+]json\b/.test(type)) return inJson
  if (type.startsWith('application/x-www-form-urlencoded')) return inUrl
  if (/\b(html|xml)\b/.test(type)) return inHtml
  return plain
}
