/** What settings must be to one another: names that others name, and things that exclude each other. Pure. */

import { isCellarError } from '../../protocol/index.ts'
import { readAddress } from '../mesh/addresses.ts'
import { listenAddress } from '../mesh/listen-address.ts'
import { CONFIG_DEFAULT } from './defaults.ts'
import { nearestName } from './nearest.ts'
import type { Place } from './reading.ts'
import type { Config, EmailConfig, HookConfig, ProfileConfig } from './types.ts'

/** Tells the place of all that does not fit together. */
export function checkTogether(config: Config, place: Place): void {
  const names: Names = {
    profiles: config.profiles.map(({ name }) => name),
    hooks: config.hooks.map(({ name }) => name),
  }
  for (const profile of config.profiles)
    checkProfile(profile, names, place.below('profile').below(profile.name))
  checkRules(config.profiles, place)
  for (const [at, hook] of config.hooks.entries()) checkHook(hook, at, names, place.below('hook').below(at))
  if (config.email !== undefined) checkEmail(config.email, names, place.below('email'))
  checkAddresses(config, place)
  const { textFile } = config.metrics
  if (textFile !== undefined && !textFile.endsWith('.prom'))
    place
      .below('metrics')
      .below('text_file')
      .refuse('must end in ".prom": the Node Exporter reads no other files')
}

interface Names {
  readonly profiles: readonly string[]
  readonly hooks: readonly string[]
}

function checkProfile(profile: ProfileConfig, names: Names, place: Place): void {
  const { sources, filesFrom, filesFromVerbatim, filesFromRaw, stdinFromCommand, retention } = profile
  const lists = [sources, filesFrom, filesFromVerbatim, filesFromRaw]
  if (stdinFromCommand !== undefined && lists.some((list) => list.length > 0))
    place
      .below('stdin_from_command')
      .refuse('is backed up by itself, without sources and files_from: make another profile of it')
  if (retention !== undefined && [filesFrom, filesFromVerbatim, filesFromRaw].some((list) => list.length > 0))
    place
      .below('retention')
      .refuse('needs sources that are named: those of files_from differ from time to time')
  namesExist(profile.hooks, names.hooks, 'hook', place.below('hooks'))
}

/** Snapshots are told apart by their sources: two sets of rules for the same would each undo what the other keeps. */
function checkRules(profiles: readonly ProfileConfig[], place: Place): void {
  const ruled = new Map<string, ProfileConfig>()
  for (const profile of profiles) {
    if (profile.retention === undefined || profile.sources.length === 0) continue
    const sources = JSON.stringify([...profile.sources].sort())
    const other = ruled.get(sources)
    ruled.set(sources, other ?? profile)
    if (other !== undefined && JSON.stringify(other.retention) !== JSON.stringify(profile.retention))
      place
        .below('profile')
        .below(profile.name)
        .below('retention')
        .refuse(`differs from that of profile "${other.name}", which has the same sources`)
  }
}

function checkHook(hook: HookConfig, at: number, names: Names, place: Place): void {
  if (names.hooks.indexOf(hook.name) < at) place.below('name').refuse(`is "${hook.name}" twice`)
  if (hook.command === undefined && hook.url === undefined)
    place.refuse('needs "command" or "url": what is run, or asked')
  if (hook.command !== undefined && hook.url !== undefined)
    place.below('url').refuse('and "command" exclude each other: make two hooks of it')
  if (hook.url === undefined) {
    if (hook.body !== undefined)
      place.below('body').refuse('is for a hook with "url": a command gets all as JSON')
    if (Object.keys(hook.headers).length > 0) place.below('headers').refuse('are for a hook with "url"')
  }
  namesExist(hook.profiles, names.profiles, 'profile', place.below('profiles'))
}

function checkEmail(email: EmailConfig, names: Names, place: Place): void {
  if (email.passwordFile !== undefined && email.passwordCommand !== undefined)
    place.below('password_command').refuse('and "password_file" exclude each other')
  namesExist(email.profiles, names.profiles, 'profile', place.below('profiles'))
}

function checkAddresses({ listen, peers, dashboard }: Config, place: Place): void {
  // What holds when nothing is said is right: to look at an address takes Node some milliseconds, the first time.
  const said = listen === CONFIG_DEFAULT.listen ? [] : listen
  for (const [at, address] of said.entries())
    attempt(() => listenAddress(address), place.below('listen').below(at))
  for (const [at, address] of peers.entries())
    attempt(() => readAddress(address), place.below('peers').below(at))
  const host = dashboard.listen?.slice(0, dashboard.listen.lastIndexOf(':'))
  if (host !== undefined && !/^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(host))
    place
      .below('dashboard')
      .below('listen')
      .refuse('must be on the loopback: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT')
}

function attempt(read: () => unknown, place: Place): void {
  try {
    read()
  } catch (error) {
    if (!isCellarError(error)) throw error
    place.refuse(`cannot be used: ${error.message}`)
  }
}

function namesExist(given: readonly string[], names: readonly string[], what: string, place: Place): void {
  for (const [at, name] of given.entries())
    if (!names.includes(name))
      place.below(at).refuse(`names "${name}", and there is no such ${what}`, nearestName(name, names))
}
