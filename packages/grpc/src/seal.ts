import { ConfigurationError } from '@countersign/core'
import { listed, sealCensus, type Guard, type SealAdvice } from '@countersign/core/adapter'
import type { Server } from '@grpc/grpc-js'
import { protectionOf } from './countersign.ts'
import { interceptorsOf, pathsOf } from './framework.ts'
import type { Protection } from './protection.ts'

/**
 * Checks the methods of a server before it listens: `await sealRoutes(server)`, when all services are added. Rejects with a
 * ConfigurationError that names every declared path that the server does not have and, under `undeclared: 'fail-start'`, every method of
 * which nobody says who may call it; otherwise those are told to the log. What is added later is guarded as ever.
 */
export function sealRoutes(server: Server): Promise<void> {
  return new Promise((resolve) => {
    seal(server)
    resolve()
  })
}

/** The same at once. `guard`: the one that has to stand before the server. */
export function seal(server: Server, guard?: Guard): void {
  const protection = protectionIn(server)
  if (guard !== undefined && guard !== protection.guard) throw notUsed()
  const paths = pathsOf(server)
  const unknown = protection.declaredBeside(paths)
  if (unknown.length > 0) {
    throw new ConfigurationError(
      `countersign(…, { '${unknown[0] ?? ''}': … })`,
      `the server has no ${listed(unknown)}: write the path of a method, after server.addService(…)`,
    )
  }
  protection.seal(paths)
  const isOwn = new Set(paths)
  sealCensus(
    protection.guard,
    protection.census().filter(({ path }) => isOwn.has(path)),
    advice,
  )
}

function protectionIn(server: Server): Protection {
  const [protection, second] = interceptorsOf(server)
    .map(protectionOf)
    .filter((each) => each !== undefined)
  if (protection === undefined) throw notUsed()
  if (second === undefined) return protection
  throw new ConfigurationError(
    'countersign',
    'two of them stand before one server: write all methods in one, with one guard',
  )
}

const notUsed = (): ConfigurationError =>
  new ConfigurationError(
    'guard',
    'the server does not use it: write new Server({ interceptors: [countersign(guard, …)] })',
  )

const advice: SealAdvice = {
  misplaced: 'declare it in countersign(…)',
  undeclared:
    "name each in protect(…), with requireScopes('…'), or unprotected('why') if everybody may call it",
  unguarded: 'write new Server({ interceptors: [countersign(guard, …)] })',
}
