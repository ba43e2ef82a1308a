/** The way around: a rail at the side, on a small screen a line at the top that opens. */

import { useEffect, useState } from 'preact/hooks'
import { useLive } from '../live.ts'
import { Icon } from '../parts/icon.tsx'
import { hrefOf } from '../router.ts'
import { SCREENS } from '../screens.ts'
import { setTheme, THEMES, useTheme } from './theme.ts'

/** The navigation. @param props.current - the name of the screen that is shown */
export function Nav({ current }: { readonly current: string }) {
  const { status } = useLive()
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    setOpen(false)
  }, [current])
  return (
    <header class="shell">
      <div class="brand">
        <a href="#/" class="brand-name">
          <img src="icon.svg" alt="" width="28" height="28" />
          <span>Rootcellar</span>
        </a>
        {status !== undefined && <p class="brand-device">{status.device.name}</p>}
        <button
          type="button"
          class="button quiet nav-toggle"
          aria-expanded={isOpen}
          aria-controls="nav"
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name={isOpen ? 'close' : 'menu'} />
          Menu
        </button>
      </div>
      <div id="nav" class={isOpen ? 'nav open' : 'nav'}>
        <nav aria-label="Screens">
          <ul>
            {SCREENS.map(({ name, title, icon }) => (
              <li key={name}>
                <a
                  href={hrefOf(name === '' ? [] : [name])}
                  aria-current={name === current ? 'page' : undefined}
                >
                  <Icon name={icon} />
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <ThemeSwitch />
      </div>
    </header>
  )
}

function ThemeSwitch() {
  const theme = useTheme()
  return (
    <label class="theme">
      <span>
        <Icon name="theme" /> Colours
      </span>
      <select
        value={theme}
        onChange={(event) => {
          const chosen = THEMES.find(([name]) => name === event.currentTarget.value)?.[0]
          if (chosen !== undefined) setTheme(chosen)
        }}
      >
        {THEMES.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}
