/** What tests of telling share: an outside that remembers what it was asked, and things to tell. */

import { CellarError } from '../../../../protocol/index.ts'
import { memoryCatalog } from '../../../../storage/index.ts'
import { CONFIG_DEFAULT } from '../../../../node/config/defaults.ts'
import { Settings } from '../../../../node/config/settings.ts'
import type { Config, HookConfig } from '../../../../node/config/types.ts'
import { Events, type TaskEvent } from '../../../../node/events.ts'
import type {
  Letter,
  Outside,
  Post,
  ProgramCall,
  ProgramEnd,
  WebAnswer,
  WebRequest,
} from '../../../../node/telling/outside.ts'
import { Telling } from '../../../../node/telling/telling.ts'
import type { Teller, Tiding } from '../../../../node/telling/tiding.ts'
import { ManualClock } from '../manual-clock.ts'

export const TELLER: Teller = { device: 'laptop', deviceId: '12D3KooWexample', mesh: 'feedbeef' }

/** An outside in memory; what it answers can be changed. */
export class FakeOutside implements Outside {
  readonly asked: WebRequest[] = []
  readonly ran: ProgramCall[] = []
  readonly letters: { letter: Letter; post: Post }[] = []
  readonly written = new Map<string, { text: string; mode: number }>()
  answer: (request: WebRequest, signal: AbortSignal) => WebAnswer | Promise<WebAnswer> = () => ({
    status: 204,
    retryAfterSeconds: undefined,
  })
  end: ProgramEnd = { status: 0, signal: undefined, output: 'word\nsecond line\n', complaint: '' }

  /** Whoever asks is answered so from now on. */
  answers(status: number): void {
    this.answer = () => ({ status, retryAfterSeconds: undefined })
  }

  async ask(request: WebRequest, signal: AbortSignal): Promise<WebAnswer> {
    this.asked.push(request)
    return await this.answer(request, signal)
  }

  run(call: ProgramCall): Promise<ProgramEnd> {
    this.ran.push(call)
    return Promise.resolve(this.end)
  }

  post(letter: Letter, post: Post): Promise<{ answer: string }> {
    this.letters.push({ letter, post })
    return Promise.resolve({ answer: '250 ok' })
  }

  read(): string {
    return 'from a file\n'
  }

  write(path: string, text: string, mode: number): void {
    this.written.set(path, { text, mode })
  }

  serve(): Promise<never> {
    return Promise.reject(new CellarError('CONFIG_INVALID', 'nobody listens here'))
  }

  /** Titles of what was asked, in order. */
  titles(): string[] {
    return this.asked.map(({ body }) => (JSON.parse(body ?? '{}') as { title: string }).title)
  }
}

/** A hook as the settings have it. */
export function hook(over: Partial<HookConfig> = {}): HookConfig {
  return {
    name: 'web',
    on: ['failure', 'silent', 'trouble'],
    profiles: [],
    command: undefined,
    url: 'https://example.org/secret/path',
    method: 'POST',
    headers: {},
    body: undefined,
    timeoutMs: 30_000,
    ...over,
  }
}

/** Something to tell. */
export function tiding(over: Partial<Tiding> = {}): Tiding {
  return {
    on: 'trouble',
    about: 'trouble/X',
    state: 'news',
    level: 'warning',
    title: 'Something happened',
    message: 'Something happened. To do: nothing.',
    atMs: 1_000_000_000_000,
    ...over,
  }
}

/** A task of the bus. */
export function task(over: Partial<TaskEvent> = {}): TaskEvent {
  return { kind: 'task', name: 'backup', profile: 'photos', outcome: 'done', seconds: 3, ...over }
}

/** Telling with everything handed in. */
export async function openTelling(options: {
  config?: Partial<Config>
  isRunning?: boolean
  clock?: ManualClock
  catalog?: ReturnType<typeof memoryCatalog>
  outside?: FakeOutside
}) {
  const outside = options.outside ?? new FakeOutside()
  const clock = options.clock ?? new ManualClock()
  const events = new Events()
  const catalog = options.catalog ?? memoryCatalog()
  const settings = new Settings({ ...CONFIG_DEFAULT, ...options.config })
  const telling = await Telling.open({
    settings,
    clock,
    events,
    catalog,
    teller: () => TELLER,
    nameOf: (device) => `name of ${device}`,
    outside: () => Promise.resolve(outside),
    isRunning: options.isRunning ?? true,
  })
  return { telling, outside, clock, events, catalog, settings }
}
