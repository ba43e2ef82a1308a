/** The door of `storage/`: chunks on one disk, and a small catalog beside them. */
export {
  type Catalog,
  type CatalogChange,
  type CatalogRange,
  memoryCatalog,
  openCatalog,
} from './catalog.ts'
export type {
  ChunkPlace,
  ChunkStore,
  CompactOptions,
  Freed,
  FreedOptions,
  LendOptions,
  LoanRecord,
  PackLoan,
  Problem,
  ProblemKind,
  PutOptions,
  ReclaimOptions,
  ReclaimProgress,
  ReclaimResult,
  ScrubbedPack,
  ScrubOptions,
  StoreStats,
  UnusedChunk,
  VerifyOptions,
  VerifyProgress,
} from './chunk-store.ts'
export type { Disk, DiskFile } from './disk.ts'
export { MappedPages } from './mapped-pages.ts'
export { memoryStore } from './memory-store.ts'
export { isUnusedStore, openStore, type StoreOptions } from './open-store.ts'
export { openAppender, type PackAppender } from './pack/appender.ts'
export { placeReader, type PlaceReader } from './pack/place.ts'
