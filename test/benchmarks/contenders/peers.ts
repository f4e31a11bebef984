// Libraries that verify the same tokens. Each is used as its documentation says, with keys that are kept.
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import { createLocalJWKSet, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import type { Contender } from '../measure.ts'
import {
  arriving,
  audience,
  issuer,
  tokenIn,
  type BenchAlgorithm,
  type Keys,
  type Signer,
} from '../tokens.ts'
import { nextTurn, perTurn } from './countersign.ts'

export interface PeerPlan {
  readonly signer: Signer
  readonly tokens: readonly string[]
  readonly isWarm?: boolean
  readonly outcome?: 'allow' | 'deny'
}

/** Throws, or rejects, where a token is refused. */
export type Verify = (token: string) => unknown

interface Peer {
  readonly name: string
  readonly algorithms: readonly BenchAlgorithm[]
  verifier(keys: Keys): Verify
}

const all = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const

const peers: readonly Peer[] = [
  {
    name: 'jose 6, local JWKS',
    algorithms: all,
    verifier({ jwk, algorithm }) {
      const keys = createLocalJWKSet({ keys: [jwk] })
      return (token) => jwtVerify(token, keys, { issuer, audience, algorithms: [algorithm], typ: 'at+jwt' })
    },
  },
  {
    name: 'fast-jwt 6, no cache',
    algorithms: all,
    verifier: (keys) => fastJwt(keys, false),
  },
  {
    name: 'fast-jwt 6, cache',
    algorithms: all,
    verifier: (keys) => fastJwt(keys, 10_000),
  },
  {
    name: 'aws-jwt-verify 5, sync',
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    verifier({ jwk }) {
      const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/jwks` })
      verifier.cacheJwks({ keys: [{ ...jwk, kty: String(jwk.kty) }] }) // a JWK of Node
      return (token) => verifier.verifySync(token)
    },
  },
  {
    name: 'jsonwebtoken 9, PEM',
    algorithms: ['RS256', 'PS256', 'ES256'],
    verifier({ publicKey, algorithm }) {
      const pem = publicKey.export({ type: 'spki', format: 'pem' })
      return (token) =>
        jsonwebtoken.verify(token, pem, {
          issuer,
          audience,
          algorithms: [algorithm as jsonwebtoken.Algorithm],
        }) // it has no EdDSA
    },
  },
]

function fastJwt({ publicKey, algorithm }: Keys, cache: number | false): Verify {
  const key = publicKey.export({ type: 'spki', format: 'pem' })
  const verify = createVerifier({
    key,
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    cache,
  })
  return (token) => verify(token)
}

/** The verifier of a peer, by its name. */
export function verifierOf(name: string, keys: Keys): Verify {
  const peer = peers.find((each) => each.name === name)
  if (peer === undefined) throw new Error(`expected the name of a peer, got ${name}`)
  return peer.verifier(keys)
}

/** Those that know the algorithm. Whatever they make of a token, a scope is not asked of it. */
export const peersFor = ({ signer, tokens, isWarm, outcome = 'allow' }: PeerPlan): readonly Contender[] =>
  peers
    .filter(({ algorithms }) => algorithms.includes(signer.algorithm))
    .map(({ name, verifier }) => ({
      name,
      async prepare() {
        const verify = verifier(signer)
        await verify(signer.token())
        if (isWarm === true) for (const token of tokens) await verify(token)
        const arrive = arriving(tokens)
        return {
          async run(times) {
            for (let i = 0; i < times; i += 1) {
              if (i % perTurn === 0 && isWarm !== true) await nextTurn()
              const token = tokenIn(arrive())
              let got = 'allow'
              try {
                const claims = verify(token)
                if (claims instanceof Promise) await claims
              } catch {
                got = 'deny'
              }
              if (got !== outcome) throw new Error(`${name}: expected ${outcome}`)
            }
          },
        }
      },
    }))

/** What services without a library for it write: claims in a Map, by the token that they came in. */
export const joseAndMap = ({ signer, tokens }: PeerPlan): Contender => ({
  name: 'jose 6 and a Map by token',
  async prepare() {
    const keys = createLocalJWKSet({ keys: [signer.jwk] })
    const known = new Map<string, unknown>()
    const arrive = arriving(tokens)
    return {
      async run(times) {
        for (let i = 0; i < times; i += 1) {
          const token = tokenIn(arrive())
          if (known.has(token)) continue
          const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' })
          known.set(token, payload)
        }
      },
      close: () => known.clear(),
    }
  },
})
