// Every process loads core and a framework, and taking the types out of sources takes a second. So what comes of it is kept.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/** Keeps what this process and those that it starts compile, for each other and for the next run. */
export function shareCompiledCode(): void {
  const { directory } = enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/compiled'))
  // Undefined where that folder cannot be written: then all is as ever, only slower.
  if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] = directory
}
