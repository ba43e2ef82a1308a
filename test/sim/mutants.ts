/**
 * Breaks one rule at a time, in a copy of the sources, and lets the simulator look for it: a check that finds nothing
 * when a rule is off proves nothing when it is on. `npm run sim:mutants` (README.md).
 */

import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One rule, and the text that switches it off. */
export interface Mutant {
  readonly name: string
  /** Path from the top of the project. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** All that must be found. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'R2 forgets of anybody count',
    file: 'protocol/rules/in-force.ts',
    find: 'return isForgetEntitled(membership, { device, incarnation, seq: forget.seq, epoch: forget.epoch })',
    replace:
      'return isForgetEntitled !== undefined && membership !== undefined && device + String(incarnation) !== ""',
  },
  {
    name: 'R3 whole, though what it links to is not',
    file: 'storage/store/closure.ts',
    find: 'if (child?.isComplete !== true || child.isBad) return false',
    replace: 'if (child?.isComplete !== true && links.length > 99) return false',
  },
  {
    name: 'R4 sessions pin nothing',
    file: 'node/ledger/own.ts',
    find: 'horizonOf(state.view, [...state.sessions.values()])',
    replace: 'horizonOf(state.view, [])',
  },
  {
    name: 'R5 a session leans on whatever anybody holds',
    file: 'node/ledger/ledger.ts',
    find: 'return new Set([...leanable].filter((root) => this.isLive(root)))',
    replace:
      'return leanable.size < 0 ? leanable : new Set([...this.liveRoots(), ...this.dead().map(({ root }) => root)])',
  },
  {
    name: 'R5.4 what leans is dropped before others have it',
    file: 'node/deletion/needed.ts',
    find: 'return ledger.leaned().has(root) || ledger.isWanted(root) || ledger.copies(root).holders.length === 0',
    replace: 'return ledger.isWanted(root)',
  },
  {
    name: 'R6a what a session needs is reclaimed',
    file: 'node/deletion/reaper.ts',
    find: 'return this.#parts.ledger.hasSession || this.#parts.isStoreInUse()',
    replace: 'return this.#parts.isStoreInUse()',
  },
  {
    name: 'R6a what is still to come is reclaimed',
    file: 'node/deletion/needed.ts',
    find: 'if (!store.has(root)) return false',
    replace: 'if (!store.has(root) || store.has(root)) return false',
  },
  {
    name: 'R6b nobody is waited for',
    file: 'protocol/rules/release.ts',
    find: '...leaningBlockers(view, membership, dead),',
    replace: '...leaningBlockers(view, membership, dead).slice(0, 0),',
  },
  {
    name: 'R6c unknown roots need nothing',
    file: 'protocol/rules/release.ts',
    find: '...unknownBlockers(view, membership, self, isCompleteHere),',
    replace: '...unknownBlockers(view, membership, self, isCompleteHere).slice(0, 0),',
  },
  {
    name: 'R7 intents of others and rounds are not looked at',
    file: 'protocol/rules/shed.ts',
    find: 'if (why === undefined) counted.push(device)',
    replace: "if (why === undefined || why !== 'unproven') counted.push(device)",
  },
  {
    name: 'R7 nobody else needs to have it',
    file: 'protocol/rules/shed.ts',
    find: 'return isEnough ?',
    replace: 'return isEnough || counted.length >= 0 ?',
  },
  {
    name: 'R9 no hold window',
    file: 'protocol/rules/effect.ts',
    find: 'const holdMs = facts.holdWindowMs - facts.hadForMs(forget)',
    replace: 'const holdMs = facts.hadForMs(forget) < 0 ? facts.holdWindowMs : 0',
  },
  {
    name: 'R10 released before others are told',
    file: 'node/deletion/reaper.ts',
    find: 'ledger.saysHeld(root) || (why',
    replace: '(why',
  },
  {
    name: 'storage: a reference is not counted',
    file: 'storage/store/closure.ts',
    find: 'for (const link of links) draft.refer(link, 1)',
    replace: 'for (const link of links.slice(1)) draft.refer(link, 1)',
  },
  {
    name: 'storage: the index names what is not yet on the disk',
    file: 'storage/store/commit.ts',
    find: 'const failed = await parts.packs.sync()',
    replace: 'const failed: Awaited<ReturnType<typeof parts.packs.sync>> = new Map()',
  },
]

const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/dist\/$/, '/')

/** The source of a mutant. @throws {TypeError} when the rule is not where it was */
export function mutate({ name, file, find, replace }: Mutant): string {
  const text = readFileSync(join(project, file), 'utf8')
  if (text.split(find).length !== 2) throw new TypeError(`${name}: ${file} does not have "${find}" once`)
  return text.replace(find, () => replace)
}

/** Looks for one mutant. @returns the seeds it took, and what was said; undefined when it was not found */
export async function hunt(
  mutant: Mutant,
  seedsMax: number,
): Promise<{ seeds: number; said: string } | undefined> {
  const copy = mkdtempSync(join(tmpdir(), 'cellar-mutant-'))
  try {
    for (const part of ['protocol', 'storage', 'node', 'test/sim', 'package.json', 'tsconfig.json'])
      cpSync(join(project, part), join(copy, part), { recursive: true })
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
    writeFileSync(join(copy, mutant.file), mutate(mutant))
    const said = await run(copy, seedsMax)
    const found = /^seed (\d+): (.*)$/m.exec(said)
    return found === null ? undefined : { seeds: Number(found[1]), said: (found[2] ?? '').slice(0, 120) }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function run(copy: string, seedsMax: number): Promise<string> {
  const seeds = ['--seeds', String(seedsMax), '--once', '--stop']
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', join(copy, 'test/sim/main.ts'), ...seeds],
      { cwd: copy, maxBuffer: 1 << 26 },
      (_error, stdout) => {
        resolve(stdout) // that it ends badly is what is looked for
      },
    )
  })
}
