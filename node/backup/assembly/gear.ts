// The chunker's inner loop, compiled to WebAssembly by AssemblyScript; its twin in JavaScript is
// `jsCutter` in ../gear.ts, and a test holds both to the same cuts (node/spec/backup.md §3).
//
// Memory: [0, 1024) the gear table, 256 u32 little-endian; data from 65536 on.

const TABLE: usize = 0
/** Bytes looked at in one turn of the loop: half as fast again as one by one. No compiler unrolls it for us. */
const STRIDE: usize = 8

function turn(hash: u32, at: usize): u32 {
  return (hash << 1) + load<u32>(TABLE + ((<usize>load<u8>(at)) << 2))
}

/** The first place in (from, to] where the hash of the 32 bytes before it has no bit of the mask, or 0. */
function scan(from: usize, to: usize, mask: u32): usize {
  let hash: u32 = 0
  for (let at: usize = from - 32; at < from; at++) hash = turn(hash, at)
  let at: usize = from
  while (at + STRIDE <= to) {
    if (!((hash = turn(hash, at)) & mask)) return at + 1
    if (!((hash = turn(hash, at + 1)) & mask)) return at + 2
    if (!((hash = turn(hash, at + 2)) & mask)) return at + 3
    if (!((hash = turn(hash, at + 3)) & mask)) return at + 4
    if (!((hash = turn(hash, at + 4)) & mask)) return at + 5
    if (!((hash = turn(hash, at + 5)) & mask)) return at + 6
    if (!((hash = turn(hash, at + 6)) & mask)) return at + 7
    if (!((hash = turn(hash, at + 7)) & mask)) return at + 8
    at += STRIDE
  }
  while (at < to) {
    hash = turn(hash, at++)
    if (!(hash & mask)) return at
  }
  return 0
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
  let end = scan(start + min, start + normal, strict)
  if (end == 0) end = scan(start + normal, start + bytes, loose)
  return end == 0 ? bytes : <i32>(end - start)
}
