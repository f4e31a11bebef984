// The main path: know the task, set up what is missing, find a Node, hand over.
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from './failure.mjs'
import { runInForeground } from './foreground.mjs'
import { findNode } from './node.mjs'
import { setUp } from './set-up.mjs'
import { taskNamed } from './tasks.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** @param {string[]} words the task's name and its arguments */
export async function main([name, ...args]) {
  try {
    const task = taskNamed(name)
    await setUp(root)
    const node = findNode(root)
    process.exitCode = await runInForeground(node, task.command(root, args), {
      cwd: root,
      env: withFirstInPath(process.env, dirname(node)),
    })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`countersign: ${error.message}`)
    process.exitCode = 1
  }
}

/**
 * What the task itself starts as `node` is then the same Node.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder
 */
function withFirstInPath(env, folder) {
  // Windows spells the variable `Path`, and two spellings in one environment would be two variables.
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH'
  return { ...env, [name]: [folder, env[name]].filter(Boolean).join(delimiter) }
}
