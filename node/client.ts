/**
 * The light door of `node/`: for programs that speak to a node, or only think about it. It loads no network, no
 * store and no cryptography, so that `cellar version` and help start at once. Who opens a node uses `index.ts`.
 */

export * from './api.ts'
export * from './argument-text.ts'
export * from './path-text.ts'
export * from './status-sentence.ts'
export { commandOutput } from './adapters/command-output.ts'
export { expandPath, itemsIn, linesIn, patternsIn, readNamed } from './backup/pattern-files.ts'
export { VERSION } from './version.ts'
export { connectNode } from './control/client.ts'
export { CellarError, ERRORS, isCellarError, type ErrorCode, type ErrorContext } from '../protocol/errors.ts'
import type { HomeFacts } from './home-facts.ts'
import type { HomePaths } from './home.ts'
export type { HomeFacts, HomePaths }
export type { LogSink } from './logging/log.ts'
export type { AskPassphrase } from './home.ts'
export type { PaperKey } from './recovery/paper-key.ts'
export type { PhraseTools } from './recovery/tools.ts'
export type { RateLimits } from './replication/rate.ts'

/** What can be said of a home without opening its node. Loaded only when asked for. */
export async function readHomeFacts(home: HomePaths): Promise<HomeFacts> {
  const { homeFacts } = await import('./home-facts.ts')
  return homeFacts(home)
}

/** The places of a home; see `homePaths`. Loaded only when asked for. */
export async function findHome(
  directory: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<HomePaths> {
  const { homePaths } = await import('./home.ts')
  return homePaths(directory, env)
}

/** What is done with the file of settings. */
export type ConfigTools = typeof import('./config/tools.ts')

/** See {@link ConfigTools}. Loaded only when asked for. */
export async function loadConfigTools(): Promise<ConfigTools> {
  return await import('./config/tools.ts')
}
