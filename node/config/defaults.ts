/** What holds where the settings say nothing. */

import type { Config, ProfileConfig } from './types.ts'

const kib = 1024
const minuteMs = 60_000
const dayMs = 86_400_000

/** One port for all devices, so that a router or firewall can be told of it. */
export const CONFIG_DEFAULT: Config = {
  listen: ['0.0.0.0:4517', '[::]:4517'],
  mdns: true,
  peers: [],
  store: undefined,
  staging: undefined,
  limitUpload: undefined,
  limitDownload: undefined,
  limits: [],
  holdWindowMs: 7 * dayMs,
  floorAgeMs: dayMs,
  floorNewest: 1,
  silentAfterMs: 7 * dayMs,
  silence: [],
  restores: '~/Restored',
  restoresFrom: [],
  logLevel: 'info',
  statusFile: undefined,
  retention: undefined,
  schedule: { check: 'weekly', scrub: 'daily', drill: 'monthly', retention: undefined },
  // A month until every chunk was read once, and slowly enough that nobody hears the disk.
  scrub: { percentPerDay: 3.5, limit: 20 * kib },
  drill: { files: 20, bytes: 100 * kib * kib },
  profiles: [],
  hooks: [],
  email: undefined,
  metrics: { listen: undefined, textFile: undefined, push: undefined, everyMs: minuteMs },
  dashboard: { listen: '127.0.0.1:4518' },
}

/** A profile that says nothing but its name. */
export const PROFILE_DEFAULT: Omit<ProfileConfig, 'name'> = {
  inherits: undefined,
  sources: [],
  filesFrom: [],
  filesFromVerbatim: [],
  filesFromRaw: [],
  exclude: [],
  iexclude: [],
  excludeFile: [],
  iexcludeFile: [],
  excludeCaches: false,
  excludeIfPresent: [],
  excludeLargerThan: undefined,
  oneFileSystem: false,
  stdinFromCommand: undefined,
  stdinFilename: 'stdin',
  tags: [],
  skipIfUnchanged: false,
  wait: undefined,
  schedule: 'off',
  jitterMs: 10 * minuteMs,
  onBattery: true,
  onMetered: true,
  priority: 'low',
  hooks: [],
  copies: undefined,
  silentAfterMs: undefined,
  retention: undefined,
}
