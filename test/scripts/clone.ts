// A made-up clone in a temp folder: the real scripts, next to a workspace and a package manager that are stand-ins.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Clone extends Disposable {
  readonly root: string
  /** Writes a file of the clone, executable when it starts with `#!`. */
  write(path: string, text: string): void
  remove(path: string): void
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams
  startShell(command: string, env?: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome>
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export const pinnedPnpm = '12.21.0'

export function createClone(): Clone {
  const root = mkdtempSync(join(tmpdir(), 'countersign clone '))
  cpSync(fileURLToPath(new URL('../../scripts', import.meta.url)), join(root, 'scripts'), { recursive: true })
  const clone: Clone = {
    root,
    write(path, text) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      if (text.startsWith('#!')) chmodSync(file, 0o755)
    },
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    start: (args, env) => spawn(process.execPath, args, { cwd: root, env: { ...environment(root), ...env } }),
    startShell: (command, env) =>
      spawn('sh', ['-c', command], { cwd: root, env: { ...environment(root), ...env } }),
    run: (args, env) => outcomeOf(clone.start(args, env)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
  clone.write(
    'package.json',
    JSON.stringify({ engines: { pnpm: pinnedPnpm }, devDependencies: { tool: '1.0.0' } }),
  )
  clone.write('pnpm-lock.yaml', 'lockfileVersion: 9.0\n')
  clone.write('examples/mesh-demo/src/demo.ts', 'console.log(JSON.stringify(process.argv.slice(2)))')
  clone.write('node_modules/tool/package.json', JSON.stringify({ bin: { tool: './tool.js' } }))
  clone.write('node_modules/tool/tool.js', 'console.log("tool", ...process.argv.slice(2))')
  return clone
}

/** A PATH on which only Node, a shell and the stand-ins can be found, nothing else that this machine has. */
function environment(root: string): NodeJS.ProcessEnv {
  const bin = join(root, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const name of ['sh', 'sleep']) {
    const path = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find((file) => existsSync(file))
    if (path && !existsSync(join(bin, name))) symlinkSync(path, join(bin, name))
  }
  if (!existsSync(join(bin, 'node'))) symlinkSync(process.execPath, join(bin, 'node'))
  return { PATH: bin }
}

export function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.end()
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
