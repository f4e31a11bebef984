// What nobody can be cheaper than.
import { verify } from 'node:crypto'
import type { Contender } from '../measure.ts'
import { arriving, digestOf, signing, tokenIn, type Signer } from '../tokens.ts'
import { nextTurn, perTurn } from './countersign.ts'

/** One synchronous `crypto.verify` with a key that is kept; splitting and base64 included, and nothing else. */
export const bareSignatures = (signer: Signer, tokens: readonly string[], name = 'baseline'): Contender => ({
  name,
  async prepare() {
    const options = signing(signer.algorithm)
    const key = Object.keys(options).length === 0 ? signer.publicKey : { key: signer.publicKey, ...options }
    const arrive = arriving(tokens)
    return {
      async run(times) {
        for (let i = 0; i < times; i += 1) {
          if (i % perTurn === 0) await nextTurn()
          const token = tokenIn(arrive())
          const end = token.lastIndexOf('.')
          const input = Buffer.from(token.slice(0, end), 'latin1')
          const signature = Buffer.from(token.slice(end + 1), 'base64url')
          if (!verify(digestOf(signer.algorithm), input, key, signature)) {
            throw new Error('expected a signature')
          }
        }
      },
    }
  },
})

/** One lookup in a Map, by a token that has come as a new string. */
export const mapByToken = (tokens: readonly string[], name = 'baseline'): Contender => ({
  name,
  async prepare() {
    const map = new Map(tokens.map((token) => [token, {}]))
    const arrive = arriving(tokens)
    return {
      async run(times) {
        for (let i = 0; i < times; i += 1) {
          const token = tokenIn(arrive())
          if (!map.has(token)) throw new Error('expected a token')
        }
      },
    }
  },
})
