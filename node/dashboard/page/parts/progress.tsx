/** How far something is. */

import { shareText } from './format.ts'

/** A bar; without a share it only says that something goes on. Its words are read out now and then, not at each step. */
export function Progress(props: {
  readonly label: string
  /** 0..1. */
  readonly share?: number | undefined
  /** Beside the bar: what is done, how long it takes. */
  readonly words?: string | undefined
}) {
  return (
    <div class="progress">
      <progress aria-label={props.label} value={props.share} max={1} />
      <span class="number">{props.share === undefined ? '' : shareText(props.share)}</span>
      {props.words !== undefined && <span class="hint">{props.words}</span>}
    </div>
  )
}
