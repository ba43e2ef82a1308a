/** Chooses the snapshot that tells what is unchanged; pure. */

import { compareBytes, type RootId } from '../../protocol/index.ts'
import { mergeSources, outermostSources } from './sources.ts'

/** What is known of a snapshot that might be the parent. */
export interface ParentCandidate {
  readonly root: RootId
  readonly device: string
  readonly host: string
  readonly paths: readonly Uint8Array[]
  readonly timeNs: bigint
}

function isSameSet(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((path, index) => compareBytes(path, b[index] as Uint8Array) === 0)
}

/**
 * The newest snapshot by the same device of the same paths; where there is none, the newest by the same device.
 *
 * @param candidates - in any order; of roots that are here whole
 * @param source - `paths` as they will be asked for: absolute, raw
 */
export function chooseParent(
  candidates: readonly ParentCandidate[],
  source: { readonly device: string; readonly paths: readonly Uint8Array[] },
): RootId | undefined {
  const wanted = outermostSources(mergeSources(source.paths))
  let best: { candidate: ParentCandidate; isSame: boolean } | undefined
  for (const candidate of candidates) {
    if (candidate.device !== source.device) continue
    const isSame = isSameSet([...candidate.paths].sort(compareBytes), wanted)
    const isBetter =
      best === undefined || (isSame === best.isSame ? candidate.timeNs > best.candidate.timeNs : isSame)
    if (isBetter) best = { candidate, isSame }
  }
  return best?.candidate.root
}
