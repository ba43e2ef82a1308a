/** What goes on beside a node to tell how it is: looking for what should be told, files and addresses kept up to date. */

import type { Closer } from '../assemble.ts'
import type { NodeParts } from '../parts.ts'
import { Collector } from './metrics/collect.ts'
import { hasOutlets, Outlets } from './outlets.ts'
import type { Outside } from './outside.ts'
import { Watch } from './watch.ts'

/** Begins; in a node opened for one command, only what follows from a task that it did. @returns ends it */
export async function keepTelling(parts: NodeParts, outside: () => Promise<Outside>): Promise<Closer> {
  const outlets = new Outlets({ parts, collector: new Collector(parts), outside })
  if (!parts.isRunning) return afterTasks(parts, outlets)
  const watch = new Watch(parts)
  watch.start()
  await outlets.start()
  return async () => {
    await watch.close()
    await outlets.close()
  }
}

/** Where no node runs, backups come from elsewhere, such as cron: files and gateway are to know of them all the same. */
function afterTasks(parts: NodeParts, outlets: Outlets): Closer {
  let isDue = false
  const off = parts.events.on((event) => {
    if (event.kind === 'task' && event.outcome !== 'began') isDue = true
  })
  return async () => {
    off()
    if (isDue && hasOutlets(parts.settings.current)) await outlets.writeOnce()
    await outlets.close()
  }
}
