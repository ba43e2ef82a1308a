/** The door of `node/`: opens a device's node, or makes a device. Programs that only speak to one use `client.ts`. */

export { serveControl } from './control/server.ts'
export { type JoinContext, initDevice, joinMesh } from './found.ts'
export { openNode, type OpenNodeOptions } from './node.ts'
