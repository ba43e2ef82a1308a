// Puts the page of the dashboard together (dist/dashboard): one program, one style sheet, and what stands beside them.
// Everything is there at run time; nothing is fetched from anywhere else.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Builds the page, minified. */
export async function bundleDashboard() {
  const out = at('dist/dashboard')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  await build({
    entryPoints: { app: at('node/dashboard/page/main.tsx'), style: at('node/dashboard/page/style.css') },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    // The oldest that has what the page uses: `dialog`, `:has`, `AbortSignal.any`.
    target: ['chrome123', 'firefox124', 'safari17.5'],
    tsconfig: at('node/dashboard/page/tsconfig.json'),
    legalComments: 'none',
    logLevel: 'warning',
  })
  for (const name of ['index.html', 'icon.svg']) cpSync(at(`node/dashboard/page/${name}`), `${out}/${name}`)
  // Part of the page, and its licence asks to go with it.
  cpSync(at('node_modules/preact/LICENSE'), `${out}/preact-license.txt`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleDashboard()
