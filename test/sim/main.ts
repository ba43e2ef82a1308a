/** `npm run sim`: runs seeds, each twice when asked, and says what was exercised (README.md). */
import { runSeed } from './run.ts'
const [from = '1', to = from, flag] = process.argv.slice(2)
const sum = new Map<string, number>()
const t = process.hrtime.bigint()
for (let seed = Number(from); seed <= Number(to); seed++) {
  const r = await runSeed(seed, flag === '--trace' ? { show: (l) => { console.log(l) } } : {})
  for (const [k, n] of r.counts) sum.set(k, (sum.get(k) ?? 0) + n)
  if (r.violation || from === to) console.log(seed, r.digest, r.events, r.simulatedMs / 1000, r.violation?.message.slice(0, 1500))
}
console.log('events', sum.get('events of steps'), sum.get('events'), [...sum].filter(([k]) => k.startsWith('refused restore')||k.startsWith('refused back')))
const c = process.cpuUsage(); console.log('cpu', (c.user + c.system) / 1e6)
console.log(Number(process.hrtime.bigint() - t) / 1e9, 's')
