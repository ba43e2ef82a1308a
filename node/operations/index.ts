/** The methods of a node, each by the operation that answers it. */

import { CellarError } from '../../protocol/index.ts'
import type { CallContext, Handlers, Stats, StatsParams, VersionInfo } from '../api.ts'
import { dayOf } from '../activity/growth.ts'
import { stats } from '../browse/stats.ts'
import type { NodeParts } from '../parts.ts'
import { SnapshotReader } from '../snapshot-reader.ts'
import { VERSION } from '../version.ts'
import { runDrill } from '../watching/drill.ts'
import { runScrub } from '../watching/scrub.ts'
import { readerOf } from './backup.ts'
import { beginJob } from './begin-job.ts'
import { runCheck } from './check.ts'
import { changeConfig, listProfiles, listSettings, reloadConfig, showConfig } from './config.ts'
import { listDevices, removeDevice, renameDevice } from './devices.ts'
import { runForget } from './forget.ts'
import { runInvite } from './invite.ts'
import { endSuspicion, setLeaning } from './lean.ts'
import { listSnapshots, runDiff, runFind, runLs } from './look.ts'
import { answerOrder, listOrders, runRestoreOn } from './orders.ts'
import { runPin, runUnpin } from './pin.ts'
import { runProfileBackup } from './profile-backup.ts'
import { runPrune } from './prune.ts'
import { changeVault, confirmPaper, makePaper, recoveryInfo } from './recovery.ts'
import { listSchedule } from './scheduled.ts'
import { fetchRootChunks, openSource, sourceHere } from './sources.ts'
import { readStatus } from './status.ts'
import { runToldBackup } from './tell-backup.ts'
import { metricsText, testHook } from './telling.ts'
import { setThin } from './thin.ts'
import { listTrash } from './trash.ts'
import { runUndelete } from './undelete.ts'

/** One function for each method of a node. What is large and not of every command is loaded when it is asked for. */
export function handlersOf(parts: NodeParts): Handlers {
  const handlers: Handlers = {
    status: () => Promise.resolve(readStatus(parts)),
    version: () => Promise.resolve(versionInfo()),
    stop: () =>
      Promise.reject(
        new CellarError('NODE_NOT_RUNNING', 'no node is running here: this one was opened for one command'),
      ),
    dashboard: () =>
      Promise.reject(new CellarError('NODE_NOT_RUNNING', 'only a running node has a page in the browser')),
    devices: () => Promise.resolve(listDevices(parts)),
    deviceRemove: (params) => removeDevice(parts, params),
    deviceRename: (params) => renameDevice(parts, params),
    invite: (params, context) => runInvite(parts, params, context),
    backup: (params, context) => runToldBackup(parts, params, context),
    backupProfile: (params, context) => runProfileBackup(parts, params, context),
    schedule: () => Promise.resolve(listSchedule(parts)),
    configShow: () => Promise.resolve(showConfig(parts)),
    // What it throws is a rejection.
    configReload: async () => await Promise.resolve(reloadConfig(parts)),
    settings: () => listSettings(parts),
    configChange: (params) => changeConfig(parts, params),
    profiles: () => Promise.resolve(listProfiles(parts)),
    snapshots: (params, context) => listSnapshots(parts, params, context),
    ls: (params, context) => runLs(parts, params, context),
    find: (params, context) => runFind(parts, params, context),
    diff: (params, context) => runDiff(parts, params, context),
    dump: async (params, context) => (await import('./dump.ts')).runDump(parts, params, context),
    browse: async (params, context) => (await import('./files.ts')).runBrowse(parts, params, context),
    versions: async (params, context) => (await import('./files.ts')).runVersions(parts, params, context),
    search: async (params, context) => (await import('./search.ts')).runSearch(parts, params, context),
    stats: (params, context) => runStats(parts, params, context),
    restore: async (params, context) => (await import('./restore.ts')).runRestore(parts, params, context),
    restoreOn: (params, context) => runRestoreOn(parts, params, context),
    restoreOrders: (_params, context) => listOrders(parts, context.signal),
    restoreAnswer: (params, context) => answerOrder(parts, params, context.signal),
    check: (params, context) => runCheck(parts, params, context),
    scrub: (params, context) => runScrub(parts, params, context),
    drill: (params, context) => runDrill(parts, params, context),
    forget: (params, context) => runForget(parts, params, context),
    trash: () => Promise.resolve(listTrash(parts)),
    undelete: (params, context) => runUndelete(parts, params, context),
    pin: (params, context) => runPin(parts, params, context),
    unpin: (params) => runUnpin(parts, params),
    prune: (params, context) => runPrune(parts, params, context),
    deviceLean: (params) => setLeaning(parts, params),
    deviceThin: (params) => setThin(parts, params),
    recovery: () => Promise.resolve(recoveryInfo(parts)),
    recoveryNew: (params) => makePaper(parts, params),
    recoveryConfirm: (params) => confirmPaper(parts, params),
    vaultChange: () => changeVault(parts),
    hookTest: (params, context) => testHook(parts, params, context.signal),
    metrics: () => metricsText(parts),
    deviceTrust: (params) => endSuspicion(parts, params),
    watch: async (_params, context) => await (await import('./watch.ts')).runWatch(parts, context),
    activity: async (params) => await parts.history.page(params),
    growth: async ({ from }) => ({
      samples: await parts.growth.list(from, dayOf(parts.world.clock.nowMs())),
    }),
    copies: async (params) => (await import('./copies-view.ts')).readCopies(parts, params),
    jobCancel: ({ id }) => {
      const method = parts.begun.cancel(id) ?? parts.jobs.cancel(id)
      return Promise.resolve({ id, ...(method !== undefined && { method }) })
    },
    // What it throws is a rejection.
    jobBegin: async (params) => await Promise.resolve(beginJob(parts, params, handlers)),
    jobsBegun: () => Promise.resolve(parts.begun.list()),
  }
  return handlers
}

function versionInfo(): VersionInfo {
  return { version: VERSION, node_version: process.version, platform: `${process.platform}/${process.arch}` }
}

async function runStats(
  parts: NodeParts,
  params: StatsParams,
  context: CallContext<'stats'>,
): Promise<Stats> {
  const vault = readerOf(parts)
  await fetchRootChunks(parts, context.signal)
  const roots = parts.snapshots.choose(params.snapshots, params.filter).map(({ live }) => live.root)
  const elsewhere = roots.find((root) => !parts.store.isComplete(root))
  const { source, close } =
    elsewhere === undefined
      ? sourceHere(parts)
      : await openSource(parts, elsewhere, undefined, context.signal)
  try {
    return await stats(
      { reader: new SnapshotReader(source, vault), source, vault },
      roots,
      params.mode,
      context.signal,
    )
  } finally {
    await close()
  }
}
