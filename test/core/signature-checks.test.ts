import { createHook } from 'node:async_hooks'
import { authenticated, createGuard, type Decision } from '@countersign/core'
import { describe, expect, test } from 'vitest'
import { parsePublicKey } from '../../packages/core/src/identity/jws/public-key.ts'
import { SignatureChecks, type Signed } from '../../packages/core/src/identity/jws/signature-checks.ts'
import { importKey, type ReadyKey } from '../../packages/core/src/identity/jws/verify-signature.ts'
import { Refusal } from '../../packages/core/src/refusal.ts'
import { codeOf, requestWith } from './support/asking.ts'
import { createHouse, issuer } from './support/house.ts'
import { createRawSigner } from './support/raw-signer.ts'
import { signedText } from './support/signed-text.ts'

const signer = createRawSigner('ES256')
const good = signer.jws({ alg: 'ES256' }, {})
const bad = createRawSigner('ES256').jws({ alg: 'ES256' }, {})

async function readyKey(): Promise<ReadyKey> {
  const jwk = parsePublicKey(signer.jwk)
  if (jwk === undefined || jwk === 'private') throw new Error('expected a public key')
  return importKey(jwk, 'ES256')
}

/** Checks whose turns end when the test says so. */
async function createChecks(isNative = true) {
  const key = await readyKey()
  const turns: (() => void)[] = []
  const checks = new SignatureChecks(isNative, (task) => void turns.push(task))
  const check = (jws: string, connection: object): Signed | Promise<Signed> =>
    checks.isSigned(signedText(jws), key, 'ES256', connection)
  const endTurn = (): void => {
    for (const task of turns.splice(0)) task()
  }
  return { checks, key, check, endTurn }
}

const settled = (all: readonly (Signed | Promise<Signed>)[]): Promise<Signed[]> =>
  Promise.all(all.map(async (each) => each))

const codeIn = (signed: Signed): boolean | string => (signed instanceof Refusal ? signed.code : signed)

describe('a signature', () => {
  test('is checked at once, two of them in each turn; what comes beyond waits', async () => {
    const { check, endTurn } = await createChecks()
    for (let turn = 0; turn < 3; turn += 1) {
      expect(check(good, {})).toBe(true)
      expect(check(bad, {})).toBe(false)
      const waiting = [check(good, {}), check(bad, {})]
      expect(waiting).toEqual([expect.any(Promise), expect.any(Promise)])
      expect(await settled(waiting)).toEqual([true, false])
      endTurn()
    }
  })

  test('never takes more than two threads', async () => {
    const { check } = await createChecks()
    expect([check(good, {}), check(good, {})]).toEqual([true, true])
    const underWay = new Set<number>()
    let most = 0
    const hook = createHook({
      init(id, type) {
        if (type === 'SIGNREQUEST') most = Math.max(most, underWay.add(id).size)
      },
      after: (id) => void underWay.delete(id),
    })
    hook.enable()
    const all = Array.from({ length: 20 }, () => check(good, {}))
    expect(await settled(all)).toEqual(Array.from({ length: 20 }, () => true))
    hook.disable()
    expect(most).toBe(2)
  })

  test('waits where it was asked for by WebCrypto, or with a key that is not ready', async () => {
    const { check } = await createChecks(false)
    expect(await settled([check(good, {}), check(bad, {})])).toEqual([true, false])
    const { checks, key } = await createChecks()
    const signed = checks.isSigned(signedText(good), Promise.resolve(key), 'ES256', {})
    expect(signed).toBeInstanceOf(Promise)
    expect(await signed).toBe(true)
  })

  test('waits for one of the two threads with a key that has no fast path', async () => {
    const { checks, key } = await createChecks()
    const slow = { ...key, native: undefined }
    const all = [good, bad, good].map((jws) => checks.isSigned(signedText(jws), slow, 'ES256', {}))
    expect(all).toEqual([expect.any(Promise), expect.any(Promise), expect.any(Promise)])
    expect(await settled(all)).toEqual([true, false, true])
  })

  test('is refused where a key could not be made ready', async () => {
    const { checks } = await createChecks()
    const never = Promise.reject(new Error('no such key'))
    expect(await checks.isSigned(signedText(good), never, 'ES256', {})).toBe(false)
  })

  test('of a connection that has sent wrong ones waits for those of all others', async () => {
    const { checks, key, check, endTurn } = await createChecks()
    const forger = {}
    expect(check(bad, forger)).toBe(false)
    endTurn()
    // A check goes on when the test hands it its key, and keeps its lane until then.
    const waiting = (jws: string, connection: object) => {
      const { promise, resolve } = Promise.withResolvers<ReadyKey>()
      return {
        signed: checks.isSigned(signedText(jws), promise, 'ES256', connection),
        goOn: () => resolve(key),
      }
    }
    const forged = Array.from({ length: 8 }, () => waiting(bad, forger))
    const genuine = waiting(good, {})
    forged[0]?.goOn()
    genuine.goOn()
    expect(await genuine.signed).toBe(true)
    for (const each of forged) each.goOn()
    expect(new Set(await settled(forged.map(({ signed }) => signed)))).toEqual(new Set([false]))
  })

  test('T55 is refused where too many wait, a forger’s first', async () => {
    const { check, endTurn } = await createChecks()
    const forgers = Array.from({ length: 40 }, () => ({}))
    for (const forger of forgers) {
      expect(check(bad, forger)).toBe(false)
      endTurn()
    }
    const forged = forgers.flatMap((forger) => Array.from({ length: 110 }, () => check(bad, forger)))
    const genuine = Array.from({ length: 40 }, () => check(good, {}))
    expect(await settled(genuine)).toEqual(Array.from({ length: 40 }, () => true))
    const codes = (await settled(forged)).map(codeIn)
    expect(new Set(codes)).toEqual(new Set([false, 'guard_overloaded']))
    // 2 at once, 2 on threads, and 4,096 places, 40 of which they have lost.
    expect(codes.filter((code) => code === false)).toHaveLength(2 + 2 + 4096 - 40)
  })
})

describe('a guard', () => {
  const decisionsOf = async (signatures: 'native' | 'webcrypto' | undefined): Promise<string[]> => {
    const { token, clock, signer: issuing } = createHouse()
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, jwks: { keys: [{ ...issuing.jwk, kid: 'key-1' }] } }],
        log: false,
        ...(signatures === undefined ? {} : { signatures }),
      },
      { clock },
    )
    const ask = (text: string): Decision | Promise<Decision> =>
      guard.decide(requestWith(`Bearer ${text}`), authenticated())
    // The first makes the key ready.
    await ask(token())
    const tokens = [token({ sub: 'a' }), `${token({ sub: 'b' }).slice(0, -4)}AAAA`]
    return Promise.all(
      tokens.map(async (text) => {
        const decision = ask(text)
        const when = decision instanceof Promise ? 'later' : 'at once'
        return `${codeOf(await decision)} ${when}`
      }),
    )
  }

  test('decides about a token that it has never seen in the turn in which it comes', async () => {
    expect(await decisionsOf(undefined)).toEqual(['allow at once', 'signature_invalid at once'])
    expect(await decisionsOf('native')).toEqual(['allow at once', 'signature_invalid at once'])
  })

  test('decides the same by WebCrypto, where that is written', async () => {
    expect(await decisionsOf('webcrypto')).toEqual(['allow later', 'signature_invalid later'])
  })

  test.each(['openssl', '', true, null])('cannot be made with `signatures` %j', (signatures) => {
    const options = { audience: 'orders', issuers: ['https://issuer.test'], log: false } as const
    const made = () => createGuard({ ...options, signatures: signatures as 'native' }) // what a caller without types may write
    expect(made).toThrow(/signatures.*expected 'native' or 'webcrypto'/)
  })
})
