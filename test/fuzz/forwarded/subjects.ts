// Every parser of a forwarded certificate, beside its second opinion and what good values of its format look like.
import {
  parseBase64DerChain,
  parseBase64Der,
} from '../../../packages/core/src/evidence/forwarded/base64-der.ts'
import { parseBase64List } from '../../../packages/core/src/evidence/forwarded/base64-list.ts'
import {
  parseClientCert,
  parseClientCertChain,
} from '../../../packages/core/src/evidence/forwarded/client-cert.ts'
import { parseEscapedPem } from '../../../packages/core/src/evidence/forwarded/escaped-pem.ts'
import { parseFoldedPem } from '../../../packages/core/src/evidence/forwarded/folded-pem.ts'
import { parseXfcc } from '../../../packages/core/src/evidence/forwarded/xfcc.ts'
import { Refusal } from '../../../packages/core/src/refusal.ts'
import * as reference from './reference.ts'

export interface HeaderSubject {
  readonly name: string
  readonly originals: readonly string[]
  /** What its grammar is made of, for mutants that nearly fit. */
  readonly atoms: readonly string[]
  /** What the library reads, in a form to compare; the code where it refuses. */
  read(value: string): { readonly reading: reference.Reading; readonly code: string }
  oracle(value: string): reference.Reading
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')
const told = (value: unknown): reference.Reading => (value === undefined ? undefined : JSON.stringify(value))

function subject<T>(
  name: string,
  parse: (value: string) => T | Refusal,
  show: (parsed: T) => unknown,
  oracle: (value: string) => unknown,
  originals: readonly string[],
  atoms: readonly string[],
): HeaderSubject {
  return {
    name,
    originals,
    atoms: [
      ...atoms,
      '',
      ' ',
      '\t',
      '\n',
      '\r\n',
      '\0',
      '\u00e9',
      '\u2028',
      '%',
      '=',
      ',',
      ';',
      ':',
      '"',
      '\\',
    ],
    read(value) {
      const parsed = parse(value)
      return parsed instanceof Refusal
        ? { reading: undefined, code: parsed.code }
        : { reading: told(show(parsed)), code: 'accepted' }
    },
    oracle: (value) => told(oracle(value)),
  }
}

// The parsers look at no more of a certificate than its outermost length, so that short ones do: more of their mutants fit.
const der = (size: number): Buffer => {
  const body = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + size) % 256))
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size % 256]
  return Buffer.concat([Buffer.from([0x30, ...length]), body])
}
const certificates = [0, 1, 2, 46, 47, 100, 130, 300].map(der)
const text = certificates.map((each) => each.toString('base64'))
const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''] = text
const block = (body: string, eol: string): string =>
  ['-----BEGIN CERTIFICATE-----', ...(body.match(/.{1,64}/g) ?? []), '-----END CERTIFICATE-----', ''].join(
    eol,
  )
const escaped = (body: string): string => encodeURIComponent(block(body, '\n'))
const digest = '468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688'
const armour = [
  '-----BEGIN CERTIFICATE-----',
  '-----END CERTIFICATE-----',
  '-----BEGIN X509 CRL-----',
  '-----',
]
const by = 'By=spiffe://prod.example/ns/shop/sa/orders'

export const headerSubjects: readonly HeaderSubject[] = [
  subject(
    'Client-Cert',
    parseClientCert,
    hex,
    reference.clientCert,
    text.map((each) => `:${each}:`),
    [':', '::', ';a=1', '?1', a, d],
  ),
  subject(
    'Client-Cert-Chain',
    parseClientCertChain,
    (chain) => chain.map(hex),
    reference.clientCertChain,
    [
      `:${a}:`,
      `:${b}:, :${c}:`,
      `:${d}:,:${e}:`,
      `:${f}: \t,\t :${g}:, :${h}:`,
      text.map((each) => `:${each}:`).join(', '),
    ],
    [':', '::', ', ', ' ,', `:${a}:`, `, :${b}:`, ';q'],
  ),
  subject(
    'escaped PEM',
    parseEscapedPem,
    (all) => all.map(hex),
    reference.escapedPem,
    [
      ...text.map(escaped),
      escaped(d) + escaped(f),
      encodeURIComponent(block(g, ' ')),
      escaped(g).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '='),
      escaped(h).replaceAll(/%../g, (each) => each.toLowerCase()),
      [a, b, c, d, e, a, b, c, d, e].map(escaped).join(''),
    ],
    [
      ...armour.map(encodeURIComponent),
      '%0A',
      '%0a',
      '%20',
      '%0D%0A',
      '%00',
      '%c3%a9',
      '%2B',
      '+',
      escaped(a),
    ],
  ),
  subject(
    'folded PEM',
    parseFoldedPem,
    (all) => all.map(hex),
    reference.foldedPem,
    [...text.map((each) => block(each, ' ')), block(d, ' ').trim(), block(d, ' ') + block(f, ' ')],
    [...armour, ' ', '  ', '(null)', block(a, ' ')],
  ),
  subject('base64 DER', parseBase64Der, hex, reference.base64, text, ['=', '==', '-', '_', a]),
  subject(
    'base64 chain of DER',
    parseBase64DerChain,
    (chain) => chain.map(hex),
    reference.base64DerChain,
    [
      ...text,
      Buffer.concat([der(1), der(46), der(130)]).toString('base64'),
      Buffer.concat(Array.from({ length: 10 }, (_, i) => der(i))).toString('base64'),
      Buffer.concat(certificates).toString('base64'),
    ],
    ['MAA', 'MIAA', 'MIIB', 'MIMA', 'MIGA', a, d],
  ),
  subject(
    'base64 list',
    parseBase64List,
    (all) => all.map(hex),
    reference.base64List,
    [...text, `${d},${f}`, text.join(',')],
    [',', ',,', '%2C', a, `,${b}`],
  ),
  subject(
    'XFCC',
    parseXfcc,
    (elements) =>
      elements.map(({ hash, leaf, chain, subject: name, ...names }) => ({
        by: names.by,
        hash,
        certificates: leaf === undefined ? [] : [leaf, ...chain].map(hex),
        subject: name,
        uris: names.uris,
        dnsNames: names.dnsNames,
      })),
    reference.xfcc,
    [
      `By=http://frontend.lyft.com;Hash=${digest};Subject="/C=US/ST=CA/L=San Francisco/OU=Lyft/CN=Test Client";URI=http://testclient.lyft.com`,
      `By=http://frontend.lyft.com;Hash=${digest};URI=http://testclient.lyft.com,${by};Hash=${digest};URI=http://frontend.lyft.com`,
      `${by};Hash=${digest};Subject="";URI=spiffe://prod.example/ns/shop/sa/checkout;DNS=lyft.com;DNS=www.lyft.com`,
      String.raw`${by};Hash=${digest};Subject="CN=a\",URI=spiffe://x/admin";URI=`,
      String.raw`${by};Hash=${digest};Subject="CN=tail\\";URI=spiffe://prod.example/a`,
      `${by};Hash=${digest};Cert="${escaped(f)}";Chain="${escaped(f)}${escaped(d)}";URI=spiffe://prod.example/a`,
      `hash=${digest};CERT="${escaped(a)}";Unknown=x;By=;By=b`,
    ],
    [
      'By=',
      'Hash=',
      `;Hash=${digest}`,
      ';URI=spiffe://prod.example/admin',
      ',URI=',
      `,${by}`,
      ';Subject="',
      String.raw`\"`,
      '";',
      `;Cert="${escaped(b)}"`,
      `;Chain="${escaped(a)}"`,
      ';DNS=a',
      'A=b,',
      ';a=b',
    ],
  ),
]
