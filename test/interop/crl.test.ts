// The same lists in OpenSSL's eyes: what it verifies counts here, and what it does not, does not.
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal, validatePath } from '@countersign/core/certificate'
import { afterAll, describe, expect, test } from 'vitest'
import { crl, crlExtensions, distributionPoints, entry, reason, scopes } from '../core/support/der-crl.ts'
import { pemOf } from '../core/support/pem.ts'
import {
  at,
  authority,
  bits,
  createKeys,
  extension,
  extensions,
  hex,
  integer,
  leaf,
  name,
  names,
  sequence,
} from '../core/support/der-certificate.ts'

const folder = mkdtempSync(join(tmpdir(), 'crl-'))
afterAll(() => rmSync(folder, { recursive: true }))

const root = authority({ also: [extensions.subjectKeyId('key')] })
const point = names.uri('http://crl.example/a')
const certificate = leaf(root, {
  parts: { serialNumber: integer(7) },
  extensions: [extensions.keyUsage(0x80), distributionPoints(sequence(scopes.point(point)))],
})
const other = createKeys()
const scoped = (...fields: readonly Uint8Array[]) => ({ also: [crlExtensions.scope(...fields)] })

describe('OpenSSL and this library agree on a list', () => {
  test.each([
    ['of everybody', [crl(root)], true],
    ['that revokes another', [crl(root, { revoked: [8] })], true],
    ['that revokes this one', [crl(root, { entries: [entry([7], reason(1))] })], false],
    ['that puts this one on hold', [crl(root, { entries: [entry([7], reason(6))] })], false],
    ['that has ended', [crl(root, { until: '260531235959Z' })], false],
    ['that has not begun', [crl(root, { from: '260601000001Z' })], false],
    ['of another name', [crl(root, { parts: { issuer: name('Other') } })], false],
    ['of another key', [crl(root, { keys: other })], false],
    ['with a broken signature', [crl(root, { parts: { signature: bits(0, 1) } })], false],
    ['of users', [crl(root, scoped(scopes.users))], true],
    ['of authorities', [crl(root, scoped(scopes.authorities))], false],
    ['of attribute certificates', [crl(root, scoped(scopes.attributes))], false],
    ['of this point', [crl(root, scoped(scopes.point(point)))], true],
    ['of another point', [crl(root, scoped(scopes.point(names.uri('http://crl.example/b'))))], false],
    ['of some reasons', [crl(root, scoped(scopes.reasons(1, 2)))], false],
    ['with a critical extension', [crl(root, { also: [extension('1.2.3', true, hex('0500'))] })], false],
    [
      'with a critical extension of an entry',
      [crl(root, { entries: [entry([9], extension('1.2.3', true, hex('0500')))] })],
      false,
    ],
    ['and another', [crl(root, { parts: { issuer: name('Other') } }), crl(root)], true],
  ] satisfies [string, Buffer[], boolean][])('%s', (_, lists, isGood) => {
    const answer = validatePath({
      leaf: certificate,
      trustAnchors: [root.der],
      at,
      purpose: 'clientAuth',
      crls: lists,
    })
    expect(!(answer instanceof Refusal)).toBe(isGood)
    expect(isGoodToOpenSsl(lists)).toBe(isGood)
  })

  test('reads our lists as they were written', () => {
    const file = write(
      'one.crl',
      pemOf(crl(root, { number: 18, entries: [entry([0, 0xff], reason(4))] }), 'X509 CRL'),
    )
    const told = execFileSync('openssl', [
      'crl',
      '-in',
      file,
      '-noout',
      '-text',
      '-CAfile',
      write('ca.pem', pem(root.der)),
    ])
    expect(told.toString()).toMatch(/Serial Number: FF[^]+Superseded/)
  })
})

test('reads a list that OpenSSL has made', () => {
  const [cert, key, index] = [
    write('ca.pem', pem(root.der)),
    write('ca.key', root.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    write('index.txt', 'R\t300101000000Z\t260401000000Z,keyCompromise\t07\tunknown\t/CN=Leaf\n'),
  ]
  const config = write(
    'ca.cnf',
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${index}\ncrlnumber=${write('crlnumber', '0A\n')}\ndefault_md=sha256\ncrl_extensions=crl\n[crl]\nauthorityKeyIdentifier=keyid\n`,
  )
  const made = ['-gencrl', '-config', config, '-cert', cert, '-keyfile', key]
  const period = ['-crl_lastupdate', '20260501000000Z', '-crl_nextupdate', '20260701000000Z']
  const list = execFileSync('openssl', ['ca', ...made, ...period], { stdio: 'pipe' }).toString()
  const code = (serialNumber: number): string => {
    const one = leaf(root, { parts: { serialNumber: integer(serialNumber) } })
    const answer = validatePath({
      leaf: one,
      trustAnchors: [root.der],
      at,
      purpose: 'clientAuth',
      crls: [list],
    })
    return answer instanceof Refusal ? answer.code : 'accepted'
  }
  expect([code(7), code(8)]).toEqual(['certificate_revoked', 'accepted'])
})

function isGoodToOpenSsl(lists: readonly Buffer[]): boolean {
  const crls = write('all.crl', lists.map((list) => pemOf(list, 'X509 CRL')).join(''))
  const moment = String(at.getTime() / 1000)
  const anchors = ['-CAfile', write('ca.pem', pem(root.der)), '-CRLfile', crls]
  const checks = ['-crl_check', '-extended_crl', '-attime', moment]
  return (
    spawnSync('openssl', ['verify', ...checks, ...anchors, write('leaf.pem', pem(certificate))]).status === 0
  )
}

function write(file: string, content: string): string {
  const path = join(folder, file)
  writeFileSync(path, content)
  return path
}

const pem = (der: Uint8Array): string => new X509Certificate(der).toString()
