// The migration guides tell the truth: both programs of each are run as they stand, and every caller of the tables is
// sent to both.
import { brokenTokenKinds, createTestIssuer } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeBlocksOf, read } from './documents.ts'
import { broken, callers, goodToken, unreachable, type Issuers } from './migration-callers.ts'
import {
  answered,
  ask,
  guides,
  pageOf,
  programsOf,
  rowsOf,
  serve,
  statusIn,
  type Guide,
  type Row,
  type Services,
} from './migration-services.ts'

// Each test starts programs, which takes its time on a machine that does other things as well.
const timeout = 60_000

describe.each(guides)('$library', { timeout }, (guide) => {
  const programs = programsOf(guide)
  const stricter = rowsOf(guide, '## Accepted today, refused tomorrow')
  const rows = [...stricter, ...rowsOf(guide, '## How errors map')]
  let issuers: Issuers, services: Services

  beforeAll(async () => {
    const trusted = await createTestIssuer({ listen: true, alg: 'RS256' })
    const stranger = await createTestIssuer({ listen: true, alg: 'RS256' })
    const [before, after] = await Promise.all([
      serve(programs.before, trusted, [stranger]),
      serve(programs.after, trusted, [stranger]),
    ])
    issuers = { trusted, stranger }
    services = { before, after }
  }, timeout)
  afterAll(async () => {
    const { before, after } = services
    await Promise.all([before, after].map((service) => service[Symbol.asyncDispose]()))
    await Promise.all([issuers.trusted, issuers.stranger].map((issuer) => issuer.close()))
  })

  test('the tables name every caller once, and the version that is tested', () => {
    expect(rows.map(({ caller }) => caller).toSorted()).toEqual(
      [...Object.keys(callers), unreachable].toSorted(),
    )
    const { devDependencies } = JSON.parse(read('test/package.json'))
    const named = read(pageOf(guide)).split(`| ${guide.library} ${devDependencies[guide.library]} `)
    expect(named).toHaveLength(3)
  })

  test('what the first table lists is accepted before and refused after, and nothing else is', () => {
    const changes = (row: Row): boolean => statusIn(row.before) < 400 && statusIn(row.after) >= 400
    expect(rows.filter(changes)).toEqual(stricter)
  })

  test('both answer every caller as the tables say', async () => {
    const measured: Row[] = []
    for (const row of rows) {
      const sent = await callers[row.caller]?.(issuers)
      measured.push(sent === undefined ? row : await answered(row, sent, services))
    }
    expect(measured).toEqual(rows)
  })

  test('both answer as the tables say while the issuer is down', async () => {
    await using down = await createTestIssuer({ listen: true, alg: 'RS256' })
    down.outage(true)
    await using before = await serve(programs.before, down)
    await using after = await serve(programs.after, down)
    const row = rows.find(({ caller }) => caller === unreachable)
    if (row === undefined) throw new Error('expected a row for an issuer that is down')
    const sent = await goodToken({ ...issuers, trusted: down })
    expect(await answered(row, sent, { before, after })).toEqual(row)
  })

  test.each(brokenTokenKinds)(
    'after: refuses a token that is %s, also where a caller is optional',
    async (kind) => {
      const sent = await broken(kind)(issuers)
      expect(await ask(services.after, sent)).toMatchObject({ status: 401 })
      expect(await ask(services.after, { ...sent, path: '/prices' })).toMatchObject({ status: 401 })
    },
  )

  test('a refusal for want of a token carries a challenge, which one library only has sent before', async () => {
    const { challenge } = await ask(services.after, {})
    expect(challenge).toBe('Bearer realm="countersign", scope="orders:read"')
    const hadOne = (await ask(services.before, {})).challenge !== undefined
    expect(hadOne).toBe(guide.library === 'express-oauth2-jwt-bearer')
  })

  test('the rehearsal changes no answer, and tells what would be refused', async () => {
    const { trusted, stranger } = issuers
    await using rehearsing = await serve(withRehearsal(programs.before, guide), trusted, [stranger])
    for (const row of stricter.filter((each) => !each.after.includes('route_undeclared'))) {
      const sent = await callers[row.caller]?.(issuers)
      const told = rehearsing.nextRefusal()
      const { before } = await answered(row, sent ?? {}, { before: rehearsing, after: services.after })
      expect(before).toBe(row.before)
      expect(row.after).toContain(`\`${await told}\``)
    }
  })
})

/** Puts what follows `const app` in the rehearsal right behind that line of a program, and its guard on top. */
function withRehearsal(program: string, { framework }: Guide): string {
  const isMeant = (code: string): boolean =>
    code.includes('rehearsal') && code.includes(`from '${framework}'`)
  const rehearsal = codeBlocksOf('docs/migrate/index.md').find(({ code }) => isMeant(code))
  const [top = '', behind = ''] = rehearsal?.code.split(/^const app = .*\n/m) ?? []
  const guard = top.replace(/^import .* from '(?:express|koa|fastify)'\n/m, '')
  return guard + program.replace(/^const app = .*\n/m, (line) => line + behind)
}
