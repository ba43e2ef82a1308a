/** Parameters and results about telling people and other programs how the node is (see `api.ts`). */

import { Type } from 'typebox'
import { about, method, Nothing, type Of } from './api-schema.ts'
import { HOOK_MOMENTS } from './config/moments.ts'

const HookMoment = Type.Enum(HOOK_MOMENTS)

export const HookTestParams = Type.Object(
  {
    name: Type.String({ description: 'Name of a hook; `email` for the mail.' }),
    on: Type.Optional(
      about(HookMoment, 'As if this had happened. Default: the first that the hook is told of'),
    ),
  },
  { title: 'HookTestParams', description: 'Which hook to try, and as what.' },
)
/** Which hook to try, and as what. */
export type HookTestParams = Of<typeof HookTestParams>

export const HookTested = Type.Object(
  {
    message_type: Type.Literal('hook_tested'),
    name: Type.String(),
    on: HookMoment,
    answer: Type.String({ description: '`HTTP 204 from example.org`, `exit status 0`, …' }),
    seconds: Type.Number(),
  },
  {
    title: 'HookTested',
    description: 'What came of trying a hook; a hook that fails is a rejection, `HOOK_FAILED`.',
  },
)
/** What came of trying a hook; a hook that fails is a rejection, `HOOK_FAILED`. */
export type HookTested = Of<typeof HookTested>

export const MetricsText = Type.Object(
  { text: Type.String({ description: 'In the text format, version 0.0.4.' }) },
  { title: 'MetricsText', description: 'The figures of a node as Prometheus reads them.' },
)
/** The figures of a node as Prometheus reads them. */
export type MetricsText = Of<typeof MetricsText>

export const HookStatus = Type.Object(
  {
    name: Type.String(),
    on: Type.Array(HookMoment),
    told: Type.Integer(),
    failures: Type.Integer(),
    last_success: Type.Optional(Type.String()),
    last_failure: Type.Optional(Type.String()),
    message: Type.Optional(
      Type.String({ description: 'Of the last failure, while no success came after it.' }),
    ),
  },
  {
    title: 'HookStatus',
    description: 'How a hook, or the mail, fared (part of `Status`). Times are RFC 3339 in UTC.',
  },
)
/** How a hook, or the mail, fared (part of `Status`). Times are RFC 3339 in UTC. */
export type HookStatus = Of<typeof HookStatus>

export const SilentDevice = Type.Object(
  {
    device: Type.String(),
    name: Type.String(),
    lacks: Type.Enum(['sign', 'backup'], {
      description: '`sign`: nothing was heard of it; `backup`: it is heard of, but makes no new snapshots.',
    }),
    since: Type.String({ description: 'When the last one was known here.' }),
  },
  {
    title: 'SilentDevice',
    description: 'A device that others have not heard of for longer than they should (part of `Status`).',
  },
)
/** A device that others have not heard of for longer than they should (part of `Status`). */
export type SilentDevice = Of<typeof SilentDevice>

export const TellingStatus = Type.Object(
  { hooks: Type.Array(HookStatus), silent: Type.Array(SilentDevice) },
  {
    title: 'TellingStatus',
    description: 'What the node knows of those it tells, and of whom it tells (part of `Status`).',
  },
)
/** What the node knows of those it tells, and of whom it tells (part of `Status`). */
export type TellingStatus = Of<typeof TellingStatus>

/** The methods of this file. */
export const tellingMethods = {
  hookTest: method(
    'Tells a hook something made up. `HOOK_FAILED`; `USAGE` when there is no such hook.',
    HookTestParams,
    HookTested,
  ),
  metrics: method('The figures of this device for Prometheus.', Nothing, MetricsText),
}
