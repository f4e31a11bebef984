import type { ASTNode } from '@marcbachmann/cel-js'

/** The expressions that an expression is made of. */
export function partsOf(node: ASTNode): readonly ASTNode[] {
  if (node.op === 'value' || node.op === 'id') return []
  if (node.op === '.' || node.op === '.?') return [node.args[0]]
  if (node.op === 'call') return node.args[1]
  if (node.op === 'rcall') return [node.args[1], ...node.args[2]]
  if (node.op === 'map') return node.args.flat()
  return node.op === '!_' || node.op === '-_' ? [node.args] : node.args
}

/** How much there is to evaluate. */
export const sizeOf = (node: ASTNode): number => partsOf(node).reduce((size, part) => size + sizeOf(part), 1)

/** What was written. */
export const textOf = ({ input, start, end }: ASTNode): string => input.slice(start, end)

/** True for `root.name`. */
export const isField = (node: ASTNode, root: string, name: string): boolean =>
  node.op === '.' && node.args[1] === name && node.args[0].op === 'id' && node.args[0].args === root
