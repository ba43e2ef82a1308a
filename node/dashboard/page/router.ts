/** Where the page is: the part of the address behind `#`, which no server sees and which Back and Forward know. */

import { hrefOf, parsePlace, type Place } from './place.ts'
import { Store, useStore } from './store.ts'

export { hrefOf, type Place } from './place.ts'

const here = new Store<Place>(parsePlace(window.location.hash))

/** Follows the address; once, when the page begins. */
export function startRouter(): void {
  window.addEventListener('hashchange', () => {
    here.set(parsePlace(window.location.hash))
  })
}

/** The place the page is at. */
export function usePlace(): Place {
  return useStore(here)
}

/** Goes somewhere; with `replace` Back does not come here again. */
export function goTo(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
  { replace = false }: { readonly replace?: boolean } = {},
): void {
  const href = hrefOf(path, query)
  if (!replace) {
    window.location.hash = href
    return
  }
  window.history.replaceState(null, '', href)
  here.set(parsePlace(href))
}
