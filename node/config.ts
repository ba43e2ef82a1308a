/** The settings a person may edit: `config.toml` (spec/config.md). */

export { CONFIG_DEFAULT } from './config/defaults.ts'
export { formatConfig } from './config/format.ts'
export { parseConfig } from './config/parse.ts'
export type { Config } from './config/types.ts'
