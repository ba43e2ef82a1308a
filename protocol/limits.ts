/** Every upper bound of what comes from a peer or a file, with its reason (limits.md). */

const KiB = 1024
const MiB = 1024 * KiB

/** A whole chunk as stored. Large enough for any payload below plus its links. */
export const chunkBytesMax = 8 * MiB

/** A payload before compression: a cut of a file, a bundle, a part of a tree. */
export const payloadBytesMax = 4 * MiB

/** Links in one chunk: 16,384 x 32 bytes is half a mebibyte. */
export const chunkLinksMax = 16_384

/** One frame on a stream: a chunk and the head of its message. */
export const frameBytesMax = chunkBytesMax + 64 * KiB

/** One root listing: some 100 bytes for a root, so about 300,000 roots. */
export const listingBytesMax = 32 * MiB

/** Chunk ids in one message. */
export const idsPerMessageMax = 1024

/** Bytes of chunks one peer may have asked for and not yet been sent. */
export const chunkBytesInFlightMax = 16 * MiB

/** Members a mesh ever had. */
export const membersMax = 1024

/** A device's name, in UTF-8. */
export const deviceNameBytesMax = 64

/** A file name; Linux allows 255, other systems more. */
export const nameBytesMax = 4096

/** Levels of directories; deeper ones are reported and left out. */
export const treeDepthMax = 4096

/** Tags of a snapshot, and bytes of each. */
export const tagsMax = 64
export const tagBytesMax = 256
