/** `jobBegin`: begins a long method that belongs to the node from then on (spec/activity.md §5). */

import { CellarError } from '../../protocol/index.ts'
import type { Handlers, JobBeginParams, JobBegun } from '../api.ts'
import type { BegunMethod } from '../begun.ts'
import type { NodeParts } from '../parts.ts'

/** Begins one, see `Methods.jobBegin`. @throws {CellarError} `NODE_BUSY`, `NODE_NOT_RUNNING`, `NODE_STOPPED`, `USAGE` */
export function beginJob(
  parts: NodeParts,
  { title, ...named }: JobBeginParams,
  handlers: Pick<Handlers, BegunMethod>,
): JobBegun {
  // A node opened for one command ends with it, and would take the job along.
  if (!parts.isRunning) throw new CellarError('NODE_NOT_RUNNING', 'only a running node goes on by itself')
  const [method, ...others] = Object.keys(named) as BegunMethod[]
  if (method === undefined || others.length > 0)
    throw new CellarError('USAGE', 'name one method to begin, with its parameters')
  // The schema has held the parameters to their method.
  const run = handlers[method] as (params: unknown, context: unknown) => Promise<object>
  return { id: parts.begun.begin(method, title, (context) => run(named[method], context)) }
}
