// The second opinion on headers that forward a certificate: each grammar once more, as regular expressions over the whole
// value and arithmetic, from the specifications and from what the proxies were seen to write. It shares no code with the library.

/** What a value says, in a form that two readers can compare; undefined where it is not of the format. */
export type Reading = string | undefined

export interface ReferenceElement {
  readonly by: readonly string[]
  readonly hash: string | undefined
  readonly certificates: readonly string[]
  readonly subject: string | undefined
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
}

const canonicalLength = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Hexadecimal octets of canonical base64, bit by bit. */
export function base64(text: string): string | undefined {
  if (!canonicalLength.test(text)) return undefined
  const digits = text.replace(/=+$/, '')
  let bits = ''
  for (const digit of digits) bits += alphabet.indexOf(digit).toString(2).padStart(6, '0')
  const whole = bits.length - (bits.length % 8)
  if (bits.slice(whole).includes('1')) return undefined
  return (bits.slice(0, whole).match(/.{8}/g) ?? [])
    .map((octet) => Number.parseInt(octet, 2).toString(16).padStart(2, '0'))
    .join('')
}

const allOf = (texts: readonly string[]): readonly string[] | undefined => {
  const read = texts.map(base64)
  return read.length >= 1 && read.length <= 10 && read.every((each) => each !== undefined) ? read : undefined
}

export const clientCert = (value: string): string | undefined => base64(/^:([^:]+):$/.exec(value)?.[1] ?? '')

export function clientCertChain(value: string): readonly string[] | undefined {
  if (!/^:[^:]+:(?:[ \t]*,[ \t]*:[^:]+:)*$/.test(value)) return undefined
  return allOf([...value.matchAll(/:([^:]+):/g)].map(([, text = '']) => text))
}

function pem(text: string, eol: '\n' | ' '): readonly string[] | undefined {
  const block = `-----BEGIN CERTIFICATE-----${eol}((?:[A-Za-z0-9+/=]{64}${eol})*[A-Za-z0-9+/=]{1,64})${eol}-----END CERTIFICATE-----`
  if (!new RegExp(`^${block}(?:${eol}${block})*${eol}?$`).test(text)) return undefined
  return allOf([...text.matchAll(new RegExp(block, 'g'))].map(([, body = '']) => body.replaceAll(eol, '')))
}

export const foldedPem = (value: string): readonly string[] | undefined => pem(value, ' ')

export function escapedPem(value: string): readonly string[] | undefined {
  if (/[^\w.~+/=%-]/.test(value)) return undefined
  let text: string
  try {
    text = decodeURIComponent(value)
  } catch {
    return undefined
  }
  return /[\u0080-\uffff]/.test(text) ? undefined : (pem(text, '\n') ?? pem(text, ' '))
}

export const base64List = (value: string): readonly string[] | undefined => allOf(value.split(','))

/** HAProxy's chain: hexadecimal DER, cut where each outermost length says. */
export function base64DerChain(value: string): readonly string[] | undefined {
  let rest = base64(value)
  if (rest === undefined) return undefined
  const found: string[] = []
  while (rest !== '') {
    const [head = '', short, one, two] = /^30(?:([0-7].)|81([89a-f].)|82((?!00)....))/.exec(rest) ?? []
    if (head === '') return undefined
    const size = head.length + 2 * Number.parseInt(short ?? one ?? two ?? '', 16)
    if (rest.length < size) return undefined
    found.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  return found.length <= 10 ? found : undefined
}

const quoted = String.raw`"(?:[ !#-\[\]-~]|\\[ -~])*"`
const bare = String.raw`[!#-+\--:<>-\[\]-~]*`
const pair = `[A-Za-z]{1,32}=(?:${quoted}|${bare})`
const pairs = new RegExp(`([A-Za-z]{1,32})=(?:(${quoted})|(${bare}))`, 'g')
const element = `${pair}(?:;${pair})*`
const whole = new RegExp(`^${element}(?:,${element})*$`)
const elements = new RegExp(element, 'g')

export function xfcc(value: string): readonly ReferenceElement[] | undefined {
  if (!whole.test(value)) return undefined
  const texts = value.match(elements) ?? []
  const read = texts.map(xfccElement)
  return texts.length <= 20 && read.every((each) => each !== undefined) ? read : undefined
}

function xfccElement(text: string): ReferenceElement | undefined {
  const found = [...text.matchAll(pairs)].map(([, key = '', inQuotes, plain = '']) => ({
    key: key.toLowerCase(),
    value: inQuotes === undefined ? plain : inQuotes.slice(1, -1),
  }))
  const of = (name: string): readonly string[] =>
    found.filter(({ key }) => key === name).map(({ value }) => value)
  const isRepeated = ['hash', 'cert', 'chain', 'subject'].some((name) => of(name).length > 1)
  if (found.length > 64 || isRepeated) return undefined
  const [hash] = of('hash')
  if (hash !== undefined && !/^[0-9a-f]{64}$/.test(hash)) return undefined
  const cert = of('cert').map(escapedPem)
  const chain = of('chain').map(escapedPem)
  if ([...cert, ...chain].includes(undefined) || (cert[0] ?? ['one']).length !== 1) return undefined
  if (cert[0] !== undefined && chain[0] !== undefined && cert[0][0] !== chain[0][0]) return undefined
  const [subject] = of('subject')
  return {
    by: of('by'),
    hash,
    certificates: chain[0] ?? cert[0] ?? [],
    subject,
    uris: of('uri'),
    dnsNames: of('dns'),
  }
}
