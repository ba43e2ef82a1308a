/** The page to print: all that somebody needs who has nothing left but paper (node/spec/recovery.md §5). Pure. */

import encodeQR from 'qr'

/** What the page says. */
export interface KitFacts {
  /** Short id of the mesh. */
  readonly mesh: string
  /** Milliseconds since 1970. */
  readonly madeMs: number
  /** The 24 words; undefined: lines to write them on. */
  readonly words: readonly string[] | undefined
  readonly devices: readonly KitDevice[]
}

/** A device on the page. */
export interface KitDevice {
  readonly name: string
  readonly role: string
  /** HOST:PORT. */
  readonly addresses: readonly string[]
}

const wordCount = 24

/** No script, no picture, no font from elsewhere: the page asks nobody for anything, so that nobody learns of it. */
const policy = "default-src 'none'; style-src 'unsafe-inline'"

const style = `
  @page { margin: 15mm }
  body { font: 11pt/1.4 serif; color: #000; background: #fff; max-width: 180mm; margin: 0 auto }
  h1 { font-size: 18pt; margin: 0 0 2mm } h2 { font-size: 12pt; margin: 5mm 0 1mm }
  .phrase { display: flex; gap: 8mm; align-items: flex-start; border: 0.4mm solid #000; padding: 4mm }
  ol { columns: 3; margin: 0; padding-left: 9mm; font: 12pt/1.7 monospace; flex: 1 }
  li.line { border-bottom: 0.2mm solid #000; height: 7mm; break-inside: avoid }
  svg { width: 38mm; height: 38mm; flex: none }
  table { border-collapse: collapse; width: 100% }
  td, th { text-align: left; border-bottom: 0.2mm solid #999; padding: 1mm }
  code { font: 10pt monospace } p { margin: 1mm 0 }
`

/** The whole page, HTML that needs nothing else. */
export function kitPage(facts: KitFacts): string {
  const made = new Date(facts.madeMs).toISOString().slice(0, 10)
  const left = facts.devices.find(({ addresses }) => addresses.length > 0)?.addresses[0] ?? 'HOST:PORT'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<title>Rootcellar recovery kit</title>
<style>${style}</style>
</head>
<body>
<h1>Rootcellar recovery kit</h1>
<p>Mesh <code>${escape(facts.mesh)}</code>, made ${made}. Whoever has the words below can read every backup:
keep this page where neither fire nor thieves get it, and not beside the devices.</p>
<h2>Recovery phrase</h2>
${phraseBlock(facts.words)}
<h2>When all is lost but one device</h2>
<ol class="steps" style="columns: 1; font: inherit">
<li>On a new computer with Linux, install Rootcellar, of this version or a newer one.</li>
<li>Switch on any device of the list below, or bring its disk to life again. It need not be able to read anything.</li>
<li>Type <code>cellar recover</code>, or <code>cellar recover --at ${escape(left)}</code> with the address that it has
now, and then the words. Four letters of each are enough.</li>
<li>Type <code>cellar start</code>, and in another window
<code>cellar restore latest --target /home/you/back</code>.</li>
<li>Type <code>cellar recovery new</code>, and print a new page: the words have been used.</li>
</ol>
<h2>The devices, when this page was made</h2>
<table>
<tr><th>Name</th><th>Role</th><th>Addresses</th></tr>
${facts.devices.map(deviceRow).join('\n')}
</table>
</body>
</html>
`
}

function phraseBlock(words: readonly string[] | undefined): string {
  if (words === undefined) {
    const lines = Array.from({ length: wordCount }, () => '<li class="line"></li>').join('')
    return `<div class="phrase"><ol class="words">${lines}</ol></div>`
  }
  const items = words.map((word) => `<li>${escape(word)}</li>`).join('')
  const code = encodeQR(words.join(' '), 'svg', { ecc: 'medium', border: 4 })
  return `<div class="phrase"><ol class="words">${items}</ol>${code}</div>`
}

function deviceRow({ name, role, addresses }: KitDevice): string {
  const where = addresses.map((address) => `<code>${escape(address)}</code>`).join('<br>')
  return `<tr><td>${escape(name)}</td><td>${escape(role)}</td><td>${where}</td></tr>`
}

/** Names of devices come from others. */
function escape(text: string): string {
  const codes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (sign) => codes[sign] ?? sign)
}
