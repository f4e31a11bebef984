// Runs the task as if it had been started in this terminal directly.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { Failure } from './failure.mjs'

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} where
 * @returns {Promise<number>} the exit code
 */
export function runInForeground(command, args, where) {
  const child = spawn(command, args, { ...where, stdio: 'inherit' })
  const release = passSignalsTo(child)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Failure(`${command} could not be started: ${error.message}`)))
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  }).finally(release)
}

/**
 * While the child cleans up, this process stays: the shell's prompt must not come back before the child has ended.
 * @param {import('node:child_process').ChildProcess} child
 */
export function passSignalsTo(child) {
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    if (signal === 'SIGINT' && terminalSentItToAll()) return
    child.kill(signal)
  }
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
  for (const signal of signals) process.on(signal, pass)
  const parentWatch = watchForLostParent(() => pass('SIGTERM'))
  return () => {
    clearInterval(parentWatch)
    for (const signal of signals) process.off(signal, pass)
  }
}

// Ctrl-C reaches every process of the terminal's foreground group. Passed on once more, it would be the second
// Ctrl-C for the child, which many programs take for "stop at once, do not clean up".
function terminalSentItToAll() {
  return process.platform === 'win32' || [0, 1, 2].some((descriptor) => isatty(descriptor))
}

// npm passes a signal to the shell between it and this process, and most shells die of it without telling anyone.
/** @param {() => void} onLost */
function watchForLostParent(onLost) {
  if (!process.env['npm_lifecycle_event']) return undefined
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    onLost()
  }, 500)
  return watch.unref()
}
