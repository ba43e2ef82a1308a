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

/** Values in one piece of CBOR: a listing of {@link listingBytesMax} has some 3.6 million. */
export const cborItemsMax = 4 * 1024 * 1024

/** Values in one message: the heads of a long chain are {@link headsPerListingMax}. */
export const messageItemsMax = 256 * 1024

/** Chunk ids in one message. */
export const idsPerMessageMax = 1024

/** Chunks whose possession one message asks to be proven: the other side reads each of them whole. */
export const proveIdsMax = 64

/** Deposits of one upload that are under way on one stream: what the next lacks is known before the last is durable. */
export const depositsOpenMax = 4

/** Uploads of one device that another keeps at once: each session of a backup has one, until its snapshot has come. */
export const uploadsPerDeviceMax = 16

/** Orders to restore that wait on a device for its person, and streams on which a device follows those it gave. */
export const ordersWaitingMax = 16

/** Patterns of one order to restore, all four kinds together. */
export const orderPatternsMax = 64

/** What an asker would like the directory of an order to be called, in UTF-8. */
export const orderNameBytesMax = 64

/** What that directory is called in the end, in UTF-8: the name with a number behind it. */
export const orderDirectoryBytesMax = 128

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

// network (mesh.md §4)

/** Bytes of frames that a channel holds unread before it stops its sender. */
export const channelReadBytesMax = MiB

/** Bytes that one stream may send ahead of what its reader took: the flow-control window. */
export const streamWindowBytesMax = 4 * MiB

/** Bytes that may wait for a peer's socket before the connection is cut: answers to one who floods and never reads. */
export const connectionBacklogBytesMax = 64 * MiB

/** Streams a peer may have open at once on one connection; a mesh needs about six. */
export const streamsPerConnectionMax = 64

/** Streams of one protocol a peer may have open at once. */
export const streamsPerProtocolMax = 16

/** Connections of devices that are not members, at once. */
export const strangersMax = 8

/** Time for a connection to say what it is. */
export const helloTimeMsMax = 10_000

/** Time that a device which is no member may stay connected while an invitation is open. */
export const strangerTimeMsMax = 180_000

/** Time without a byte inside a frame, or without the peer taking a byte, before a channel is broken off. */
export const channelStallMsMax = 60_000

/** Time that a peer has to close its side after ours is done. */
export const channelLingerMsMax = 5_000

/** Addresses kept for one device, and bytes of each. */
export const addressesPerDeviceMax = 16
export const addressBytesMax = 256

// pairing (pairing.md §4)

/** One message of pairing that is not sealed. */
export const pairingMessageBytesMax = 4 * KiB

/** The sealed membership log that a newcomer is sent: every entry that the mesh ever had. */
export const pairingGiftBytesMax = 5 * MiB

/** The target of a symbolic link, and a path of a snapshot. Linux allows 4096. */
export const pathBytesMax = 65_536

/** Extended attributes of one entry: the name of each, and names and values together. */
export const xattrNameBytesMax = 255
export const xattrBytesMax = 1024 * KiB

/** Holes of one sparse file; a writer with more takes the smallest as data. */
export const holesMax = 65_536

/** Chunks that an entry names itself; a longer file has file nodes. */
export const entryChunksMax = 16

/** Parts of one directory: some 16 million entries. */
export const treePartsMax = 8192

/** Entries in one part of a directory. */
export const treeEntriesMax = 8192

/** Items of one node of a long file, and levels of such nodes: beyond any file system. */
export const fileNodeItemsMax = 1024
export const fileNodeLevelsMax = 8

/** Names of users, groups and hosts, in UTF-8. */
export const ownerNameBytesMax = 256

/** Paths, and rules of what is left out, in one snapshot. */
export const snapshotPathsMax = 4096
export const excludesMax = 4096

/** What a root chunk says of files that could not be read; the rest is counted. */
export const unreadBytesMax = 1024 * KiB

/** A signed head of a listing: some 260 bytes. */
export const headBytesMax = 512

/** Heads sent with one listing: a year of one device that signs every eight minutes. */
export const headsPerListingMax = 65_536

/** Number of the last listing a device may sign as one incarnation; 32 bits. */
export const listingSeqMax = 0xffff_ffff

/** Roots announced by one listing, held by one device, forgotten by one device. */
export const rootsPerListingMax = 1_000_000

/** Roots announced or forgotten by one listing for the first time. */
export const newsPerListingMax = 65_536

/** Devices and incarnations in one horizon. */
export const horizonEntriesMax = 4096

/** Hashes of accepted listings kept for each device and incarnation, to see forks and compare horizons. */
export const hashesKeptMax = 4096

/** Other branches remembered as proof of one fork. */
export const forkBranchesMax = 16

/** Entries a membership log ever has. */
export const membershipEntriesMax = 4096

/** One signed entry of the membership log. */
export const membershipEntryBytesMax = 1024

/** Boxes with the key of a vault in one entry: what fits into {@link membershipEntryBytesMax}. */
export const vaultBoxesMax = 6

/** Space a device may be said to give: 2^50 bytes, a pebibyte. */
export const quotaBytesMax = 1024 ** 5

/** A number of copies that may be asked for. */
export const copiesGoalMax = membersMax

/** Fields of one pairing message; the largest is the sealed membership log. */
export const pairingFieldsMax = 16

/** Text that goes with an error on the wire, in UTF-8; never a file name. */
export const wireTextBytesMax = 256

/** One notice by gossip: the head of a listing. */
export const noticeBytesMax = 4 * KiB
