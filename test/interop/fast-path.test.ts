// The fast path of verification beside WebCrypto and jose, over tens of thousands of forged tokens: all three say the same, but where the
// guard is stricter on purpose. Another seed makes other tokens.
import { beforeAll, describe, expect, test } from 'vitest'
import { forgeries } from '../fuzz/forgeries/all.ts'
import { forgeAll, type Report } from '../fuzz/forgeries/forge.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 4)
const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const algorithms = [...rsa, 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

describe(`the tokens of seed ${seed}`, () => {
  let report: Report
  beforeAll(async () => {
    report = await forgeAll(seed)
    const { tokens, seconds, checkedAtOnce, stricter } = report
    console.log(`${tokens} tokens in ${seconds.toFixed(0)} s, ${checkedAtOnce} signatures checked at once`)
    console.log('accepted by jose alone:', Object.fromEntries(stricter))
  })

  test('are 50,000 at least, of each forgery and each algorithm that it is about', () => {
    expect(report.tokens).toBeGreaterThanOrEqual(50_000)
    const expected = Object.entries(forgeries).flatMap(([name, { of = /./ }]) =>
      algorithms.filter((algorithm) => of.test(algorithm)).map((algorithm) => `${algorithm}: ${name}`),
    )
    expect([...report.counts.keys()].toSorted()).toEqual(expected.toSorted())
  })

  test('are judged as is written of them: by the guard with its fast path, without it, and by jose', () => {
    expect(report.findings).toEqual([])
  })

  test('are checked on the fast path, at once and on threads', () => {
    expect(report.checkedAtOnce).toBeGreaterThan(10_000)
  })

  test('are refused by the guard and accepted by jose where that is written, and nowhere else', () => {
    const stricter = Object.keys(forgeries).filter((name) => forgeries[name]?.stricter !== undefined)
    expect([...report.stricter.keys()].toSorted()).toEqual(stricter.toSorted())
  })
})
