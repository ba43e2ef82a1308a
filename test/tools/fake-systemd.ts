/**
 * A `systemctl --user` that runs one unit, for machines without systemd: it starts what ExecStart says and ends it as
 * systemd would, by SIGTERM. The unit itself is shown to systemd by other tests.
 */

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const script = `#!/bin/sh
[ "$1" = --user ] && shift
cd "$FAKE_SYSTEMD" || exit 1
unit=$XDG_CONFIG_HOME/systemd/user/rootcellar.service
runs() { [ -f pid ] && kill -0 "$(cat pid)" 2>/dev/null; }
halt() {
  runs || return 0
  kill -TERM "$(cat pid)"
  while runs; do sleep 0.05; done
}
case $1 in
  daemon-reload) ;;
  enable) touch enabled ;;
  disable) rm -f enabled; halt ;;
  restart)
    halt
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    setsid sh -c "exec $command" >>out 2>>log </dev/null &
    echo $! >pid
    ;;
  show)
    if runs; then echo ActiveState=active; echo MainPID=$(cat pid); else echo ActiveState=inactive; fi
    echo SubState=any
    [ -f enabled ] && echo UnitFileState=enabled
    ;;
  *) echo "Unknown command verb $1." >&2; exit 1 ;;
esac
exit 0
`

/** The machine's only service. */
export class FakeSystemd {
  readonly #directory: string
  /** For the commands of the device whose service it is. */
  readonly env: Readonly<Record<string, string>>

  /** @param directory - of its own; made */
  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(join(directory, 'bin'), { recursive: true })
    const path = join(directory, 'bin', 'systemctl')
    writeFileSync(path, script)
    chmodSync(path, 0o755)
    this.env = {
      FAKE_SYSTEMD: directory,
      XDG_CONFIG_HOME: join(directory, 'config'),
      PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
    }
  }

  /** Where the unit is written. */
  get unitPath(): string {
    return join(this.#directory, 'config', 'systemd', 'user', 'rootcellar.service')
  }

  /** The process of the service; undefined before the first start. */
  get pid(): number | undefined {
    const path = join(this.#directory, 'pid')
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined
  }

  /** What the service wrote to standard error. */
  get log(): string {
    return readFileSync(join(this.#directory, 'log'), 'utf8')
  }

  /** Ends the service at once, whatever becomes of it. */
  end(): void {
    if (this.pid === undefined) return
    try {
      process.kill(this.pid, 'SIGKILL')
    } catch {
      // it has ended
    }
  }
}
