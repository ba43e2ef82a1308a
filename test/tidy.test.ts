/** House rules that no linter has. Each says, when broken, which file and which line. */

import assert from 'node:assert/strict'
import { dirname, posix } from 'node:path'
import ts from 'typescript'
import { ERRORS } from '../protocol/index.ts'
import { isInProject, projectFiles, projectText } from './tools/project.ts'

const columnsMax = 120
const fileLinesMax = 400
const functionLinesMax = 80
const readmeLinesMax = 40
const layers = ['protocol', 'storage', 'node', 'cli']
const readmeHeadings = ['Promise', 'Words', 'Who may enter', 'Never here', 'Where to start reading']

const code = projectFiles('.ts', '.tsx', '.mjs', '.cjs', '.js')
const product = code.filter((path) => layers.includes(path.split('/')[0]!))
const documents = projectFiles('.md')
const specs = documents.filter((path) => path.includes('/spec/'))
const texts = [...code, ...documents, ...projectFiles('.json', '.yml', '.sh', '/run').filter(isWritten)]

function isWritten(path: string): boolean {
  return path !== 'package-lock.json' && !path.startsWith('test/bench/results/')
}

/** Fails with all that was found, a line each. */
function assertNone(found: readonly string[]): void {
  assert.equal(found.length, 0, `\n${found.slice(0, 40).join('\n')}\n`)
}

/** Where lines match, as `path:line: text`. */
function linesMatching(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    projectText(path)
      .split('\n')
      .flatMap((line, n) => (pattern.test(line) ? [`${path}:${n + 1}: ${line.trim().slice(0, 160)}`] : [])),
  )
}

/** Names of headings as GitHub makes anchors of them. */
function anchors(markdown: string): Set<string> {
  const headings = markdown.match(/^#+ .*$/gm) ?? []
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Markdown without what stands in fences and in backticks. */
function proseOf(markdown: string): string {
  return markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '')
}

describe('the house is tidy', () => {
  it(`has no line of code over ${columnsMax} columns, but for a text that stands alone`, () => {
    const tooLong = linesMatching(code, new RegExp(`^.{${columnsMax + 1},}`, 'u'))
    const isText = /^[^:]*:\d+: (return |throw |it\(|[?:] |\w+=\{?|(const )?[\w.]+ = |\w+: )?['"`/]/
    // Tables of vectors have one case on each line.
    const isTable = /^test\/vectors\/generate\/[^:]*:\d+: \w+\('/
    assertNone(tooLong.filter((it) => !isText.test(it) && !isTable.test(it)))
  })

  it(`has no file of code over ${fileLinesMax} lines`, () => {
    assertNone(
      code.flatMap((path) => {
        const lines = projectText(path).split('\n').length - 1
        return lines > fileLinesMax ? [`${path}: ${lines} lines`] : []
      }),
    )
  })

  it(`has no function over ${functionLinesMax} lines`, () => {
    assertNone(code.flatMap(longFunctions))
  })

  it('leaves nothing for later in comments', () => {
    assertNone(
      linesMatching(
        texts,
        new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`),
      ),
    )
  })

  it('knows no path of the machine it was written on, and no registry', () => {
    const places = ['/wo' + 'rk/', '/ro' + 'ot/'].join('|')
    assertNone(linesMatching(texts, new RegExp(`(^|[\\s"'\`(=])(${places})`)))
    const hosts = ['registry\\.npm' + 'js\\.org', 'regis' + 'try\\.yarnpkg'].join('|')
    assertNone(linesMatching([...texts, 'package-lock.json'], new RegExp(hosts)))
    assertNone(linesMatching(['package-lock.json'], /"resolved": "(?!node_modules)/))
  })

  it('says one word for one thing', () => {
    const instead: Readonly<Record<string, string>> = {
      'white-?list(ed)?': 'allowed',
      'black-?list(ed)?': 'refused',
      'utili[sz]e[sd]?': 'use',
      'leverag(e|es|ing)': 'use',
      seamless: '(say what happens)',
      'back-?end': 'store or adapter',
    }
    for (const [word, better] of Object.entries(instead)) {
      const paths = [...product, ...documents].filter((path) => !path.startsWith('LICENSE'))
      assertNone(
        linesMatching(paths, new RegExp(`\\b${word}\\b`, 'i')).map((line) => `${line}  (say: ${better})`),
      )
    }
  })

  it('explains every error code in errors.md, and no other', () => {
    const spec = projectText('protocol/spec/errors.md')
    const codes = Object.keys(ERRORS)
    assertNone(codes.filter((it) => !spec.includes(`\`${it}\``)).map((it) => `missing: ${it}`))
    const named = [...spec.matchAll(/^\| *`([A-Z_]+)`/gm)].map((match) => match[1]!)
    assertNone(named.filter((it) => !codes.includes(it)).map((it) => `not in the table of errors: ${it}`))
  })

  it('names every numbered MUST of a spec in a vector or a test', () => {
    const checks = projectFiles()
      .filter(
        (path) =>
          path.startsWith('test/') && path !== 'test/tidy.test.ts' && /\.(ts|txt|json|md)$/.test(path),
      )
      .map(projectText)
      .join('\n')
    const numbered = specs.flatMap((path) => rulesOf(path).filter((it) => it.isMust))
    const isNamed = (id: string): boolean =>
      new RegExp(`\\b${id.replace('.', '\\.')}\\b(?!\\.\\d)`).test(checks)
    assertNone(
      numbered
        .filter(({ id }) => !isNamed(id))
        .map(({ path, id }) => `${path}: no vector or test names ${id}`),
    )
  })

  it('gives each rule of the specs a number of its own', () => {
    const seen = new Map<string, string>()
    const twice: string[] = []
    for (const { path, id } of specs.flatMap(rulesOf)) {
      const before = seen.get(id)
      if (before !== undefined) twice.push(`${id}: ${before} and ${path}`)
      seen.set(id, path)
    }
    assertNone(twice)
  })

  for (const layer of layers) {
    it(`introduces ${layer}/ in a README of at most ${readmeLinesMax} lines`, () => {
      const path = `${layer}/README.md`
      const text = projectText(path)
      const headings = (text.match(/^## .*$/gm) ?? []).map((heading) => heading.slice(3))
      assert.deepEqual(headings, readmeHeadings)
      assert.ok(
        text.split('\n').length - 1 <= readmeLinesMax,
        `${path} has ${text.split('\n').length - 1} lines`,
      )
    })
  }

  it('has no link in its documents that leads nowhere', () => {
    assertNone(documents.flatMap((path) => brokenLinks(path)))
  })

  it('says one version of Node everywhere', () => {
    const { engines } = JSON.parse(projectText('package.json')) as { engines: { node: string } }
    const lowest = /\d+\.\d+/.exec(engines.node)![0]
    const lock = JSON.parse(projectText('package-lock.json')) as {
      packages: Record<string, { engines?: { node: string } }>
    }
    assert.equal(lock.packages['']!.engines!.node, engines.node)
    for (const path of ['README.md', 'CONTRIBUTING.md']) {
      const said = [...projectText(path).matchAll(/Node(?:\.js)? (\d+\.\d+)/g)].map((match) => match[1])
      assert.ok(said.length > 0, `${path} does not say which Node`)
      assert.deepEqual([...new Set(said)], [lowest], path)
    }
  })

  it('locks every optional package, or npm ci refuses (node scripts/complete-lock.mjs)', () => {
    const { packages } = JSON.parse(projectText('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>
    }
    const missing = Object.entries(packages).flatMap(([at, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !(`node_modules/${name}` in packages || `${at}/node_modules/${name}` in packages))
        .map((name) => `${at}: ${name}`),
    )
    assertNone(missing)
  })

  it('names in its documents only scripts that package.json has', () => {
    const { scripts } = JSON.parse(projectText('package.json')) as { scripts: Record<string, string> }
    const missing = documents.flatMap((path) =>
      [...projectText(path).matchAll(/npm run ([a-z:]+)/g)]
        .filter((match) => scripts[match[1]!] === undefined)
        .map((match) => `${path}: npm run ${match[1]!}`),
    )
    assertNone(missing)
  })
})

/** The numbered rules of a spec: points of a list that begin with a number, and rows of a table headed MUST. */
function rulesOf(path: string): { path: string; id: string; isMust: boolean }[] {
  let isMustTable = false
  return projectText(path)
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith('|')) isMustTable = false
      else if (/^\|[^|]*\| *MUST *\|/.test(line)) isMustTable = true
      const id = /^(?:[*-] \*\*|\| *)([A-Z]{1,3}\d+\.\d+)\b/.exec(line)?.[1]
      return id === undefined ? [] : [{ path, id, isMust: isMustTable || line.includes('MUST') }]
    })
}

/** Functions with more lines than a screen; suites and tables, which only hold cases, may be longer. */
function longFunctions(path: string): string[] {
  const source = ts.createSourceFile(path, projectText(path), ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const lines = lineOf(node.end) - lineOf(node.getStart()) + 1
      const isSuite =
        path.startsWith('test/vectors/generate/') ||
        (path.startsWith('test/') && /^\s*(describe|it|contract\w*|for .*\n\s*it)\b/m.test(node.getText()))
      if (lines > functionLinesMax && !isSuite)
        found.push(`${path}:${lineOf(node.getStart())}: ${lines} lines`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Relative links of a document whose file or heading is not there. */
function brokenLinks(path: string): string[] {
  const links = [...proseOf(projectText(path)).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1]!)
  return links.flatMap((link) => {
    if (/^(https?|mailto):/.test(link)) return []
    const [file, anchor] = link.split('#') as [string, string | undefined]
    const target = file === '' ? path : posix.normalize(posix.join(dirname(path), file))
    if (!isInProject(target)) return [`${path}: ${link}`]
    const isThere =
      anchor === undefined || !target.endsWith('.md') || anchors(projectText(target)).has(anchor)
    return isThere ? [] : [`${path}: ${link}: no such heading`]
  })
}
