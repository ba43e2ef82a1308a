/** Small things that the end of a run needs. */

import type { Play } from './play.ts'

/** How all devices stand, for a message. */
export function readDevices({ devices }: Play): string {
  return devices
    .map(({ machine }) => {
      const how = machine.isReady ? 'up' : machine.isAsleep ? 'asleep' : machine.isOn ? 'starting' : 'off'
      return `${machine.name} ${how}`
    })
    .join(', ')
}
