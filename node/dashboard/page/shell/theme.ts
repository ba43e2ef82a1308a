/** Light or dark: as the system says, unless somebody chose; the choice stays in this browser. */

import { Store, useStore } from '../store.ts'

/** What can be chosen. */
export type Theme = 'system' | 'light' | 'dark'

/** All that can be chosen, with the words for it. */
export const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

const key = 'theme'
const chosen = new Store<Theme>('system')

/** Puts the choice in force; once, when the page begins. */
export function startTheme(): void {
  const kept = THEMES.find(([theme]) => theme === read())?.[0]
  if (kept !== undefined) show(kept)
}

/** What is chosen. */
export function useTheme(): Theme {
  return useStore(chosen)
}

/** Chooses. */
export function setTheme(theme: Theme): void {
  show(theme)
  try {
    window.localStorage.setItem(key, theme)
  } catch {
    // A browser that keeps nothing shows it until the page is closed.
  }
}

function show(theme: Theme): void {
  chosen.set(theme)
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}

function read(): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    return null
  }
}
