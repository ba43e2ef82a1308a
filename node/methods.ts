/** Every method of a node: the one table from which types, checks and the published description come (`api.ts`). */

import { activityMethods } from './api-activity.ts'
import { backupMethods } from './api-backup.ts'
import { browseMethods } from './api-browse.ts'
import { configMethods } from './api-config.ts'
import { deletionMethods } from './api-deletion.ts'
import { fileMethods } from './api-files.ts'
import { jobMethods } from './api-jobs.ts'
import { meshMethods } from './api-mesh.ts'
import { orderMethods } from './api-orders.ts'
import { recoveryMethods } from './api-recovery.ts'
import { restoreMethods } from './api-restore.ts'
import { scheduleMethods } from './api-schedule.ts'
import { tellingMethods } from './api-telling.ts'
import { thinMethods } from './api-thin.ts'
import { watchingMethods } from './api-watching.ts'

/** By name; who adds a method adds it to the table of its room (spec/control.md §9). */
export const METHODS = {
  ...meshMethods,
  ...backupMethods,
  ...browseMethods,
  ...fileMethods,
  ...restoreMethods,
  ...orderMethods,
  ...deletionMethods,
  ...watchingMethods,
  ...scheduleMethods,
  ...tellingMethods,
  ...configMethods,
  ...thinMethods,
  ...recoveryMethods,
  ...activityMethods,
  ...jobMethods,
}
