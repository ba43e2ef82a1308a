/** Columns of numbers of one width, stored by planes: all highest bytes, then all next ones (snapshot.md §4). */

/**
 * Puts numbers of `width` bytes each, one after the other, into planes. Numbers of neighbours differ mostly in their
 * low bytes, so that the planes of the high ones compress to nearly nothing.
 *
 * @param numbers - big-endian; borrowed
 * @returns as many bytes, fresh
 */
export function toPlanes(numbers: Uint8Array, width: number): Uint8Array {
  const count = numbers.byteLength / width
  const planes = new Uint8Array(numbers.byteLength)
  for (let plane = 0; plane < width; plane++) {
    const start = plane * count
    for (let item = 0; item < count; item++) planes[start + item] = numbers[item * width + plane] as number
  }
  return planes
}

/** The inverse of {@link toPlanes}: a view of big-endian numbers, one after the other, fresh. */
export function fromPlanes(planes: Uint8Array, width: number): DataView {
  const count = planes.byteLength / width
  const numbers = new Uint8Array(planes.byteLength)
  for (let plane = 0; plane < width; plane++) {
    const start = plane * count
    for (let item = 0; item < count; item++) numbers[item * width + plane] = planes[start + item] as number
  }
  return new DataView(numbers.buffer)
}
