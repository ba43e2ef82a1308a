/** Writes the page to print. */

import type { PaperKey } from '../../node/client.ts'
import type { Session } from '../session.ts'

/**
 * Writes the page: what it says of the mesh is what this device knows now.
 *
 * @param paper - undefined: lines to write the words on
 */
export async function writeKit(session: Session, output: string, paper: PaperKey | undefined): Promise<void> {
  const { mesh, devices } = await session.call('status', {})
  const phrases = await session.world.door.phrases()
  const page = phrases.kitPage({
    mesh: mesh.short_id,
    madeMs: session.world.nowMs(),
    words: paper?.words(),
    devices: devices
      .filter((device) => device.removed !== true)
      .map(({ name, role, addresses }) => ({ name, role, addresses: addresses.map(hostPort) })),
  })
  await session.world.door.writeSecretFile(session.path(output), page)
  session.print.info(
    `${session.print.safe(output)} is written. Print it, put it where fire and thieves do not get it, and remove the file.`,
  )
}

/** `/ip4/192.168.1.20/tcp/4517/p2p/…` as it is typed behind --at; other addresses as they are. */
function hostPort(address: string): string {
  const found = /^\/(?:ip4|dns4?|dns6)\/([^/]+)\/tcp\/(\d+)/.exec(address)
  if (found !== null) return `${found[1] ?? ''}:${found[2] ?? ''}`
  const six = /^\/ip6\/([^/]+)\/tcp\/(\d+)/.exec(address)
  return six === null ? address : `[${six[1] ?? ''}]:${six[2] ?? ''}`
}
