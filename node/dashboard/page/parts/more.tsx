/** What stands below a list that is longer than what is shown. */

import { Button } from './button.tsx'

/** Asks for the next page; nothing where there is none. */
export function More(props: {
  readonly list: { readonly hasMore: boolean; readonly isAsking: boolean; readonly more: () => void }
  /** What the button says. */
  readonly words: string
}) {
  const { hasMore, isAsking, more } = props.list
  if (!hasMore) return null
  return (
    <p class="more">
      <Button onClick={more} busy={isAsking}>
        {props.words}
      </Button>
    </p>
  )
}
