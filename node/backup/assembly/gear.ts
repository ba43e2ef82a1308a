// The chunker's inner loop, compiled to WebAssembly by AssemblyScript; its twin in JavaScript is
// `cutInJs` in ../gear.ts, and a test holds both to the same cuts (node/spec/backup.md §3).
//
// Memory: [0, 1024) the gear table, 256 u32 little-endian; data from 65536 on.

const TABLE: usize = 0

function turn(hash: u32, at: usize): u32 {
  return (hash << 1) + load<u32>(TABLE + ((<usize>load<u8>(at)) << 2))
}

/**
 * Finds where the chunk that begins at `start` ends.
 *
 * @param start - address of the first byte
 * @param bytes - bytes there are from `start` on
 * @param min - no cut before so many bytes; at least 32
 * @param normal - before this the strict mask is asked, from it on the loose one
 * @param max - always a cut here
 * @returns the length of the chunk, 1..max
 */
export function cut(start: usize, bytes: i32, min: i32, normal: i32, max: i32, strict: u32, loose: u32): i32 {
  if (bytes <= min) return bytes
  if (bytes > max) bytes = max
  if (normal > bytes) normal = bytes
  let hash: u32 = 0
  let at: usize = start + min - 32
  const first: usize = start + min
  const middle: usize = start + normal
  const end: usize = start + bytes
  while (at < first) hash = turn(hash, at++)
  while (at < middle) {
    hash = turn(hash, at++)
    if (!(hash & strict)) return <i32>(at - start)
  }
  while (at < end) {
    hash = turn(hash, at++)
    if (!(hash & loose)) return <i32>(at - start)
  }
  return bytes
}
