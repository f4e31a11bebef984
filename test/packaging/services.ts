// A project with a small service for each adapter. There is one text for each, which `tsc` compiles as it does for users: to an ES module,
// which imports, and to CommonJS, which requires.
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createProject, type Project } from './project.ts'
import type { Releases } from './releases.ts'
import { tarballs, tool } from './tarballs.ts'

export interface Services {
  readonly project: Project
  readonly releases: Releases
  /** What the compiler says of the services and of our types. */
  readonly complaints: readonly string[]
}

/** With these releases of frameworks, and what else is taken from the registry. */
export async function createServices(releases: Releases, others: Releases): Promise<Services> {
  const packages = tarballs.map(({ name }) => name)
  const platform = { '@nestjs/platform-express': releases['@nestjs/common'] ?? '' }
  const dependencies = { '@types/node': '22.20.4', ...platform, ...others, ...releases }
  const project = await createProject('service', packages, dependencies)
  for (const [kind, type] of [
    ['modules', 'module'],
    ['commonjs', 'commonjs'],
  ] as const) {
    cpSync(join(project.folder, 'services'), join(project.folder, kind), { recursive: true })
    writeFileSync(join(project.folder, kind, 'package.json'), JSON.stringify({ type }))
  }
  rmSync(join(project.folder, 'services'), { recursive: true })
  return { project, releases, complaints: await compile(project.folder) }
}

async function compile(folder: string): Promise<readonly string[]> {
  try {
    await tool('tsc', '-p', folder, '--pretty', 'false')
    return []
  } catch (error) {
    const lines = String(error)
      .split('\n')
      .filter((line) => line.includes(': error TS'))
    if (lines.length === 0) throw error
    return lines.filter((line) => !isOfOthers.test(line))
  }
}

// What the types of other libraries, in their oldest releases above all, get wrong among themselves is theirs.
const isOfOthers = /^[^(]*\/node_modules\/(?!@countersign\/)[^(]*\(/
