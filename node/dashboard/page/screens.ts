/** The screens, in the order of the navigation. Who makes one adds a line here (README.md). */

import type { ComponentType } from 'preact'
import { DevicesScreen } from './devices/devices.tsx'
import { HomeScreen } from './home/home.tsx'
import type { IconName } from './parts/icon.tsx'
import type { Place } from './router.ts'

/** One screen of the page. */
export interface ScreenEntry {
  /** The first name of its places: `#/files/...`; empty for the one that is shown first. */
  readonly name: string
  readonly title: string
  readonly icon: IconName
  readonly screen: ComponentType<{ readonly place: Place }>
}

/** All of them. */
export const SCREENS: readonly ScreenEntry[] = [
  { name: '', title: 'Home', icon: 'home', screen: HomeScreen },
  { name: 'devices', title: 'Devices', icon: 'devices', screen: DevicesScreen },
]
