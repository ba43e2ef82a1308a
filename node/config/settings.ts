/** The settings that are in force, while they may change under a running node (spec/config.md §5). */

import type { Config } from './types.ts'

/** Told of new settings, at once and in order. */
export type SettingsListener = (now: Config, before: Config) => void

/** Holds the settings of one node. Whoever needs a setting asks `current` each time, or listens. */
export class Settings {
  readonly #listeners = new Set<SettingsListener>()
  readonly #readAgain: () => Config
  #current: Config

  /**
   * @param config - what is in force at first
   * @param readAgain - reads them anew from where they came from; @throws {CellarError} `CONFIG_INVALID`
   */
  constructor(config: Config, readAgain: () => Config = () => this.#current) {
    this.#current = config
    this.#readAgain = readAgain
  }

  /** What is in force now. */
  get current(): Config {
    return this.#current
  }

  /** What they are where they came from; puts nothing in force. @throws {CellarError} `CONFIG_INVALID` */
  readAgain(): Config {
    return this.#readAgain()
  }

  /** Puts other settings in force, and tells all listeners. */
  change(config: Config): void {
    const before = this.#current
    this.#current = config
    for (const listener of [...this.#listeners]) listener(config, before)
  }

  /** Calls back for each change. @returns ends it */
  onChange(listener: SettingsListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }
}
