/** One device for the tests on a local network of their own: a program that is told what to do line by line. */

import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { openNetwork } from '../../../../node/adapters/libp2p-network.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { InvitationDesk } from '../../../../node/mesh/pairing/invite.ts'
import { join } from '../../../../node/mesh/pairing/join.ts'
import { Peers } from '../../../../node/mesh/peers.ts'
import type { DeviceId, MeshId } from '../../../../protocol/index.ts'

const [seedText = ''] = process.argv.slice(2)
const { clock, random } = systemWorld
const say = (...words: string[]): void => {
  process.stdout.write(`${words.join(' ')}\n`)
}

const seed = createHash('sha256').update(seedText).digest()
const network = await openNetwork({ seed, listen: ['/ip4/0.0.0.0/tcp/0'], mdns: true, mdnsIntervalMs: 1000 })
const peers = new Peers({ network, clock, random })
const desk = new InvitationDesk({
  network,
  clock,
  random,
  mesh: 'ab'.repeat(32) as MeshId,
  name: seedText,
  vaultKey: new Uint8Array(32),
  admit: () => Promise.resolve([Uint8Array.of(1)]),
})
network.onPeer((device, state) => {
  say(state, device)
})
say('device', network.device)

/** Does what one line says. */
async function obey(line: string): Promise<void> {
  const [verb, ...words] = line.split(' ')
  if (verb === 'members') peers.setMembers(new Map(words.map((device) => [device as DeviceId, []])))
  else if (verb === 'invite') say('code', desk.invite({ role: 'storer' }).code)
  else if (verb === 'join') {
    const keep = () => Promise.resolve()
    const options = { code: words[0] ?? '', name: seedText, seekMs: 10_000 }
    const joined = await join({ network, clock, random, keep }, options, AbortSignal.timeout(15_000))
    say('joined', joined.inviter)
  } else if (verb === 'quit') {
    desk.close()
    await peers.close()
    await network.close()
    say('closed')
    lines.close()
  }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  obey(line).catch((error: unknown) => {
    say('failed', String(error))
  })
})
