/** Packs that the twin of the store lends: temporary files, for nobody but the one borrower. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LendOptions, LoanRecord, PackLoan } from './chunk-store.ts'
import { encodePackHeader, packBytesMax, packHeaderBytes, packName } from './pack/format.ts'

/** The loans of one store in memory. */
export class MemoryLoans {
  readonly #lent = new Set<number>()
  #directory: string | undefined
  #last = 0

  /** Lends an empty pack. */
  lend({ bytesMax = packBytesMax }: LendOptions): PackLoan {
    this.#directory ??= mkdtempSync(join(tmpdir(), 'rootcellar-lent-'))
    const pack = ++this.#last
    const path = join(this.#directory, packName(pack))
    writeFileSync(path, encodePackHeader(pack))
    this.#lent.add(pack)
    const longest = Math.min(bytesMax, packBytesMax)
    return { path, pack, offset: packHeaderBytes, bytesMax: longest, headroomBytes: 0 }
  }

  /** Reads what a borrower has appended, one after the other; fresh bytes. */
  *read(loan: PackLoan, records: readonly LoanRecord[]): Iterable<readonly [LoanRecord, Uint8Array]> {
    const fd = openSync(loan.path, 'r')
    try {
      for (const record of records) {
        const bytes = new Uint8Array(record.length)
        readSync(fd, bytes, 0, record.length, record.offset)
        yield [record, bytes]
      }
    } finally {
      closeSync(fd)
    }
  }

  /** Takes a pack back; one that was not lent is left alone. */
  giveBack({ pack, path }: PackLoan): void {
    if (!this.#lent.delete(pack)) return
    truncateSync(path, 0)
    rmSync(path, { force: true })
  }

  /** Removes all files. */
  close(): void {
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
  }
}
