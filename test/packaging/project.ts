// A user's project: an empty folder, our tarballs, and what else the user takes from the registry.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeAt } from '../../scripts/node-version.mjs'
import { run } from './run.ts'
import { tarballs } from './tarballs.ts'

/** The Node versions that a release is made for, newest of each line. */
export const nodeVersions = ['22.23.3', '24.21.0', '26.10.0'] as const
export type NodeVersion = (typeof nodeVersions)[number]

const nodes = new Map<NodeVersion, string>(nodeVersions.map((version) => [version, nodeAt(version)]))

/** What tests wait for runs in processes of their own. */
export const sideBySide = { concurrency: availableParallelism() } as const

export interface Project {
  readonly folder: string
  /** Runs a file of the project on this Node and hands back what it printed. */
  node(version: NodeVersion, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>
}

/**
 * @param files the folder below `consumer` that the project begins with
 * @param packages those of ours that it uses, without what they depend on
 */
export async function createProject(
  files: string,
  packages: readonly string[],
  dependencies: Readonly<Record<string, string>>,
): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-user-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  cpSync(fileURLToPath(new URL(`consumer/${files}`, import.meta.url)), folder, { recursive: true })
  const packed = tarballs
    .filter(({ name }) => packages.includes(name))
    .map(({ name, path }) => [name, `file:${path}`])
  const manifest = { private: true, dependencies: { ...Object.fromEntries(packed), ...dependencies } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder })
  const path = (version: NodeVersion) => nodes.get(version) ?? nodeAt(version)
  return { folder, node: (version, args, env = {}) => run(path(version), args, { cwd: folder, env }) }
}
