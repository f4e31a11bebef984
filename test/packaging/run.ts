// Runs a command and hands back what it printed; where it fails, what it said is the message.
import { spawnSync } from 'node:child_process'

export interface Where {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

export function run(command: string, args: readonly string[], { cwd, env }: Where): string {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...outsideOfTests(), ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 300_000,
  })
  if (status === 0) return stdout
  const end = error?.message ?? signal ?? `exit code ${status}`
  throw new Error(`${[command, ...args].join(' ')} (in ${cwd}): ${end}\n${stdout}${stderr}`)
}

// A user's command knows nothing of the test runner and of the npm script that this one runs in.
function outsideOfTests(): NodeJS.ProcessEnv {
  const isOurs = (name: string) =>
    /^(NODE_TEST_CONTEXT|NODE_OPTIONS|VITEST.*|npm_config_json|npm_lifecycle_.*)$/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}
