// What can be run, and which script of the workspace that is.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.mjs'

/**
 * @typedef {object} Task
 * @property {string} does
 * @property {(root: string, args: string[]) => string[]} command what Node is called with
 */

/** @type {Record<string, Task>} */
const tasks = {
  demo: {
    does: 'the example mesh, in this terminal',
    command: (root, args) => [scriptAt(join(root, 'examples', 'mesh-demo', 'src', 'demo.ts')), ...args],
  },
  test: {
    does: 'the tests; arguments go to vitest',
    command: (root, args) => [binScript(root, 'vitest'), 'run', ...args],
  },
  interop: {
    does: 'with servers that others wrote, and in real time; needs APT, and three minutes',
    command: (root, args) => [binScript(root, 'vitest'), 'run', '--mode', 'interop', ...args],
  },
  matrix: {
    does: 'the conformance suite, and what it says of each framework: docs/frameworks.md; --check only compares',
    command: (root, args) => [scriptAt(join(root, 'scripts', 'conformance', 'matrix.mjs')), ...args],
  },
  bench: {
    does: 'what verification costs beside peers and limits, in ratios: bench cold warm mtls start memory growth …; --json, --quick, --write',
    command: (root, args) => [scriptAt(join(root, 'test', 'benchmarks', 'bench.ts')), ...args],
  },
  mutate: {
    does: 'mutation tests of the rooms that decide, or of those named: mutate policy identity/jws',
    command: (root, args) => [scriptAt(join(root, 'scripts', 'mutation', 'mutate.mjs')), ...args],
  },
  packages: {
    does: 'what users install: packs the packages and uses them on each Node',
    // One process: the packages are packed once, and two cores are not asked to install four projects at a time.
    command: (_, args) => ['--test', '--test-isolation=none', ...args, 'test/packaging/*.test.ts'],
  },
  build: {
    does: 'what is published, into the `dist` of each package, or of those named',
    command: (root, args) => [scriptAt(join(root, 'scripts', 'build.mjs')), ...args],
  },
  exec: {
    does: 'a tool of this workspace: exec oxlint --fix',
    command: (root, [bin, ...args]) => [binScript(root, bin), ...args],
  },
}

/**
 * @param {string | undefined} name
 * @returns {Task}
 */
export function taskNamed(name) {
  const task = name !== undefined && Object.hasOwn(tasks, name) ? tasks[name] : undefined
  if (task) return task
  const known = Object.entries(tasks).map(([each, { does }]) => `  ${each.padEnd(10)}${does}`)
  const problem = name === undefined ? 'expected a task' : `expected a task, got \`${name}\``
  throw new Failure([`${problem}; there are:`, ...known].join('\n'))
}

/** @param {string} path */
function scriptAt(path) {
  if (existsSync(path)) return path
  throw new Failure(`expected ${path} to exist: is this clone complete?`)
}

/**
 * The JavaScript behind a root dependency's bin. The shims in `node_modules/.bin` would do on Unix, but on Windows they
 * are batch files, which quote arguments in their own way and ask "Terminate batch job?" at Ctrl-C.
 * @param {string} root
 * @param {string | undefined} name
 */
function binScript(root, name) {
  if (name === undefined) throw new Failure('expected a tool after `exec`, for example `exec oxlint`')
  const { dependencies, devDependencies } = packageAt(root)
  for (const dependency of Object.keys({ ...dependencies, ...devDependencies })) {
    const folder = join(root, 'node_modules', ...dependency.split('/'))
    if (!existsSync(join(folder, 'package.json'))) continue
    const { bin } = packageAt(folder)
    const scripts = typeof bin === 'string' ? { [dependency]: bin } : bin
    if (scripts && Object.hasOwn(scripts, name)) return join(folder, scripts[name])
  }
  throw new Failure(
    `expected a tool of this workspace, got \`${name}\`, which no dependency of the root package brings`,
  )
}

/** @param {string} folder */
function packageAt(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
