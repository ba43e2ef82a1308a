/** The `cellar` program. */

import { hostname } from 'node:os'
import { runCli } from './program.ts'
import { processArguments, processDirectory } from './raw-args.ts'
import { errorStream, onInterrupt, onReload, sinkOf, sourceOf } from './streams.ts'
import { nodeDoor } from './node-door.ts'
import { systemHost } from './service/host.ts'

const env = { ...process.env }
// What this process starts, hooks and commands of a profile, must not inherit it.
delete process.env['CELLAR_PASSPHRASE']

const ended = runCli({
  args: processArguments(),
  env,
  directory: processDirectory(),
  hostname: hostname(),
  stdin: sourceOf(process.stdin),
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  door: nodeDoor(env),
  host: systemHost(),
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  onInterrupt,
  onReload,
  errorStream,
  exitNow: (status) => process.exit(status),
})
// What a library left behind (a timer, a thread) must not keep a command that has ended.
void ended.then((status) => process.exit(status))
