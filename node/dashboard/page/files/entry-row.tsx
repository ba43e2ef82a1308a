/** One entry of a directory, or of what was found: its name leads to it. */

import type { ComponentChildren } from 'preact'
import type { NodeInfo } from '../../../api.ts'
import { Icon } from '../parts/icon.tsx'
import { kindText } from './words.ts'

/** Of each row, pixels. */
export const rowHeight = 60

/** A row of two lines. @param facts - the second */
export function EntryRow(props: {
  readonly entry: Pick<NodeInfo, 'name' | 'type' | 'linktarget'>
  readonly href: string
  readonly facts: ComponentChildren
}) {
  const { entry, href, facts } = props
  return (
    <div class={`entry ${entry.type}`}>
      <Icon name={entry.type === 'dir' ? 'files' : 'file'} />
      <div>
        <a href={href} title={entry.name}>
          {entry.name}
          <span class="unseen">, {kindText(entry)}</span>
        </a>
        <p class="hint">{facts}</p>
      </div>
    </div>
  )
}
