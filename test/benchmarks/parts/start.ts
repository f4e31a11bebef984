import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { createTestCa } from '@countersign/testing'
import { countersignPrograms, jose, peerPrograms } from '../contenders/programs.ts'
import { installPackages, sizeOf } from '../installed.ts'
import type { Plan } from '../measure.ts'
import type { Figures, Table } from '../report.ts'
import { compareTurns } from '../turns.ts'

/** What a service waits for before it can listen, and what it installs for that. */
export async function start({ rounds }: Plan): Promise<readonly (Table | Figures)[]> {
  const { bundle } = await createTestCa({ trustDomain: 'shop.example' })
  const programs = [jose, ...countersignPrograms(bundle), ...peerPrograms]
  const folder = installPackages([...new Set(peerPrograms.flatMap(({ packages }) => packages))])
  try {
    const measured = [jose, jose, ...programs.slice(1)].map(({ name, text }, i) => ({
      name: i === 0 ? 'baseline' : i === 1 ? 'jose alone' : name,
      // Beside a process that does nothing, which is most of the cost of any.
      cost: async () => (await cpuOf(text, folder)) - (await cpuOf('', folder)),
    }))
    return [
      {
        part: 'start',
        title: 'Start: loading and registering',
        unit: 'CPU of importing jose, beyond that of an empty process',
        rows: await compareTurns(measured, rounds),
      },
      {
        part: 'start',
        title: 'Start: what is installed',
        text: 'Each with all that it depends on, frameworks not counted.',
        columns: ['packages', 'files', 'KB'],
        figures: [jose, ...countersignPrograms('').slice(0, 1), ...peerPrograms].map(({ name, packages }) => {
          const size = sizeOf(folder, packages)
          return { name, values: [size.packages, size.files, size.bytes / 1000] }
        }),
      },
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Microseconds of CPU of a whole process that runs a program, up to its last line. */
async function cpuOf(text: string, cwd: string): Promise<number> {
  const program = `${text}
    const { user, system } = process.cpuUsage()
    console.log(user + system)
    process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd })
  return Number(stdout)
}

const run = promisify(execFile)
