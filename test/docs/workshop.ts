// A folder in which code from the documents is compiled and run, and which is gone afterwards.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url))

/** Below `test/node_modules`, so that the packages of this workspace are found and git sees nothing. */
export class Workshop {
  readonly folder: string

  constructor() {
    mkdirSync(cache, { recursive: true })
    this.folder = mkdtempSync(join(cache, 'documents-'))
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
