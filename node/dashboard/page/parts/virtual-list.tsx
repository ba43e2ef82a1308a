/** Rows of one height of which only those in sight are drawn; for lists that may be a million long. */

import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

const rowsBeyond = 8

/** What a list takes. */
export interface VirtualListProps<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** All rows are as high, pixels. */
  readonly rowHeight: number
  readonly draw: (row: Row, index: number) => ComponentChildren
  /** Called when the end comes into sight, for the next page. */
  readonly onEnd?: (() => void) | undefined
  /** Stands below the last row: that more is asked for, say. */
  readonly after?: ComponentChildren
}

/** A list that scrolls with the page. */
export function VirtualList<Row>(props: VirtualListProps<Row>) {
  const { rows, rowHeight, onEnd } = props
  const at = useRef<HTMLUListElement>(null)
  const [seen, setSeen] = useState({ first: 0, last: 40 })
  const look = (): void => {
    const top = at.current?.getBoundingClientRect().top ?? 0
    const first = Math.max(0, Math.floor(-top / rowHeight) - rowsBeyond)
    const last = Math.ceil((window.innerHeight - top) / rowHeight) + rowsBeyond
    setSeen((old) => (old.first === first && old.last === last ? old : { first, last }))
  }
  useLayoutEffect(look)
  useEffect(() => {
    window.addEventListener('scroll', look, { passive: true })
    window.addEventListener('resize', look)
    return () => {
      window.removeEventListener('scroll', look)
      window.removeEventListener('resize', look)
    }
  }, [rowHeight])
  const isEnd = seen.last >= rows.length
  useEffect(() => {
    if (isEnd) onEnd?.()
  }, [isEnd, rows.length])
  const shown = rows.slice(seen.first, seen.last)
  return (
    <>
      <ul
        ref={at}
        class="virtual"
        aria-label={props.label}
        style={{
          paddingTop: `${String(seen.first * rowHeight)}px`,
          minHeight: `${String(rows.length * rowHeight)}px`,
        }}
      >
        {shown.map((row, index) => (
          <li
            key={props.keyOf(row)}
            style={{ height: `${String(rowHeight)}px` }}
            aria-setsize={rows.length}
            aria-posinset={seen.first + index + 1}
          >
            {props.draw(row, seen.first + index)}
          </li>
        ))}
      </ul>
      {props.after}
    </>
  )
}
