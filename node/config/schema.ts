/** The JSON schema of `config.toml`, for editors and programs: published as docs/config.schema.json. Pure. */

import type { JsonSchema } from './reading.ts'
import { fieldsOf, tableSchema } from './table.ts'
import { rootFields } from './tables.ts'

/** Draft 2020-12; what it refuses the parser refuses too, not always the other way round. */
export function configSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of Rootcellar (config.toml)',
    ...tableSchema(fieldsOf(rootFields)),
  }
}

/** The file as it is published. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema(), undefined, 2)}\n`
}
