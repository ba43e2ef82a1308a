/** Where the screen of devices is. */

import { goTo } from '../router.ts'

/** Closes what is open; Back does not open it again. */
export function goToDevices(): void {
  goTo(['devices'], {}, { replace: true })
}
