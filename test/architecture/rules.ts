// The rules that keep the flow readable: request → evidence → identity → policy → decision → enforcement.
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import type { Source } from './source.ts'

/** Upstream first: a room may import what stands before it. */
const rooms = ['request', 'evidence', 'identity', 'policy', 'decision', 'enforcement']

/** Used by all; they use none but each other. */
const leaves = [
  'cache',
  'clock',
  'events',
  'refusal.ts',
  'configuration-error.ts',
  'caller-unavailable-error.ts',
  'copy.ts',
]

/** The main path, the options it is made with, and the public faces. */
const overseers = [
  'adapters',
  'guard.ts',
  'main-path.ts',
  'options',
  'tls',
  'context.ts',
  'facts.ts',
  'mounting.ts',
  'index.ts',
  'adapter.ts',
  'certificate.ts',
  'token.ts',
]

/** Where a library, or a part of Node, may be imported; what is not listed may be imported everywhere. */
const homes: Record<string, readonly string[]> = {
  '@peculiar/x509': ['packages/testing/src/'],
  jose: ['packages/core/src/', 'packages/testing/src/'],
  '@marcbachmann/cel-js': ['packages/policy/src/condition/'],
  '@cedar-policy/cedar-wasm': ['packages/policy/src/cedar/'],
  yaml: ['packages/policy/src/document/'],
  'node:crypto': ['packages/core/src/', 'packages/testing/src/'],
}

const faces = [
  '@countersign/core',
  '@countersign/core/adapter',
  '@countersign/core/certificate',
  '@countersign/core/token',
]
/** What only some packages build upon. */
const foundations: Record<string, readonly string[]> = {
  '@countersign/decorators': ['packages/nest/src/'],
}
const core = 'packages/core/src/'

export function violationsIn(source: Source): string[] {
  const found = source.imports.map(({ specifier, line }) => {
    const why = specifier === undefined ? 'the path is computed' : whyNot(source.path, specifier)
    return why && `${source.path}:${line} imports ${specifier ?? 'something'}: ${why}`
  })
  const awaiting = source.topLevelAwaits.map(
    (line) => `${source.path}:${line} awaits while it loads: CommonJS could not require the package`,
  )
  return [...found.filter((violation) => violation !== undefined), ...awaiting]
}

function whyNot(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return whyNotFile(path, fileOf(path, specifier))
  if (/^[#/]/.test(specifier)) return 'files are imported by their relative path'
  return whyNotPackage(path, specifier)
}

function whyNotFile(path: string, target: string): string | undefined {
  const [, ownPackage] = /^(packages\/[^/]+\/src\/)/.exec(path) ?? []
  if (ownPackage && !target.startsWith(ownPackage)) return 'a package is imported by its name'
  if (!path.startsWith(core)) return undefined
  return whyNotRoom(placeOf(path), placeOf(target))
}

/** The room, leaf or file at the top of core's sources that a path lies in. */
const placeOf = (path: string) => path.slice(core.length).split('/')[0] ?? ''

function whyNotRoom(from: string, to: string): string | undefined {
  if (from === to || leaves.includes(to)) return undefined
  if (leaves.includes(from)) return `the leaf ${from} uses nothing but leaves`
  const isFromRoom = rooms.includes(from)
  if (!rooms.includes(to)) return isFromRoom ? `${to} stands above the rooms and no room knows it` : undefined
  const isUpstream = rooms.indexOf(to) < rooms.indexOf(from)
  if (isFromRoom) return isUpstream ? undefined : `${to} is downstream of ${from}`
  return overseers.includes(from) ? undefined : `only ${overseers.join(', ')} may see the rooms`
}

function whyNotPackage(path: string, specifier: string): string | undefined {
  // Under its second name, a part of Node would pass by the table above.
  const isSecondName = isBuiltin(specifier) && !specifier.startsWith('node:')
  if (isSecondName) return `parts of Node are imported as \`node:${specifier}\``
  const library = Object.keys(homes).find((name) => specifier === name || specifier.startsWith(`${name}/`))
  const allowed = library === undefined ? undefined : homes[library]
  const isAtHome = allowed?.some((home) => path.startsWith(home)) ?? true
  if (!isAtHome) return `allowed in ${allowed?.join(', ')} only`
  if (specifier === '@countersign/testing') return 'nothing that is published depends on the testing package'
  if (foundations[specifier]?.some((home) => path.startsWith(home))) return undefined
  if (specifier.startsWith('@countersign/') && !faces.includes(specifier)) return `use ${faces.join(' or ')}`
  return undefined
}

/** Circles of files that need each other to be loaded first; each once, as the list of its files. */
export function cyclesAmong(sources: readonly Source[]): string[][] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const finished = new Set<string>()
  const cycles: string[][] = []

  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path])
      return
    }
    if (finished.has(path)) return
    for (const { specifier, isErased } of byPath.get(path)?.imports ?? []) {
      if (!isErased && specifier?.startsWith('.')) visit(fileOf(path, specifier), [...trail, path])
    }
    finished.add(path)
  }

  for (const { path } of sources) visit(path, [])
  return cycles
}

const fileOf = (importer: string, specifier: string) => posix.join(posix.dirname(importer), specifier)

/** Folders whose name says nothing about what is in them. */
export function drawersAmong(paths: readonly string[]): string[] {
  const folders = new Set(paths.map((path) => posix.dirname(path)))
  return [...folders].filter((folder) => /(^|\/)(utils?|helpers?|common|misc|shared|lib)(\/|$)/.test(folder))
}
