import type { ASTNode } from '@marcbachmann/cel-js'
import { suggestionFor } from '../document/nearest.ts'
import { isCredentialHeader } from './credential-headers.ts'
import { functions, isComprehension, methods, refused } from './functions.ts'
import { isField, partsOf } from './nodes.ts'
import { variables } from './variables.ts'

/** What an expression reads. */
export interface Reads {
  /** The fields of `caller`, `request` and `resource`. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>
  /** The names behind `context.`. */
  readonly contexts: ReadonlySet<string>
}

/** Finds what an expression reads, and refuses what it may not read or call. Throws an Error that says what to write. */
export function checkExpression(ast: ASTNode): Reads {
  const check = new ExpressionCheck()
  check.visit(ast, [])
  return check
}

class ExpressionCheck implements Reads {
  readonly fields: Map<string, Set<string>> = new Map()
  readonly contexts: Set<string> = new Set()

  /** `own`: the names that stand for an element of a list here. */
  visit(node: ASTNode, own: readonly string[]): void {
    if (node.op === 'id') this.#variable(node.args, own)
    else if (node.op === '.') this.#field(node.args[0], node.args[1], own)
    else if (node.op === 'rcall' && isComprehension(node.args[0])) {
      this.#comprehension(node.args[1], node.args[2], own)
    } else {
      if (node.op === 'call') requireFunction(node.args[0], functions, node.args[1])
      if (node.op === 'rcall') requireFunction(node.args[0], methods, [])
      if (node.op === '[]') requirePlainIndex(node.args[0], node.args[1], own)
      for (const part of partsOf(node)) this.visit(part, own)
    }
  }

  #variable(name: string, own: readonly string[]): void {
    if (own.includes(name) || name === 'time') return
    throw new Error(
      roots.includes(name)
        ? `write what of it: \`${name}.${Object.keys(variables[name] ?? { name: '' })[0]}\``
        : `there is no \`${name}\`: ${suggestionFor(name, [...own, ...roots, 'time'])}`,
    )
  }

  #field(of: ASTNode, name: string, own: readonly string[]): void {
    refuseCredentials(of, name)
    if (!isRoot(of, own)) return this.visit(of, own)
    if (of.args === 'context') {
      this.contexts.add(name)
      return
    }
    const known = Object.keys(variables[of.args] ?? {})
    if (!known.includes(name)) {
      throw new Error(`there is no \`${of.args}.${name}\`: ${suggestionFor(name, known)}`)
    }
    this.fields.set(of.args, (this.fields.get(of.args) ?? new Set()).add(name))
  }

  #comprehension(list: ASTNode, [variable, ...steps]: readonly ASTNode[], own: readonly string[]): void {
    this.visit(list, own)
    const name = variable?.op === 'id' ? variable.args : undefined
    if (name === undefined || [...own, ...roots, 'time'].includes(name)) {
      throw new Error(
        'the elements of a list need a name of their own, such as `groups.exists(group, group == "a")`',
      )
    }
    if (own.length >= maxNesting) {
      throw new Error(`expected at most ${maxNesting} lists within each other to be gone over`)
    }
    for (const step of steps) this.visit(step, [...own, name])
  }
}

const isRoot = (node: ASTNode, own: readonly string[]): node is ASTNode & { op: 'id'; args: string } =>
  node.op === 'id' && roots.includes(node.args) && !own.includes(node.args)

// What a condition reads has to be seen in it: context is asked for before, and the rest is made when it is read.
function requirePlainIndex(of: ASTNode, index: ASTNode, own: readonly string[]): void {
  if (isRoot(of, own)) throw new Error(`write \`${of.args}.name\` in place of \`${of.args}[…]\``)
  if (index.op === 'value') refuseCredentials(of, index.args)
}

function refuseCredentials(of: ASTNode, name: unknown): void {
  if (!isField(of, 'request', 'headers') || typeof name !== 'string') return
  if (name !== name.toLowerCase()) {
    throw new Error(`header names are in lower case: write \`${name.toLowerCase()}\``)
  }
  if (isCredentialHeader(name)) {
    throw new Error(`conditions do not see the header \`${name}\`: what a credential says is in \`caller\``)
  }
}

function requireFunction(name: string, known: readonly string[], args: readonly ASTNode[]): void {
  const advice = refused.get(name)
  if (advice !== undefined) throw new Error(`conditions have no \`${name}\`: ${advice}`)
  if (!known.includes(name)) {
    throw new Error(`there is no function \`${name}\`: ${suggestionFor(name, known)}`)
  }
  // The library reads it with a pattern that takes the cube of its length.
  if (name === 'duration' && args.some(({ op }) => op !== 'value')) {
    throw new Error('`duration` takes a text that stands in the expression, such as `duration("5m")`')
  }
}

const roots: readonly string[] = [...Object.keys(variables), 'context']
const maxNesting = 2
