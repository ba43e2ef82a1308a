/** The screens, in the order of the navigation. Who makes one adds a line here (README.md). */

import type { ComponentType } from 'preact'
import { ActivityScreen } from './activity/activity.tsx'
import { CopiesScreen } from './copies/copies.tsx'
import { DevicesScreen } from './devices/devices.tsx'
import { HealthScreen } from './health/health.tsx'
import { FilesScreen } from './files/files.tsx'
import { HomeScreen } from './home/home.tsx'
import type { IconName } from './parts/icon.tsx'
import type { Place } from './router.ts'
import { SettingsScreen } from './settings/settings.tsx'
import { SnapshotsScreen } from './snapshots/snapshots.tsx'
import { TrashScreen } from './trash/trash.tsx'

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
  { name: 'files', title: 'Files', icon: 'files', screen: FilesScreen },
  { name: 'snapshots', title: 'Snapshots', icon: 'snapshots', screen: SnapshotsScreen },
  { name: 'copies', title: 'Copies', icon: 'copies', screen: CopiesScreen },
  { name: 'trash', title: 'Trash', icon: 'trash', screen: TrashScreen },
  { name: 'activity', title: 'Activity', icon: 'activity', screen: ActivityScreen },
  { name: 'health', title: 'Health', icon: 'health', screen: HealthScreen },
  { name: 'settings', title: 'Settings', icon: 'settings', screen: SettingsScreen },
]
