// Runs a command and hands back what it printed; where it fails, what it said is the message.
import { execFile } from 'node:child_process'

export interface Where {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

export function run(command: string, args: readonly string[], { cwd, env }: Where): Promise<string> {
  const options = {
    cwd,
    env: { ...outsideOfTests(), ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 300_000,
  }
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout)
        return
      }
      const end = error.killed ? 'took too long' : (error.signal ?? `exit code ${error.code}`)
      reject(new Error(`${[command, ...args].join(' ')} (in ${cwd}): ${end}\n${stdout}${stderr}`))
    })
    child.stdin?.end()
  })
}

// A user's command knows nothing of the test runner and of the npm script that this one runs in.
function outsideOfTests(): NodeJS.ProcessEnv {
  const isOurs = (name: string) =>
    /^(NODE_TEST_CONTEXT|NODE_OPTIONS|VITEST.*|npm_config_json|npm_lifecycle_.*)$/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}
