import type { ASTNode } from '@marcbachmann/cel-js'
import { isComprehension, isOfTime } from './functions.ts'
import { isField, partsOf, sizeOf, textOf } from './nodes.ts'

/**
 * The same expression, with everything in it that can cost much handed to the meter: `charged` reads a value before an operator
 * or a function does, `iterated` a list before it is gone over, and `step` is what is evaluated for each element.
 */
export function meteredText(node: ASTNode): string {
  const parts = partsOf(node)
  const [first, second, third] = parts
  if (first === undefined) return textOf(node)
  if (node.op === '.') return `${meteredText(first)}.${node.args[1]}`
  if (node.op === 'rcall') return methodText(node.args[0], first, node.args[2])
  // `has` takes a path of names, and nothing else.
  if (node.op === 'call' && node.args[0] === 'has') return textOf(node)
  if (node.op === 'call') return `${node.args[0]}(${parts.map((part) => charged(part)).join(', ')})`
  if (node.op === 'list') return `[${parts.map(meteredText).join(', ')}]`
  if (node.op === 'map') {
    return `{${node.args.map(([key, value]) => `${meteredText(key)}: ${meteredText(value)}`).join(', ')}}`
  }
  if (second === undefined) return `(${node.op.charAt(0)}${meteredText(first)})`
  if (node.op === '[]') return `${meteredText(first)}[${meteredText(second)}]`
  if (third !== undefined) return `(${meteredText(first)} ? ${meteredText(second)} : ${meteredText(third)})`
  if (node.op === '&&' || node.op === '||') return `(${meteredText(first)} ${node.op} ${meteredText(second)})`
  // Of the scopes that policy grants, some are wildcards: what they cover is in no list.
  if (node.op === 'in' && isField(second, 'caller', 'scopes')) return `granted(${meteredText(first)})`
  return `(${charged(first)} ${node.op} ${charged(second)})`
}

function methodText(name: string, of: ASTNode, args: readonly ASTNode[]): string {
  if (!isComprehension(name)) {
    const price = isOfTime(name) && args.length > 0 ? calendarCost : 0
    return `${charged(of, price)}.${name}(${args.map((arg) => charged(arg)).join(', ')})`
  }
  const [variable, ...steps] = args
  const weight = steps.reduce((size, step) => size + sizeOf(step), 1)
  const metered = steps.map((step) => `step(${meteredText(step)})`)
  return `iterated(${meteredText(of)}, ${weight}).${name}(${variable && textOf(variable)}, ${metered.join(', ')})`
}

// What stands in the expression is no longer than the expression.
const charged = (node: ASTNode, price = 0): string =>
  node.op === 'value' && price === 0 ? textOf(node) : `charged(${meteredText(node)}, ${price})`

// A time zone's calendar takes a tenth of a millisecond to be looked up.
const calendarCost = 400
