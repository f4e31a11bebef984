// What programs of Debian's packages need to be run from where they were unpacked.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** Ends a program and waits until it has gone. */
export async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return
  const gone = once(program, 'exit')
  program.kill()
  await gone
}

/** The folders with a package's libraries, as `LD_LIBRARY_PATH` has them. */
export function librariesIn(parts: string): string {
  const folder = join(parts, 'usr/lib')
  // Some have none: what they need was on the machine before.
  if (!existsSync(folder)) return ''
  return readdirSync(folder)
    .filter((name) => name.includes('-linux-'))
    .map((name) => join(folder, name))
    .join(':')
}

/** A port for a program that cannot be told to take whichever is free. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  if (address === null || typeof address === 'string') throw new Error('expected a port')
  const closed = once(probe, 'close')
  probe.close()
  await closed
  return address.port
}
