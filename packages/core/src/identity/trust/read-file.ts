import { readFile, stat } from 'node:fs/promises'
import { maxBytes } from './fetch-document.ts'

/**
 * Reads a file that may be replaced at any time, through whatever links lead to it. A pipe or a device would never end, so it is none.
 * Rejects with a sentence for the operator.
 */
export async function readWholeFile(
  path: string,
  signal: AbortSignal,
  limit: number = maxBytes,
): Promise<Buffer> {
  const file = await orUnreadable(stat(path), path)
  if (!file.isFile()) throw new Error(`\`${path}\` is not a file`)
  if (file.size > limit) throw new Error(`the file \`${path}\` is longer than ${limit} bytes`)
  return orUnreadable(readFile(path, { signal }), path)
}

// One sentence, whichever step fails: what is told once for each problem would else be told for each step.
async function orUnreadable<T>(attempt: Promise<T>, path: string): Promise<T> {
  return attempt.catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the file \`${path}\` cannot be read (${error.code ?? error.name})`)
  })
}
