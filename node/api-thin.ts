/** Parameters and results about thin devices (see `api.ts`). */

import { Type } from 'typebox'
import { method, type Of } from './api-schema.ts'

export const ThinParams = Type.Object(
  {
    device: Type.String(),
    thin: Type.Boolean({ description: 'False: it stores again, and leans no more.' }),
  },
  { title: 'ThinParams', description: 'Whether a device is to be thin.' },
)
/** Whether a device is to be thin. */
export type ThinParams = Of<typeof ThinParams>

export const DeviceThin = Type.Object(
  {
    device: Type.String(),
    name: Type.String(),
    thin: Type.Boolean(),
    epoch: Type.Integer({ description: 'Of the membership that says so.' }),
  },
  { title: 'DeviceThin', description: 'What a device is from now on.' },
)
/** What a device is from now on. */
export type DeviceThin = Of<typeof DeviceThin>

export const ThinStatus = Type.Object(
  {
    snapshots: Type.Integer({ description: 'Its own live snapshots.' }),
    kept: Type.Integer({
      description:
        'Of those, stored here, wholly or as far as others have the rest, until enough others have proven that they hold them.',
    }),
    trees_only: Type.Integer({
      description: 'Of those, files and folders can be looked at here; what is in the files is elsewhere.',
    }),
    elsewhere: Type.Integer({ description: 'Of those, nothing is here.' }),
  },
  {
    title: 'ThinStatus',
    description: 'How a thin device stands: what it keeps of its own snapshots, and what only others have.',
  },
)
/** How a thin device stands: what it keeps of its own snapshots, and what only others have. */
export type ThinStatus = Of<typeof ThinStatus>

/** The methods of this file. */
export const thinMethods = {
  deviceThin: method(
    'Whether a device leaves what is in its files to others, once they have proven that they hold it (spec/thin.md). `DEVICE_NOT_FOUND`, `NOT_ENTITLED`, `USAGE`.',
    ThinParams,
    DeviceThin,
  ),
}
