/** A table that becomes a list of cards where there is little width; every cell knows the name of its column. */

import type { ComponentChildren } from 'preact'

/** One column of rows of a kind. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => ComponentChildren
  /** Numbers stand at the right; the main one is the head of its row, and of its card. */
  readonly kind?: 'number' | 'main' | 'actions'
}

/** What a table takes. */
export interface TableProps<Row> {
  /** Says what it is, for who cannot see what is around it. */
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}

/** A table. For thousands of rows take `VirtualList`. */
export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>) {
  return (
    <table class="table">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ title, kind }) => (
            <th key={title} scope="col" class={kind}>
              {kind === 'actions' ? <span class="unseen">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, kind, cell }) =>
              kind === 'main' ? (
                <th key={title} scope="row" class="main">
                  {cell(row)}
                </th>
              ) : (
                <td key={title} class={kind} data-title={title}>
                  {cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
