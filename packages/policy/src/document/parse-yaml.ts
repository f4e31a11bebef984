import { Composer, Lexer, LineCounter, Parser, type CST, type Document } from 'yaml'
import type { Place } from '@countersign/core/adapter'
import type { Problems } from './problems.ts'

export interface ParsedYaml {
  readonly document: Document.Parsed
  readonly placeOf: (path: string, offset: number | undefined) => Place
}

/**
 * Reads YAML 1.2, of which JSON is a part, as far as its own syntax goes; undefined where that is broken. What it costs is
 * bounded before it is spent: the composer works recursively, and in seconds for each million of marks.
 */
export function parseYaml(text: string, problems: Problems): ParsedYaml | undefined {
  const lines = new LineCounter()
  lines.addNewLine(0)
  const placeOf = (path: string, offset = 0): Place => {
    const { line, col } = lines.linePos(offset)
    return { path, line, column: col }
  }
  const refuse = (offset: number, problem: string): undefined => {
    problems.add(placeOf('', offset), problem)
  }

  if (text.length > maxCharacters) {
    return refuse(0, 'expected at most 1 MiB of text: this is no policy document')
  }
  const parser = new Parser(lines.addNewLine)
  const tokens: CST.Token[] = []
  let marks = 0
  for (const mark of new Lexer().lex(text)) {
    tokens.push(...parser.next(mark))
    if (parser.stack.length > maxDepth) {
      return refuse(parser.offset, `nested more than ${maxDepth} levels deep`)
    }
    marks += 1
    if (marks > maxMarks) {
      return refuse(parser.offset, `more than ${maxMarks} words and marks: split the policy`)
    }
  }
  tokens.push(...parser.end())

  const [document, second] = new Composer(options).compose(tokens, true, text.length)
  if (document === undefined) return refuse(0, 'expected a document, got nothing')
  for (const { pos, message } of document.errors) refuse(pos[0], `the YAML cannot be read here: ${message}`)
  if (second !== undefined) refuse(second.range[0], 'expected one document, and a second one starts here')
  for (const token of tokens) {
    if (token.type === 'directive') refuse(token.offset, 'directives such as `%YAML` are not supported')
  }
  return document.errors.length > 0 ? undefined : { document, placeOf }
}

const options = {
  version: '1.2',
  schema: 'core',
  strict: true,
  merge: false,
  prettyErrors: false,
  // Compared with each other, keys would take the time of their number squared. They are held in a set afterwards.
  uniqueKeys: false,
} as const

const maxCharacters = 1024 * 1024
const maxMarks = 100_000
const maxDepth = 100
