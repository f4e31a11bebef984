import { ConfigurationError } from '../configuration-error.ts'
import {
  algorithms as known,
  isAlgorithm,
  isAvailable,
  isSecretAlgorithm,
  type Algorithm,
  type SecretAlgorithm,
} from '../identity/jws/algorithms.ts'
import type { TokenProfile } from '../identity/token/profile.ts'
import type { Verification } from '../identity/trust/trusted-issuer.ts'
import type { IssuerOptions } from './issuer-options.ts'
import type { IssuerContext } from './issuer-url.ts'
import { requireStrings } from './option-values.ts'
import { parseKeySource } from './parse-key-source.ts'
import { parseSecret } from './parse-secret.ts'

type AnyAlgorithm = Algorithm | SecretAlgorithm

/** Parses `algorithms`. Either all are symmetric or none is. */
export function parseAlgorithms(
  { algorithms, secret }: IssuerOptions,
  { name }: TokenProfile,
  option: string,
): ReadonlySet<AnyAlgorithm> {
  const at = `${option}.algorithms`
  const isSvid = name === 'jwt-svid'
  if (algorithms === undefined && secret === undefined) return isSvid ? svidAlgorithms : new Set(usual)
  if (isSvid && secret !== undefined) {
    throw new ConfigurationError(
      `${option}.secret`,
      'a trust domain has a bundle of public keys: write `jwks`',
    )
  }
  const list = requireStrings(algorithms ?? [], at)
  const isSymmetric = secret !== undefined
  const fits = isSymmetric ? isSecretAlgorithm : isSvid ? isSvidAlgorithm : isAlgorithm
  if (list.length === 0 || !list.every((each): each is AnyAlgorithm => fits(each))) {
    throw new ConfigurationError(
      at,
      isSymmetric
        ? "beside `secret`, write `algorithms: ['HS256']` (or HS384, HS512) and no other"
        : `expected some of ${[...(isSvid ? svidAlgorithms : known)].join(', ')}; symmetric algorithms need a \`secret\`, and \`none\` is not to be had`,
    )
  }
  const missing = list.find((each) => isAlgorithm(each) && !isAvailable(each))
  if (missing !== undefined) {
    throw new ConfigurationError(at, `this Node cannot verify ${missing}: run Node 24.7 or later`)
  }
  return new Set(list)
}

const usual: readonly Algorithm[] = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA']
/** SPIFFE JWT-SVID §2.1. */
export const svidAlgorithms: ReadonlySet<Algorithm> = new Set<Algorithm>([
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
])
const isSvidAlgorithm = (name: unknown): name is Algorithm => isAlgorithm(name) && svidAlgorithms.has(name)

/** Parses what signatures are verified with: published keys, or a secret. */
export function parseVerification(
  options: IssuerOptions,
  algorithms: ReadonlySet<AnyAlgorithm>,
  option: string,
  context: IssuerContext,
): Verification {
  const { secret } = options
  if (secret === undefined) {
    return isOpaqueOnly(options)
      ? { kind: 'none' }
      : { kind: 'keys', keys: parseKeySource(options, option, context) }
  }
  const other = (['jwks', 'jwksUri', 'discoveryUrl'] as const).find((name) => options[name] !== undefined)
  if (other !== undefined) {
    throw new ConfigurationError(
      `${option}.${other}`,
      'an issuer has either keys or a `secret`: a public key must never pass for a secret',
    )
  }
  return { kind: 'secret', secret: parseSecret(secret, algorithms, `${option}.secret`) }
}

// An authorization server that is told where to ask, and where no keys are, issues no tokens that could be read here.
const isOpaqueOnly = ({ introspection, jwks, jwksUri, discoveryUrl }: IssuerOptions): boolean =>
  introspection?.endpoint !== undefined &&
  introspection.signedResponse !== true &&
  jwks === undefined &&
  jwksUri === undefined &&
  discoveryUrl === undefined
