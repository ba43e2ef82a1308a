/** The door of `node/`: opens a device's node, or makes a device. Programs that only speak to one use `client.ts`. */

export { serveControl } from './control/server.ts'
export { type JoinContext, initDevice, joinMesh, refuseSecond } from './found.ts'
export { removePassphrase, setPassphrase } from './keys/passphrase.ts'
export { openNode, type OpenedNode, type OpenNodeOptions } from './node.ts'

/** What handles recovery phrases; loaded only when asked for. */
export const loadRecovery = async () => ({
  ...(await import('./recovery/begin.ts')),
  ...(await import('./recovery/tools.ts')),
})
