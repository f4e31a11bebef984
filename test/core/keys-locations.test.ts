// Where keys may be: a file, a URL, what an issuer's metadata says; and what is sent there.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, type IssuerOptions } from '@countersign/core'
import { createTestClock } from '@countersign/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { codeFor } from './support/asking.ts'
import { issuer } from './support/house.ts'
import { oauth, openId, openSite } from './support/issuer-site.ts'
import { openKeyNetwork, published, signer, soFar } from './support/key-network.ts'
import { jsonDocument } from './support/network.ts'
import { createRawSigner } from './support/raw-signer.ts'

const second = createRawSigner()
const folder = mkdtempSync(join(tmpdir(), 'keys-'))
afterAll(() => rmSync(folder, { recursive: true }))

const jwks = JSON.stringify({ keys: [published()] })
const rotated = JSON.stringify({ keys: [published('key-2', second)] })

let files = 0
/** A new file with this content, or none yet. */
function fileWith(content?: string): string {
  files += 1
  const path = join(folder, `${files}.json`)
  if (content !== undefined) writeFileSync(path, content)
  return path
}

const openFile = (path: string) => openKeyNetwork({ jwks: path, jwksUri: undefined } as object)

describe('keys in a file', () => {
  test('are read, and nothing is fetched', async () => {
    const { ask, network, state } = openFile(fileWith(jwks))
    expect(await ask()).toBe('allow')
    expect(await state()).toMatchObject({ status: 'fresh', keys: 1 })
    expect(network.requests).toEqual([])
  })

  test('are read again when half a minute has passed', async () => {
    const path = fileWith(jwks)
    const { ask, clock, state } = openFile(path)
    await ask()
    writeFileSync(path, rotated)
    clock.advance({ seconds: 29 })
    expect(await ask()).toBe('allow')
    clock.advance({ seconds: 1 })
    await expect.poll(async () => (await state()).nextRefreshAt).toBe(clock.now() + 30_000)
    expect(await ask()).toBe('key_unknown')
    expect(await ask('key-2', second)).toBe('allow')
  })

  test('are read again for a key that they lack', async () => {
    const path = fileWith(jwks)
    const { ask, pass } = openFile(path)
    await ask()
    writeFileSync(path, rotated)
    const answer = ask('key-2', second)
    expect(await soFar(answer)).toBe('waiting')
    await pass(1500)
    expect(await answer).toBe('allow')
  })

  test.each([
    [
      'half written',
      (path: string) => truncateSync(path, Math.floor(jwks.length / 2)),
      /is not a JSON object/,
    ],
    ['emptied', (path: string) => truncateSync(path, 0), /is not a JSON object/],
    ['taken away', (path: string) => rmSync(path), /ENOENT/],
    [
      'made huge',
      (path: string) => writeFileSync(path, `${jwks}${' '.repeat(600_000)}`),
      /longer than 524288 bytes/,
    ],
  ])('go on serving while the file is %s, and the operator is told which', async (_, change, problem) => {
    const path = fileWith(jwks)
    const { ask, clock, state } = openFile(path)
    await ask()
    change(path)
    clock.advance({ seconds: 30 })
    await expect.poll(async () => (await state()).status).toBe('stale')
    const told = (await state()).problem
    expect(told).toMatch(problem)
    expect(told).toContain(path)
    expect(await ask()).toBe('allow')
    writeFileSync(path, rotated)
    clock.advance(1500)
    await expect.poll(async () => (await state()).status).toBe('fresh')
    expect(await ask()).toBe('key_unknown')
  })

  test('may come after the service', async () => {
    const path = fileWith()
    const { ask, clock, state } = openFile(path)
    expect(await ask()).toBe('issuer_unavailable')
    expect(await state()).toMatchObject({ status: 'waiting', problem: expect.stringContaining(path) })
    writeFileSync(path, jwks)
    clock.advance(1500)
    await expect.poll(async () => (await state()).status).toBe('fresh')
    expect(await ask()).toBe('allow')
  })

  test('may be half a MiB, and no more', async () => {
    const sized = (size: number) => openFile(fileWith(jwks.padEnd(size)))
    expect(await sized(524_288).ask()).toBe('allow')
    const { ask, state } = sized(524_289)
    expect(await ask()).toBe('issuer_unavailable')
    expect(await state()).toMatchObject({ problem: expect.stringMatching(/is longer than 524288 bytes$/) })
  })

  test('are not looked for in what is not a file', async () => {
    const { ask, state } = openFile(folder)
    expect(await ask()).toBe('issuer_unavailable')
    expect(await state()).toMatchObject({ problem: `\`${folder}\` is not a file` })
  })
})

describe('discovery', () => {
  const open = (options: Partial<IssuerOptions> = {}) =>
    openKeyNetwork({ jwksUri: undefined, ...options } as object)
  const path = (url: string): string => url.slice(issuer.length)

  test('asks for the metadata every five minutes and where the keys are not found, not for each new key', async () => {
    const { network, guard, pass, ask, clock } = open()
    let isDown = false
    network.answer = ({ url }) => {
      if (isDown) throw new Error('down')
      return jsonDocument(
        url.includes('well-known') ? { issuer, jwks_uri: `${issuer}/k` } : { keys: [published()] },
      )
    }
    const since = (length: number) => network.requests.slice(length).map(({ url }) => path(url))
    await guard.ready()
    const invented = ask('invented')
    await pass(1500)
    await invented
    expect(since(0)).toEqual([openId, '/k', '/k'])
    await pass({ seconds: 298.5 }) // the refresh at 240 s is on the way
    expect(since(3)).toEqual(['/k'])
    const again = ask('invented')
    await pass(1500)
    await again
    expect(since(4)).toEqual([openId, '/k'])
    isDown = true
    await pass({ seconds: 240 })
    expect(since(6)).toEqual(['/k'])
    await pass(1500)
    expect(since(7)).toEqual([openId])
    isDown = false
    clock.advance({ seconds: -3600 })
    expect(await ask()).toBe('allow')
    await pass(3000)
    clock.advance({ seconds: -3600 })
    void ask('invented')
    await pass(1)
    expect(since(10)).toEqual([openId, '/k'])
  })

  test('goes on at the place that it found when the clock is set back to that very moment', async () => {
    const { network, guard, pass, ask, clock } = open()
    network.answer = ({ url }) =>
      jsonDocument(url.includes('well-known') ? { issuer, jwks_uri: `${issuer}/k` } : { keys: [published()] })
    await guard.ready()
    await pass({ seconds: 240 })
    clock.advance({ seconds: -240 })
    expect(await ask('invented')).toBe('key_unknown')
    expect(network.requests.map(({ url }) => path(url))).toEqual([openId, '/k', '/k', '/k'])
  })

  test('at a place that is written asks there and nowhere else', async () => {
    const discoveryUrl = 'https://idp.internal:8443/realms/shop/metadata?appid=orders'
    const { network, ask } = open({ discoveryUrl })
    network.answer = ({ url }) =>
      jsonDocument(
        url === discoveryUrl ? { issuer, jwks_uri: 'https://idp.internal:8443/k' } : { keys: [published()] },
      )
    expect(await ask()).toBe('allow')
    expect(network.requests.map(({ url }) => url)).toEqual([discoveryUrl, 'https://idp.internal:8443/k'])
  })

  test('at a place that is written is not replaced by a well-known one', async () => {
    await using site = await openSite((origin) => ({
      [openId]: { issuer: origin, jwks_uri: `${origin}/k` },
      [oauth]: { issuer: origin, jwks_uri: `${origin}/k` },
      '/k': { keys: [published()] },
    }))
    const discoveryUrl = `${site.origin}/gone`
    const guard = createGuard({
      audience: 'orders',
      issuers: [{ issuer: site.origin, discoveryUrl, ca: site.ca }],
      log: false,
    })
    expect((await guard.ready()).issuers[0]?.problem).toBe('expected status 200, got 404')
    expect(site.hits).toEqual(['/gone'])
    guard.close()
  })

  test.each([
    ['names another issuer', { issuer: 'https://idp.internal', jwks_uri: `${issuer}/k` }, /another `issuer`/],
    ['names the issuer with a slash', { issuer: `${issuer}/`, jwks_uri: `${issuer}/k` }, /another `issuer`/],
    ['sends to plain http', { issuer, jwks_uri: 'http://idp.internal/k' }, /not https/],
    ['sends to a URL with a user name', { issuer, jwks_uri: 'https://admin@idp.internal/k' }, /user name/],
    ['sends to a URL with a password', { issuer, jwks_uri: 'https://:pw@idp.internal/k' }, /user name/],
  ])('at a place that is written is refused where the document %s', async (_, metadata, problem) => {
    const { network, guard } = open({ discoveryUrl: 'https://idp.internal/metadata' })
    network.answer = () => jsonDocument(metadata)
    expect((await guard.ready()).issuers[0]?.problem).toMatch(problem)
    expect(network.requests).toHaveLength(1)
  })

  test('may lead to plain http where that very URL is allowed', async () => {
    const place = 'http://idp.internal:8080/k'
    const asked: string[] = []
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, discoveryUrl: 'http://idp.internal:8080/metadata' }],
        dangerouslyAllowHttp: [place, 'http://idp.internal:8080/metadata'],
        log: false,
      },
      {
        fetch: async ({ href }) => {
          asked.push(href)
          return jsonDocument(href === place ? { keys: [published()] } : { issuer, jwks_uri: place })
        },
      },
    )
    expect(await guard.ready()).toMatchObject({ ready: true })
    expect(asked).toEqual(['http://idp.internal:8080/metadata', place])
    guard.close()
  })
})

describe('a bearer token for the keys', () => {
  const bearerFile = fileWith('first\n')
  const sent = ({ network }: ReturnType<typeof openKeyNetwork>) =>
    network.requests.map(({ headers }) => headers['authorization'])

  test('is sent with each request, as the file has it then', async () => {
    writeFileSync(bearerFile, 'first\n')
    const house = openKeyNetwork({ bearerFile })
    await house.guard.ready()
    writeFileSync(bearerFile, 'second\n')
    await house.pass({ seconds: 240 })
    expect(sent(house)).toEqual(['Bearer first', 'Bearer second'])
  })

  test('reaches a real server, and is not remembered where that redirects', async () => {
    writeFileSync(bearerFile, 'first')
    const seen: (string | undefined)[] = []
    await using elsewhere = await openSite(() => ({
      '/k': (response, request) => {
        seen.push(`elsewhere ${request.headers.authorization}`)
        response.end(jwks)
      },
    }))
    await using site = await openSite(() => ({
      '/k': (response, request) => {
        seen.push(request.headers.authorization)
        if (seen.length === 1) response.end(jwks)
        else response.writeHead(307, { location: `${elsewhere.origin}/k` }).end()
      },
    }))
    const clock = createTestClock()
    const guard = createGuard(
      {
        audience: 'orders',
        issuers: [{ issuer, jwksUri: `${site.origin}/k`, ca: site.ca, bearerFile }],
        log: false,
      },
      { clock },
    )
    expect(await guard.ready()).toMatchObject({ ready: true })
    clock.advance({ seconds: 240 })
    await expect
      .poll(async () => (await guard.ready()).issuers[0]?.problem)
      .toBe('expected status 200, got 307')
    expect(seen).toEqual(['Bearer first', 'Bearer first'])
    guard.close()
  })

  test.each([
    ['the issuer', {}, issuer],
    ['the place that is written', { discoveryUrl: 'https://api.internal/metadata' }, 'https://api.internal'],
  ])('is sent to the origin of %s, for metadata and keys', async (_, options, origin) => {
    writeFileSync(bearerFile, 'first')
    const house = openKeyNetwork({ jwksUri: undefined, bearerFile, ...options } as object)
    house.network.answer = ({ url }) =>
      jsonDocument(url.endsWith('/k') ? { keys: [published()] } : { issuer, jwks_uri: `${origin}/k` })
    await house.guard.ready()
    expect(sent(house)).toEqual(['Bearer first', 'Bearer first'])
  })

  test.each([
    'https://elsewhere.test/k',
    'https://issuer.test:8443/k',
    'https://issuer.test.elsewhere.test/k',
  ])('is not sent to %s, where metadata leads', async (place) => {
    writeFileSync(bearerFile, 'first')
    const house = openKeyNetwork({ jwksUri: undefined, bearerFile } as object)
    house.network.answer = ({ url }) =>
      jsonDocument(url === place ? { keys: [published()] } : { issuer, jwks_uri: place })
    expect(await house.guard.ready()).toMatchObject({ ready: true })
    expect(sent(house)).toEqual(['Bearer first', undefined])
  })

  test.each([
    ['is missing', undefined],
    ['is empty', ' \n'],
    ['has two words', 'secret-one secret-two'],
    ['has two lines', 'secret-one\r\nx-injected: secret-two'],
    ['is no text', 'secret-\u0000'],
  ])('whose file %s is not sent, nor told to anybody', async (_, content) => {
    const house = openKeyNetwork({ bearerFile: fileWith(content) })
    const { issuers } = await house.guard.ready()
    expect(issuers[0]).toMatchObject({
      status: 'waiting',
      problem: expect.stringMatching(/^the bearer token .* cannot be read/),
    })
    expect(JSON.stringify(issuers)).not.toContain('secret')
    expect(house.network.requests).toEqual([])
  })
})

test('the authority behind a key set may be given as the path of a file', async () => {
  await using site = await openSite(() => ({ '/k': { keys: [published()] } }))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, site.ca)
  const guard = createGuard({
    audience: 'orders',
    issuers: [{ issuer, jwksUri: `${site.origin}/k`, ca }],
    log: false,
  })
  expect(await guard.ready()).toMatchObject({ ready: true })
  guard.close()
})

describe('an option', () => {
  test.each([
    ['jwks', { jwks: '' }, /path of a JSON file/],
    ['jwks', { jwks: 7 }, /path of a JSON file/],
    ['jwks', { jwks: null }, /JWK Set/],
    ['jwks', { jwks: {} }, /array `keys`/],
    ['jwks', { jwks: { keys: [] } }, /at least one usable/],
    ['jwks', { jwks: './keys.json', jwksUri: `${issuer}/k` }, /either `jwks` or `jwksUri`/],
    ['jwks', { issuer: 'spiffe://prod.example', profile: 'jwt-svid' }, /a trust domain is not discovered/],
    [
      'jwks',
      { issuer: 'spiffe://prod.example', profile: 'jwt-svid', discoveryUrl: `${issuer}/x` },
      /a trust domain is not discovered/,
    ],
    [
      'jwks',
      { issuer: 'spiffe://prod.example', profile: 'jwt-svid', jwks: { keys: [published()] } },
      /at least one `jwt-svid` key/,
    ],
    ['jwksUri', { jwksUri: 'issuer.test/k' }, /https URL/],
    ['jwksUri', { jwksUri: 'http://issuer.test/k' }, /dangerouslyAllowHttp/],
    ['jwksUri', { jwksUri: 'https://user:pw@issuer.test/k' }, /https URL/],
    ['jwksUri', { jwksUri: 7 }, /https URL/],
    ['discoveryUrl', { discoveryUrl: 'http://issuer.test/m' }, /dangerouslyAllowHttp/],
    ['discoveryUrl', { discoveryUrl: 'file:///etc/passwd' }, /https URL/],
    ['discoveryUrl', { discoveryUrl: ['https://issuer.test/m'] }, /https URL/],
    ['bearerFile', { bearerFile: '' }, /path of a file/],
    ['bearerFile', { bearerFile: 7 }, /path of a file/],
    ['bearerFile', { bearerFile: './token', jwks: { keys: [published()] } }, /nothing is fetched/],
    ['bearerFile', { bearerFile: './token', jwks: './keys.json' }, /nothing is fetched/],
    ['ca', { ca: 'nonsense' }, /PEM/],
    ['maxStaleSeconds', { maxStaleSeconds: 59 }, /from 60 to 604800/],
    ['maxStaleSeconds', { maxStaleSeconds: 604_801 }, /from 60 to 604800/],
    ['maxStaleSeconds', { maxStaleSeconds: Number.NaN }, /from 60 to 604800/],
  ])('`%s` in %j is a mistake that is told at the start', (name, options, message) => {
    const make = () =>
      createGuard({ audience: 'orders', issuers: [{ issuer, ...options } as IssuerOptions], log: false }) // wrong on purpose
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ option: `issuers[0].${name}` }))
  })

  test('`discoveryUrl` may stand beside the keys themselves, as presets write it', async () => {
    const guard = createGuard({
      audience: 'orders',
      issuers: [{ issuer, discoveryUrl: `${issuer}/m`, jwks: { keys: [published()] } }],
      log: false,
    })
    expect(await guard.ready()).toMatchObject({ ready: true })
    const claims = { iss: issuer, sub: 'a', client_id: 'a', aud: 'orders', jti: 'j' }
    const iat = Math.floor(Date.now() / 1000)
    const token = signer.jws({ alg: 'ES256', typ: 'at+jwt' }, { ...claims, iat, exp: iat + 300 })
    expect(await codeFor(guard, token)).toBe('allow')
  })
})
