// Reads one source file with a real parser: what it imports, in whichever form, and what it awaits while it loads.
import { parseAst } from 'vitest/node'

export interface Source {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly imports: readonly Import[]
  readonly topLevelAwaits: readonly number[]
}

export interface Import {
  /** `undefined` where the path is computed. */
  readonly specifier: string | undefined
  readonly line: number
  /** Gone when the file is compiled (`import type`), so that nothing is loaded for it. */
  readonly isErased: boolean
}

interface Node {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

export function parseSource(path: string, code: string): Source {
  const imports: Import[] = []
  const topLevelAwaits: number[] = []
  const lineOf = (node: Node) => code.slice(0, node.start).split('\n').length

  function visit(node: Node, isInFunction: boolean): void {
    const imported = importedBy(node)
    if (imported) imports.push({ ...imported, line: lineOf(node), isErased: isErased(node) })
    if (awaits(node) && !isInFunction) topLevelAwaits.push(lineOf(node))
    for (const child of childrenOf(node)) visit(child, isInFunction || isFunction(node))
  }

  visit(parseAst(code, { lang: 'ts', sourceType: 'module' }, path) as unknown as Node, false)
  return { path, imports, topLevelAwaits }
}

/** Types count: a room that names another room's type knows that room. */
function importedBy(node: Node): { specifier: string | undefined } | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return { specifier: textOf(node['source']) }
    case 'ExportNamedDeclaration':
      return isNode(node['source']) ? { specifier: textOf(node['source']) } : undefined
    case 'TSExternalModuleReference':
      return { specifier: textOf(node['expression']) }
    case 'CallExpression':
      return loadsModule(node['callee']) ? { specifier: textOf(firstOf(node['arguments'])) } : undefined
    default:
      return undefined
  }
}

/** `require(…)`, `require.resolve(…)` and `import.meta.resolve(…)`. */
function loadsModule(callee: unknown): boolean {
  if (!isNode(callee)) return false
  if (callee.type === 'Identifier') return callee['name'] === 'require'
  const property = callee['property']
  if (callee.type !== 'MemberExpression' || !isNode(property) || property['name'] !== 'resolve') return false
  const object = callee['object']
  return isNode(object) && (object.type === 'MetaProperty' || object['name'] === 'require')
}

function isErased(node: Node): boolean {
  return node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type'
}

function awaits(node: Node): boolean {
  return (
    node.type === 'AwaitExpression' ||
    (node.type === 'ForOfStatement' && node['await'] === true) ||
    (node.type === 'VariableDeclaration' && node['kind'] === 'await using')
  )
}

const isFunction = (node: Node) =>
  /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)

function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

function textOf(literal: unknown): string | undefined {
  return isNode(literal) && typeof literal['value'] === 'string' ? literal['value'] : undefined
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined
}
