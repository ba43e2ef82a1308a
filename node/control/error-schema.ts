/** An error as it crosses to a caller (spec/control.md §4). */

import { Type } from 'typebox'
import { ERRORS } from '../../protocol/errors.ts'

/** See `ErrorRecord` of `lines.ts`. */
export const ErrorRecordSchema = Type.Object(
  {
    code: Type.Enum(Object.keys(ERRORS), { description: 'What to match by; new ones may come.' }),
    message: Type.String({ description: 'One sentence for a person.' }),
    context: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
      description: 'Facts: ids, sizes, names of parameters.',
    }),
  },
  { title: 'Error' },
)
