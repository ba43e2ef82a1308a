/** `hookTest` and `metrics`: trying who is told, and the figures of the node. */

import { CellarError } from '../../protocol/index.ts'
import type { HookTested, HookTestParams, MetricsText } from '../api.ts'
import type { HookMoment } from '../config/types.ts'
import type { NodeParts } from '../parts.ts'
import { Collector } from '../telling/metrics/collect.ts'
import { tryOnce } from '../telling/outbox.ts'
import type { Tiding } from '../telling/tiding.ts'

/** Tells a hook something made up. @throws {CellarError} `HOOK_FAILED`, `USAGE` when there is no such hook */
export async function testHook(
  parts: NodeParts,
  params: HookTestParams,
  signal: AbortSignal,
): Promise<HookTested> {
  const { telling, world, ledger, signer } = parts
  const channels = await telling.channels()
  const channel = channels.find(({ name }) => name === params.name)
  if (channel === undefined) {
    const names = channels.map(({ name }) => name).join(', ')
    const there = names === '' ? 'the settings have none' : `there are ${names}`
    throw new CellarError('USAGE', `there is no hook ${params.name} (${there})`)
  }
  const on = params.on ?? channel.on[0] ?? 'trouble'
  const tiding = sample(on, channel.name, ledger.nameOf(signer.device), world.clock.nowMs())
  const beganMs = world.clock.monotonicMs()
  let answer = ''
  const error = await tryOnce(channel, tiding, world.clock, signal, (said) => (answer = said))
  signal.throwIfAborted()
  telling.noteTest(channel.name, error)
  if (error !== undefined) throw error
  const seconds = (world.clock.monotonicMs() - beganMs) / 1000
  return { message_type: 'hook_tested', name: channel.name, on, answer, seconds }
}

/** The figures of this device for Prometheus. */
export async function metricsText(parts: NodeParts): Promise<MetricsText> {
  return { text: await new Collector(parts).text() }
}

/** Something that could have happened; it says that it has not. */
function sample(on: HookMoment, name: string, device: string, atMs: number): Tiding {
  const title = `Test of "${name}" on ${device}`
  const outcomes = { before: 'began', after: 'done', success: 'done', failure: 'failed' } as const
  const isBackup = on !== 'silent' && on !== 'trouble'
  return {
    on,
    about: 'test',
    state: 'news',
    level: on === 'failure' ? 'error' : isBackup ? 'info' : 'warning',
    title,
    message: `${title}: this is only a test, nothing has happened.`,
    ...(isBackup && { task: 'backup', outcome: outcomes[on], seconds: 1 }),
    atMs,
  }
}
