/** Squares as one path of SVG. Pure. */

/** Joins what is dark in a row. @param rows - of equal length; true is dark */
export function squaresPath(rows: readonly (readonly boolean[])[]): string {
  return rows
    .flatMap((row, y) => {
      const runs: string[] = []
      for (let x = 0; x < row.length; x++) {
        if (row[x] !== true) continue
        const start = x
        while (row[x + 1] === true) x++
        const width = String(x - start + 1)
        runs.push(`M${String(start)} ${String(y)}h${width}v1h-${width}z`)
      }
      return runs
    })
    .join('')
}
