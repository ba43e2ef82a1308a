/** What is explored: scenes in which all must hold, and mutants of them in which something must break. */

import type { Exploration } from './explore.ts'

/** A scene with all rules: explored in full, nothing breaks. */
export interface Scene extends Exploration {
  readonly name: string
  /** How many different states it has: a model that was changed shows here, also by mistake. */
  readonly states: number
  readonly says: string
}

/** A scene with a rule switched off: a state is found in which something does not hold. */
export interface Mutant extends Exploration {
  readonly name: string
  /** The invariant that has to break. */
  readonly breaks: 'S1' | 'S2' | 'I1' | 'I2' | 'L1'
  readonly says: string
}

type Settings = Exploration['settings']

const everythingReclaimed = 'forall h: Holder do !hasChunk[h] end'
/** What was forgotten by the cut: whatever was forgotten after it lives. */
const forgottenByTheCutGoes =
  'forall r: Root do newest > 0 & cut[r] -> forall h: Holder do !view[h][h].holds[r] end end'

/** Two devices that store; the desktop forgets, and does not lean. */
const twoHolders = { LAST_HOLDER: 3, LAST: 3, DESKTOP_LEANS: false }
const parallel = { SESSIONS: 2 }
const phone = { PHONE: 3, LAST: 3 }
const joining = { LAPTOP_JOINS: true, EPOCHS: 1, DESKTOP_LEANS: false }
const returning = { LAPTOP_RETURNS: true, EPOCHS: 2, DESKTOP_LEANS: false }
const cut = { FORGET_IS_CUT: true, EPOCHS: 1, DESKTOP_LEANS: false }
const closed = { CHAIN_IS_CLOSED: true, EPOCHS: 1, DESKTOP_LEANS: false }
const leanEnds = { LEAN_ENDS: true, EPOCHS: 1, DESKTOP_LEANS: false }
const logForks = { LOG_FORKS: true, EPOCHS: 1, DESKTOP_LEANS: false }
const diskBack = { DISK_GOES_BACK: true }
const databaseLost = { DATABASE_IS_LOST: true }
const undo = { UNDO: true }
const mute = { LAPTOP_IS_MUTE: true }
const chains = { WRITER_SEQ: 2 }
/** Both holders may let root 0 go, which alone is forgotten. */
const shedding = { ...twoHolders, ROUNDS: 1, ONLY_ROOT_0: true }
const forkedBefore = { ...shedding, ONE_SHEDS: true, LOG_FORKS: true, LOG_HAS_FORKED: true, EPOCHS: 1 }

const bothLean = { DESKTOP_LEANS: true }
const oneSheds = { ...shedding, ONE_SHEDS: true }
const short2 = { WRITER_SEQ: 2, HOLDER_SEQ: 2, FORGETTER_SEQ: 1 }

const LONG: readonly Scene[] = [
  deletion('three-roots', { ROOTS: 3 }, 721_806, 'two-writers, with three roots'),
  deletion('parallel-three-roots', { ...parallel, ROOTS: 3 }, 0, 'parallel-sessions, with three roots'),
  deletion('returns-both-lean', { ...returning, ...bothLean }, 2_490_064, 'returns; the desktop leans too'),
  deletion('cut-both-lean', { ...cut, ...bothLean }, 206_731, 'cut; the desktop leans too'),
  deletion('lean-ends-both-lean', { ...leanEnds, ...bothLean }, 389_939, 'lean-ends; the desktop leans too'),
  deletion('two-holders-joins', { ...twoHolders, ...joining }, 463_932, 'joins, with two holders'),
  deletion('two-holders-undo', { ...twoHolders, ...undo }, 0, 'undo, with two holders'),
  deletion('both-shed', shedding, 1_595_803, 'both holders may let go'),
  deletion(
    'all-forgotten',
    { ...oneSheds, ONLY_ROOT_0: false },
    1_308_161,
    'one-sheds; any root may be forgotten',
  ),
  deletion('one-sheds-log-forks', forkedBefore, 1_172_431, 'one-sheds, where the membership log has forked'),
  deletion('one-sheds-joins', { ...oneSheds, ...joining }, 0, 'one-sheds, while the laptop joins'),
  of('chains.m', 'chains-longer', {}, 435_385, 'chains, with one more listing of the writer'),
  of('chains.m', 'chains-two-holders', { ...short2, HOLDERS: 2 }, 0, 'shorter chains, two holders'),
  of('chains.m', 'chains-two-writers', { ...short2, WRITERS: 2 }, 0, 'shorter chains, two writers'),
  of('shed.m', 'shed-two-rounds', { ROUNDS: 2 }, 0, '3 holders, goal 1, 2 rounds'),
  of('shed.m', 'shed-four', { HOLDERS: 4, GOAL: 2, ROUNDS: 1 }, 0, '4 holders, goal 2, 1 round'),
  of('shed.pml', 'shed-two-rounds-spin', { ROUNDS: 2 }, 0, '3 holders, goal 1, 2 rounds, by SPIN'),
].map((scene) => ({ ...scene, isLong: true }))

/** Scenes; the short form leaves out the long ones. */
export const SCENES: readonly Scene[] = [
  deletion('two-writers', {}, 5_537, 'two writers that lean, one of them forgets; one holder'),
  deletion('parallel-sessions', parallel, 8_467, 'two sessions at a time on the laptop'),
  deletion('two-holders', twoHolders, 45_870, 'two holders, each with its own store'),
  deletion(
    'not-leaning',
    phone,
    107_837,
    'a third writer, which does not lean and lets go of what it sees held',
  ),
  deletion(
    'joins',
    { ...joining, DESKTOP_LEANS: true },
    131_547,
    'the laptop is admitted while others forget',
  ),
  deletion('returns', returning, 145_943, 'the laptop is removed, and returns as a new incarnation'),
  deletion('cut', cut, 12_815, 'the right to forget ends, cut before forgets that horizons cover'),
  deletion('lean-ends', leanEnds, 31_721, 'the right to lean is taken from the laptop'),
  deletion(
    'closed',
    closed,
    15_970,
    'the desktop is removed; who leans may have heard more of it than its cut',
  ),
  deletion('log-forks', logForks, 10_255, 'two entries of one number, one of which admits the laptop'),
  deletion('disk-goes-back', diskBack, 81_560, 'the disk of the laptop is put back; others keep S2'),
  deletion('database-lost', databaseLost, 9_801, 'a holder loses all listings but its own, at any time'),
  deletion('undo', undo, 14_208, 'a holder announces a forgotten root anew'),
  {
    ...deletion('liveness', {}, 5_537, 'L1: from every state all can be reclaimed'),
    alwaysReachable: everythingReclaimed,
  },
  {
    ...deletion(
      'liveness-removal',
      { ...mute, LAPTOP_RETURNS: true, EPOCHS: 1 },
      24_071,
      'L1: a mute laptop is removed',
    ),
    alwaysReachable: everythingReclaimed,
  },
  {
    ...deletion('liveness-closed', closed, 15_970, 'L1: what was forgotten by the cut can be let go'),
    alwaysReachable: forgottenByTheCutGoes,
  },
  deletion(
    'one-sheds',
    { ...shedding, ONE_SHEDS: true },
    60_751,
    'one of two holders lets go of a root that is forgotten meanwhile',
  ),
  of('chains.m', 'chains', chains, 251_105, 'listings that come late; the chain of the forgetter forks'),
  of('shed.m', 'shed', { ROUNDS: 1 }, 45_216, '3 holders, goal 1, 1 round'),
  of('shed.m', 'shed-goal-2', { GOAL: 2, ROUNDS: 1 }, 9_033, '3 holders, goal 2, 1 round'),
  of('shed.pml', 'shed-spin', {}, 270_026, '3 holders, goal 1, 1 round, by SPIN from a text of its own'),
  ...LONG,
]

/** What must break when a rule is switched off. */
export const MUTANTS: readonly Mutant[] = [
  broken('R3-marks-from-database', { ...databaseLost, R3_OWN_HOLDS: false }, 'S1', 'own holds are no marks'),
  broken('R4-no-pin', { R4_PIN: false }, 'S2', 'the horizon goes on while a session is open'),
  broken(
    'R4-newest-pin-only',
    { ...parallel, R4_ALL_PINS: false },
    'S2',
    'closing a session forgets the other pin',
  ),
  broken('R4-own-entry-implied', { R4_OWN_ENTRY: false }, 'S2', 'who forgets covers it in the same breath'),
  broken('R4-horizon-before-root', { R4_TOGETHER: false }, 'S2', 'the root ships after the horizon'),
  broken('R5-dead-root', { R5_LIVE: false }, 'S2', 'leaning on what is forgotten and still held'),
  broken(
    'R5-no-epoch',
    { ...joining, R5_EPOCH: 0 },
    'S2',
    'leaning on a holder that does not know the leaner',
  ),
  broken(
    'R5-admission-epoch-and-void-forgets',
    { ...cut, R5_EPOCH: 1, R5_UNNAMED: false },
    'S2',
    'a cut voids a forget that horizons cover; a holder that does not know goes by it',
  ),
  broken(
    'R5-shedding-holder-and-R7-older-epoch',
    {
      ...shedding,
      ...joining,
      ONE_SHEDS: true,
      INTENT_IS_SEEN: true,
      R5_NOT_SHEDDING: false,
      R7_EPOCH: false,
    },
    'S2',
    'leaning on what its holder lets go, to one that does not know the leaner',
  ),
  broken('R6-no-horizon-wait', { R6_HORIZON: false }, 'S2', 'reclaiming at once'),
  broken('R6-hearsay', { R6_FIRST_HAND: false }, 'S2', "the desktop's word for the laptop's horizon"),
  broken('R6-unknown-root', { R6_UNKNOWN: false }, 'S2', 'a root that nobody has whole is passed over'),
  broken(
    'R6-former-leaner',
    { ...leanEnds, R6_FORMER: false },
    'S2',
    'what leaned before the right ended is passed over',
  ),
  broken('R7-bypass', { ...shedding, R7_LIVE: false }, 'S2', 'shedding ends although the root was forgotten'),
  broken(
    'R7-other-roots',
    { ...shedding, R7_ALL_ROOTS: false },
    'I1',
    'chunks go that another root held here has',
  ),
  broken(
    'R8-no-flush',
    { ...returning, R8_FLUSH: false },
    'S2',
    'a session and a horizon outlive the removal',
  ),
  broken(
    'R8-no-freeze',
    { ...logForks, R8_FREEZE: false },
    'S2',
    'leaning goes on though the log is known to fork',
  ),
  broken(
    'R8-no-freeze-of-removal',
    { ...forkedBefore, R8_FREEZE_RECLAIM: false, R8_FREEZE_SHED: false },
    'S2',
    'shedding and reclaiming go on though the log is known to fork',
  ),
  broken(
    'R11-not-anew',
    { ...diskBack, R11_ANEW: false },
    'S2',
    'a disk that went back, and goes on as the same',
  ),
  broken('undo-not-held', { ...undo, UNDO_HELD: false }, 'S1', 'what is not here is announced anew'),
  {
    ...broken(
      'L1-mute-leaner',
      mute,
      'L1',
      'the price: who leans and is silent stops reclaiming until it is removed',
    ),
    alwaysReachable: everythingReclaimed,
  },
  {
    ...broken('R4-beyond-the-cut', { ...closed, R4_CUT: false }, 'L1', 'a horizon stays beyond the cut'),
    alwaysReachable: forgottenByTheCutGoes,
  },
  {
    ...broken(
      'R4-never-back',
      { ...closed, R4_BACK: false },
      'L1',
      'a listing that goes back to the cut is refused',
    ),
    alwaysReachable: forgottenByTheCutGoes,
  },
  brokenChains('R4-no-pin-of-chains', { R4_PIN: false }, 'late listings, no pin'),
  brokenChains('R5-void-forgets', { R5_UNNAMED: false }, 'a fork voids a forget that horizons cover'),
  brokenChains('R6-seq-only', { R6_HASH: false }, 'a number means two things after a fork'),
  brokenChains('R6-unknown-hash', { R6_KNOWN: false }, 'a number beyond the chain known here counts'),
  ...brokenShed('R7-no-intent', { R7_INTENT: false }, { NO_INTENT: true }, 'nothing is announced'),
  ...brokenShed('R7-no-sight', { R7_SIGHT: 0 }, { SIGHT: 0 }, 'nobody needs to have seen the intent'),
  ...brokenShed(
    'R7-older-sight',
    { R7_SIGHT: 1, ROUNDS: 2 },
    { SIGHT: 1, ROUNDS: 2, GOAL: 2 },
    'sight of an earlier round',
  ),
  ...brokenShed(
    'R7-others-shed',
    { R7_NOT_SHEDDING: false },
    { NO_NOT_SHEDDING: true },
    'who sheds too counts',
  ),
]

function of(model: Scene['model'], name: string, settings: Settings, states: number, says: string): Scene {
  return { name, model, settings, states, says }
}

function deletion(name: string, settings: Settings, states: number, says: string): Scene {
  return of('deletion.m', name, settings, states, says)
}

function broken(name: string, settings: Settings, breaks: Mutant['breaks'], says: string): Mutant {
  return { name, model: 'deletion.m', settings, breaks, says }
}

function brokenChains(name: string, settings: Settings, says: string): Mutant {
  return { name, model: 'chains.m', settings: { ...chains, ...settings }, breaks: 'S2', says }
}

/** Once by each checker: they read texts that were written apart. */
function brokenShed(name: string, settings: Settings, defines: Settings, says: string): Mutant[] {
  return [
    { name, model: 'shed.m', settings, breaks: 'I2', says },
    { name: `${name}-spin`, model: 'shed.pml', settings: defines, breaks: 'I2', says },
  ]
}
