/** Those who are told: hooks and the mail of the settings, each as one channel (telling.md §6). */

import { CellarError } from '../../protocol/index.ts'
import type { Config, EmailConfig, HookConfig, HookMoment, ProfileConfig } from '../config/types.ts'
import type { Outside } from './outside.ts'
import { escapeFor, fillIn, inHeader, inUrl, plain } from './template.ts'
import { type FieldValues, fieldsJson, fieldsOf, type Teller, type Tiding } from './tiding.ts'

/** One who is told. */
export interface Channel {
  readonly name: string
  readonly on: readonly HookMoment[]
  /** Longest time of one try, milliseconds. */
  readonly timeoutMs: number
  /** Says whether it is told of a thing. */
  wants(tiding: Tiding): boolean
  /**
   * Tells it.
   *
   * @returns what was answered, for a person
   * @throws {CellarError} `HOOK_FAILED`, with `permanent` where trying again is of no use; `CONFIG_INVALID`
   */
  send(tiding: Tiding, signal: AbortSignal): Promise<string>
}

/** The name of the mail among the hooks. */
export const MAIL = 'email'

const mailTimeoutMs = 60_000

/** The matter of a channel that fails: told to all others. */
export function failureOfChannel(name: string): string {
  return `hook/${name}`
}

/** The channels of the settings. */
export function channelsOf(config: Config, teller: () => Teller, outside: Outside): Channel[] {
  const hooks = config.hooks.map((hook) => hookChannel(hook, config.profiles, teller, outside))
  const { email } = config
  return email === undefined ? hooks : [...hooks, mailChannel(email, config.profiles, teller, outside)]
}

/** Whether something that is told of moments and profiles is told of this. Pure. */
export function isToldOf(
  channel: {
    readonly name: string
    readonly on: readonly HookMoment[]
    readonly profiles: readonly string[]
  },
  tiding: Pick<Tiding, 'on' | 'profile' | 'about'>,
  profiles: readonly Pick<ProfileConfig, 'name' | 'hooks'>[],
): boolean {
  if (!channel.on.includes(tiding.on) || tiding.about === failureOfChannel(channel.name)) return false
  if (channel.profiles.length === 0) return true
  const { profile } = tiding
  if (profile === undefined) return false
  const names = profiles.find((one) => one.name === profile)?.hooks ?? []
  return channel.profiles.includes(profile) || names.includes(channel.name)
}

function hookChannel(
  hook: HookConfig,
  profiles: readonly ProfileConfig[],
  teller: () => Teller,
  outside: Outside,
): Channel {
  return {
    name: hook.name,
    on: hook.on,
    timeoutMs: hook.timeoutMs,
    wants: (tiding) => isToldOf(hook, tiding, profiles),
    async send(tiding, signal) {
      const fields = fieldsOf(tiding, teller())
      return hook.command === undefined
        ? await ask(hook, fields, outside, signal)
        : await run(hook, hook.command, fields, outside, signal)
    },
  }
}

async function ask(
  hook: HookConfig,
  fields: FieldValues,
  outside: Outside,
  signal: AbortSignal,
): Promise<string> {
  const request = requestOf(hook, fields)
  const { status, retryAfterSeconds } = await outside.ask(request, signal)
  const host = hostOf(request.url)
  if (status >= 200 && status < 300) return `HTTP ${String(status)} from ${host}`
  const isMoved = status >= 300 && status < 400
  const message = isMoved
    ? `${host} answered ${String(status)}: it is elsewhere now; write the new address into the settings`
    : `${host} answered ${String(status)}`
  // Too many requests, and faults of the server, pass.
  const isPassing = status === 408 || status === 425 || status === 429 || status >= 500
  throw new CellarError('HOOK_FAILED', `hook "${hook.name}": ${message}`, {
    permanent: !isPassing,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

/** The request of a hook, filled in. Pure. @throws {CellarError} `CONFIG_INVALID` */
export function requestOf(
  hook: Pick<HookConfig, 'url' | 'method' | 'headers' | 'body'>,
  fields: FieldValues,
): { url: string; method: string; headers: Record<string, string>; body: string | undefined } {
  const headers = Object.fromEntries(
    Object.entries(hook.headers).map(([name, value]) => [name, fillIn(value, fields, inHeader)]),
  )
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  const isBodiless = hook.method === 'GET'
  const body =
    hook.body === undefined ? fieldsJson(fields) : fillIn(hook.body, fields, escapeFor(type, hook.body))
  const isJson = hook.body === undefined || escapeFor(type, hook.body) === escapeFor('application/json', '')
  const standard = isJson ? 'application/json' : 'text/plain; charset=utf-8'
  return {
    url: fillIn(hook.url ?? '', fields, inUrl),
    method: hook.method,
    headers: type === undefined && !isBodiless ? { ...headers, 'Content-Type': standard } : headers,
    body: isBodiless ? undefined : body,
  }
}

async function run(
  hook: HookConfig,
  command: readonly string[],
  fields: FieldValues,
  outside: Outside,
  signal: AbortSignal,
): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`CELLAR_HOOK_${name.toUpperCase()}`, plain(value)]),
  )
  const words = command.map((word, at) => (at === 0 ? word : fillIn(word, fields, plain)))
  const input =
    hook.body === undefined ? fieldsJson(fields) : fillIn(hook.body, fields, escapeFor(undefined, hook.body))
  const end = await outside.run({ command: words, env, input: `${input}\n` }, signal)
  if (end.status === 0) return 'exit status 0'
  const how =
    end.status === undefined
      ? `was ended by ${end.signal ?? 'a signal'}`
      : `ended with status ${String(end.status)}`
  const why = end.complaint === '' ? '' : `: ${plain(end.complaint).slice(0, 300)}`
  // A command that failed has run: again it may do something twice.
  throw new CellarError('HOOK_FAILED', `hook "${hook.name}": ${command[0] ?? ''} ${how}${why}`, {
    permanent: true,
  })
}

function mailChannel(
  email: EmailConfig,
  profiles: readonly ProfileConfig[],
  teller: () => Teller,
  outside: Outside,
): Channel {
  return {
    name: MAIL,
    on: email.on,
    timeoutMs: mailTimeoutMs,
    wants: (tiding) => isToldOf({ ...email, name: MAIL }, tiding, profiles),
    async send(tiding, signal) {
      const password = await passwordOf(email, outside, signal)
      const letter = { from: email.from, to: email.to, ...letterOf(tiding, teller()) }
      const { answer } = await outside.post(letter, { smtp: email.smtp, password }, signal)
      return answer
    },
  }
}

/** Subject and text of a mail. Pure. */
export function letterOf(tiding: Tiding, teller: Teller): { subject: string; text: string } {
  const again = tiding.again === undefined || tiding.again === 0 ? undefined : tiding.again
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['What', tiding.detail],
    ['To do', tiding.remedy],
    ['Since it was last told, it happened again', again === undefined ? undefined : `${String(again)} times`],
    ['Device', `${teller.device} (${teller.deviceId.slice(-8)}), mesh ${teller.mesh}`],
    ['Time', new Date(tiding.atMs).toISOString()],
  ]
  const lines = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${plain(value)}`]))
  const subject = plain(`[rootcellar] ${tiding.title}`).replace(/\s+/g, ' ').slice(0, 200)
  return { subject, text: `${plain(tiding.message)}\n\n${lines.join('\n')}\n` }
}

async function passwordOf(
  email: EmailConfig,
  outside: Outside,
  signal: AbortSignal,
): Promise<string | undefined> {
  const firstLine = (text: string) => text.split(/\r?\n/)[0] ?? ''
  if (email.passwordFile !== undefined) return firstLine(outside.read(email.passwordFile))
  if (email.passwordCommand === undefined) return undefined
  const end = await outside.run({ command: email.passwordCommand, env: {}, input: '' }, signal)
  if (end.status === 0) return firstLine(end.output)
  // What it wrote is not told: it may be the password.
  throw new CellarError('HOOK_FAILED', `the command for the password of the mail failed`, {
    status: end.status ?? -1,
  })
}

/** Only the host: the rest of an address is often the secret. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is none'
}
