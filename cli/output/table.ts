/** Aligned tables. */

import { displayWidth } from './format.ts'

/** One column: its title, and where its texts stand. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/**
 * Lays out rows under titles, with a rule below the titles; no spaces at line ends.
 *
 * @param rows - one text a column; a cell may have several lines
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = rows.flatMap(rowLines)
  const widths = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...lines.map((line) => displayWidth(line[at] ?? ''))),
  )
  const layOut = (cells: readonly string[]): string =>
    columns
      .map((column, at) => pad(cells[at] ?? '', widths[at] ?? 0, column.align ?? 'left'))
      .join('  ')
      .trimEnd()
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 2 * (columns.length - 1)))
  return [layOut(columns.map((column) => column.title)), rule, ...lines.map(layOut)].join('\n')
}

function rowLines(row: readonly string[]): string[][] {
  const cells = row.map((cell) => cell.split('\n'))
  const height = Math.max(1, ...cells.map((cell) => cell.length))
  return Array.from({ length: height }, (_, line) => cells.map((cell) => cell[line] ?? ''))
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return align === 'left' ? text + space : space + text
}

/** Lays out names and values in two columns, as `status` does. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...facts.map(([name]) => displayWidth(name)))
  return facts
    .map(
      ([name, value]) =>
        `${pad(name, width, 'left')}  ${value.split('\n').join(`\n${' '.repeat(width + 2)}`)}`,
    )
    .join('\n')
}
