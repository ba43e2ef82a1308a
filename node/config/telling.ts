/** Kinds of values of settings about telling: templates, and how long each device may be silent. */

import { isCellarError } from '../../protocol/index.ts'
import { formatSpan } from '../deletion/time-span.ts'
import { parseTemplate } from '../telling/template.ts'
import { isTable, REFUSED, type ValueType } from './reading.ts'
import type { SilenceRule } from './types.ts'
import { anyText, span } from './values.ts'

/** A text with places to fill in, such as `{{message}}`. */
export const templateText: ValueType<string> = {
  ...anyText,
  example: '{{message}}',
  read: (value, place) => {
    const text = anyText.read(value, place)
    if (text === REFUSED) return REFUSED
    try {
      parseTemplate(text)
      return text
    } catch (error) {
      if (!isCellarError(error)) throw error
      return place.refuse(`cannot be filled in: ${error.message}`)
    }
  },
}

const spanOrNever = span(1000)
const NEVER = 'never'

/** Names of devices, each with a time or `never`. */
export const silences: ValueType<readonly SilenceRule[]> = {
  wants: 'a table of names of devices, each with a time such as "3d", or "never"',
  schema: { type: 'object', additionalProperties: { anyOf: [spanOrNever.schema, { const: NEVER }] } },
  example: { pi: '1d', phone: NEVER },
  read: (value, place) => {
    if (!isTable(value)) return place.refuse(`must be ${silences.wants}`)
    const rules: SilenceRule[] = []
    for (const [device, time] of Object.entries(value)) {
      const afterMs = time === NEVER ? undefined : spanOrNever.read(time, place.below(device))
      if (afterMs === REFUSED) return REFUSED
      rules.push({ device, afterMs })
    }
    return rules
  },
  write: (rules) =>
    Object.fromEntries(
      rules.map(({ device, afterMs }) => [device, afterMs === undefined ? NEVER : formatSpan(afterMs)]),
    ),
  show: (rules) => silences.write(rules),
}
