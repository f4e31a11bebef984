// The demo itself: starts the shop, has its services call each other, and reports what came of it.
import { flushCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import { allowed } from './calls/allowed.ts'
import { exitCodeOf } from './calls/judge.ts'
import { perform } from './calls/perform.ts'
import { recorded } from './calls/recorded.ts'
import { refused } from './calls/refused.ts'
import { startMesh, type Mesh } from './mesh.ts'
import { ProcessGroup } from './processes/process-group.ts'
import { jsonLines } from './report/json-lines.ts'
import { Progress } from './report/progress.ts'
import { outcomesOf, type RecordsOfAll, type Report, type Result } from './report/report.ts'
import { createTable } from './report/table.ts'
import { serve } from './serve/serve.ts'
import { serviceNames, type ServiceName } from './workloads.ts'

const usage = `usage: npm run demo [-- --json | --serve]

  (nothing)  makes a fixed set of calls, shows a table, and exits with 1 if any went otherwise than expected
  --json     the same, as one JSON object a line for each call
  --serve    keeps the services up and prints lines for curl and grpcurl to try, until Ctrl-C`

type Mode = 'table' | 'json' | 'serve'

async function main(mode: Mode): Promise<void> {
  endOnSignals(mode)
  const progress = new Progress()
  const processes = new ProcessGroup()
  try {
    progress.begin()
    // What is loaded so far, the other processes need as well.
    flushCompileCache()
    const mesh = await startMesh(processes, progress, { showsRefusals: mode === 'serve' })
    progress.ready()
    if (mode === 'serve') {
      const reason = await serve(mesh, processes)
      throw reason
    }
    const experiments = [...allowed, ...recorded, ...refused]
    const report = mode === 'json' ? jsonLines : createTable({ allowed, recorded, refused })
    const results = await runAll(experiments, mesh, report)
    report.end(results, progress.elapsedMs, await recordsOf(mesh))
    process.exitCode = exitCodeOf(results.flatMap(outcomesOf))
  } finally {
    await processes.close()
  }
}

// One after the other: what a callee then tells of its decisions belongs to the one call that was made.
async function runAll(experiments: typeof allowed, mesh: Mesh, report: Report): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const experiment of experiments) {
    const outcomes = await perform(experiment.call, mesh)
    const [control] = experiment.control === undefined ? [] : await perform(experiment.control, mesh)
    const result = { experiment, outcomes, control }
    report.show(result)
    results.push(result)
  }
  return results
}

async function recordsOf({ services }: Mesh): Promise<RecordsOfAll> {
  const ask = async (name: ServiceName) => [name, await services[name].process.ask('records')] as const
  return new Map(await Promise.all(serviceNames.map(ask)))
}

// `process.exit` runs the handlers of `exit`, which end the processes and remove the files, whatever was under way.
function endOnSignals(mode: Mode): void {
  process.once('SIGINT', () => process.exit(mode === 'serve' ? 0 : 130))
  process.once('SIGTERM', () => process.exit(143))
  process.once('SIGHUP', () => process.exit(129))
  // Whoever reads the table may stop early, as `head` does.
  process.stdout.once('error', () => process.exit(1))
}

function parseMode(args: string[]): Mode | 'help' {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ args, options: { json: flag, serve: flag, help: flag } })
  if (values.help) return 'help'
  if (values.json && values.serve) throw new Error('expected --json or --serve, got both')
  return values.json ? 'json' : values.serve ? 'serve' : 'table'
}

try {
  const mode = parseMode(process.argv.slice(2))
  if (mode === 'help') console.log(usage)
  else await main(mode)
} catch (error) {
  console.error(`countersign: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
