/** The page: navigation, what the link to the node is like, and one screen. */

import { useEffect, useRef } from 'preact/hooks'
import { useLive } from './live.ts'
import { Screen } from './parts/screen.tsx'
import { Toasts } from './parts/toast.tsx'
import { usePlace } from './router.ts'
import { SCREENS } from './screens.ts'
import { LinkState } from './shell/link-state.tsx'
import { Nav } from './shell/nav.tsx'
import { SignedOut } from './shell/signed-out.tsx'

/** The whole page. */
export function App() {
  const { link } = useLive()
  const place = usePlace()
  const name = place.path[0] ?? ''
  const entry = SCREENS.find((one) => one.name === name)
  useFocusAtNewScreen(name)
  if (link === 'out') return <SignedOut />
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Nav current={name} />
      <main id="main" tabIndex={-1}>
        <LinkState />
        {entry === undefined ? (
          <Screen title="Not here" sentence="There is no such screen." todo={<a href="#/">Go home</a>} />
        ) : (
          <entry.screen place={place} />
        )}
      </main>
      <Toasts />
    </>
  )
}

/** The address is the router's: skipping moves the focus only. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

/** Another screen begins at its top, and a screen reader begins with its heading. */
function useFocusAtNewScreen(name: string): void {
  const before = useRef(name)
  useEffect(() => {
    if (before.current === name) return
    before.current = name
    window.scrollTo(0, 0)
    document.querySelector<HTMLElement>('main h1')?.focus()
  }, [name])
}
