// `npm run bench [cold] [warm] … [-- --json] [-- --quick] [-- --write]`: prints Markdown, or JSON; or keeps what it found, in docs/performance.md.
import type { Plan } from './measure.ts'
import { cold } from './parts/cold.ts'
import { flood } from './parts/flood.ts'
import { growth } from './parts/growth.ts'
import { hostile } from './parts/hostile.ts'
import { http } from './parts/http.ts'
import { memory } from './parts/memory.ts'
import { mtls } from './parts/mtls.ts'
import { start } from './parts/start.ts'
import { warm } from './parts/warm.ts'
import { keep } from './page.ts'
import { markdownOf, type Figures, type Report, type Table } from './report.ts'

const parts: Readonly<Record<string, (plan: Plan) => Promise<readonly (Table | Figures)[]>>> = {
  cold,
  warm,
  hostile,
  http,
  flood,
  mtls,
  start,
  memory,
  growth,
}

const asked = process.argv.slice(2)
const options = new Set(asked.filter((word) => word.startsWith('--')))
const named = asked.filter((word) => !word.startsWith('--'))
const unknown = named.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0) {
  throw new Error(`expected some of ${Object.keys(parts).join(', ')}, got ${unknown.join(', ')}`)
}

const plan: Plan = options.has('--quick') ? { rounds: 3, times: 300 } : { rounds: 7, times: 2500, warmUps: 3 }
const tables: (Table | Figures)[] = []
for (const [name, part] of Object.entries(parts)) {
  if (named.length === 0 || named.includes(name)) tables.push(...(await part(plan)))
}
const report: Report = {
  date: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  tables,
}
if (options.has('--write')) keep(tables)
else console.log(options.has('--json') ? JSON.stringify(report) : markdownOf(report))
