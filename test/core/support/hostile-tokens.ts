// What strangers send, and what the caller of another service sends by mistake: one of each kind for every number.
import { createHmac } from 'node:crypto'
import { issuer, type House } from './house.ts'
import { segment, type Part } from './raw-signer.ts'

/** Kind → token. Two of one kind differ in all that a guard reads of them. */
export type HostileTokens = Readonly<Record<string, (i: number) => string>>

export function createHostileTokens({ header, claims, token, jws }: House): HostileTokens {
  const unsigned = (head: Part, body: Part, i: number, length = 64): string =>
    `${segment(head)}.${segment(body)}.${segment(octetsOf(i, length))}`
  const about = (i: number) => claims({ sub: `service-${i}` })
  const beside = (value: string, i: number): string => JSON.stringify(about(i)).replace('{', `{"x":${value},`)
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  return {
    'a forged signature': (i) => unsigned(header, about(i), i),
    'a signature of another length': (i) => unsigned(header, about(i), i, 63 + 8 * (i % 2)),
    'no signature': (i) => `${segment({ ...header, alg: 'none' })}.${segment(about(i))}.`,
    'an HMAC': (i) => {
      const input = `${segment({ ...header, alg: 'HS256' })}.${segment(about(i))}`
      return `${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`
    },
    'an unknown algorithm': (i) => unsigned({ ...header, alg: `ES${i}` }, about(i), i),
    'an unknown key': (i) => unsigned({ ...header, kid: `invented-${i}` }, about(i), i),
    'another type': (i) => unsigned({ ...header, typ: `type-${i}` }, about(i), i),
    'a critical header': (i) => unsigned({ ...header, crit: [`${i}`] }, about(i), i),
    'an unknown issuer': (i) => unsigned(header, claims({ iss: `https://evil-${i}.example` }), i),
    'an issuer that is no text': (i) => unsigned(header, claims({ iss: i }), i),
    'a header that is no JSON': (i) => unsigned(`{header ${i}`, about(i), i),
    'a header that is no text': (i) => unsigned(Buffer.from([0x7b, 0xff, i % 256, 0x7d]), about(i), i),
    'claims that are no JSON': (i) => unsigned(header, `{"iss":"${issuer}","x":claims ${i}`, i),
    'claims that are no text': (i) => unsigned(header, Buffer.from([0x7b, 0xff, i % 256, 0x7d]), i),
    'claims nested deep': (i) => unsigned(header, beside(nested(1000), i), i),
    'claims nested as far as is read': (i) => unsigned(header, beside(nested(60), i), i),
    'claims of many values': (i) => unsigned(header, beside(`[${'[],'.repeat(400)}0]`, i), i),
    'another alphabet': (i) => `${segment(header)}.${segment(about(i))}.+/${i}`,
    'one part': (i) => `opaque-${i}`,
    'four parts': (i) => `${unsigned(header, about(i), i)}.AAAA`,
    'too many characters': (i) => unsigned(header, about(i), i, 7000),
    'a time that is over': (i) => token({ exp: 1, sub: `service-${i}` }),
    'another audience': (i) => token({ aud: `audience-${i}` }),
    'a claim too few': (i) => token({ client_id: undefined, sub: `service-${i}` }),
    'a claim twice': (i) => jws(header, JSON.stringify(about(i)).replace('{', '{"sub":"admin",')),
  }
}

/** No two numbers have the same, and none begins or ends like a signature of JOSE by chance. */
function octetsOf(i: number, length: number): Buffer {
  const octets = Buffer.alloc(length, 0x5a)
  octets.writeUInt32BE(i, 1)
  octets.writeUInt32BE(i, length - 5)
  return octets
}
