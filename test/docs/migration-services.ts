// The two services of a migration guide, run as they stand in it.
import { request } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { TestIssuer } from '@countersign/testing'
import { codeBlocksOf, read, tableRowsBelow } from './documents.ts'
import type { Sent } from './migration-callers.ts'
import { answerOf, start, type Answer, type Running } from './running-program.ts'

/** What is migrated from, and the guide that tells how. */
export const guides = [
  { library: 'express-jwt', framework: 'express' },
  { library: 'express-oauth2-jwt-bearer', framework: 'express' },
  { library: 'passport-jwt', framework: 'express' },
  { library: 'koa-jwt', framework: 'koa' },
  { library: '@fastify/jwt', framework: 'fastify' },
] as const

export type Guide = (typeof guides)[number]

/** The page of a guide, from the root of the repository. */
export const pageOf = ({ library }: Guide): string =>
  `docs/migrate/${library.replace('@', '').replace('/', '-')}.md`

/** The first two blocks of TypeScript of a guide. */
export function programsOf(guide: Guide): { readonly before: string; readonly after: string } {
  const page = read(pageOf(guide))
  if (!/^## Before\n[^#]*?^```ts$[^]*^## After\n+```ts$/m.test(page)) {
    throw new Error(`expected one block before and one after in ${pageOf(guide)}`)
  }
  const [before = '', after = ''] = codeBlocksOf(pageOf(guide)).map(({ code }) => code)
  return { before, after }
}

/** A row of a guide's tables: what a caller sends, and how each program is said to answer. */
export interface Row {
  readonly caller: string
  readonly before: string
  readonly after: string
}

export function rowsOf(guide: Guide, heading: string): readonly Row[] {
  return tableRowsBelow(read(pageOf(guide)), heading).map(([caller = '', before = '', after = '']) => ({
    caller,
    before,
    after,
  }))
}

/** Starts a program that names `https://idp.internal`, with that issuer in its place and its authority trusted. */
export function serve(
  program: string,
  idp: TestIssuer,
  others: readonly TestIssuer[] = [],
): Promise<Running> {
  return start(stripTypeScriptTypes(program).replaceAll('https://idp.internal', idp.issuer), {
    ca: [idp, ...others].map(({ ca = '' }) => ca).join(''),
  })
}

export function ask(
  { port }: Running,
  { method = 'GET', path = '/orders/1', headers = {} }: Sent,
): Promise<Answer> {
  const sent = request({ host: 'localhost', port, method, path, agent: false })
  for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
  return answerOf(sent.end())
}

/** The program before and the program after, running. */
export interface Services {
  readonly before: Running
  readonly after: Running
}

/** A row as both programs answer it now: what the cells say where that fits, else what they should have said. */
export async function answered(row: Row, sent: Sent, { before, after }: Services): Promise<Row> {
  return {
    caller: row.caller,
    before: await compared(row.before, await ask(before, sent), before),
    after: await compared(row.after, await ask(after, sent), after),
  }
}

// A cell has a status and, behind it, parts of what is sent or, where a guard refuses, its code.
async function compared(
  cell: string,
  { status, challenge = '', text }: Answer,
  service: Running,
): Promise<string> {
  const decision = decisionIn(text)
  const said = decision === undefined ? `${challenge} ${text}` : await service.refusalOf(decision)
  const parts = [...cell.matchAll(/`([^`]+)`/g)].map(([, part = '']) => part)
  const fits = statusIn(cell) === status && parts.every((part) => said.includes(part))
  return fits ? cell : `${status} ${said}`
}

export const statusIn = (cell: string): number => Number.parseInt(cell, 10)

function decisionIn(text: string): string | undefined {
  try {
    return JSON.parse(text).decision
  } catch {
    return undefined
  }
}
