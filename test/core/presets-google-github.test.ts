// Google and GitHub sign tokens for everybody on Earth, for any audience: who may call must be said.
import { authenticated, callerIs, githubActions, google, scopes } from '@countersign/core'
import { afterAll, describe, expect, test } from 'vitest'
import { callerFor, codeFor } from './support/asking.ts'
import { openScript } from './support/scripted-issuers.ts'
import { githubTokens, googleTokens } from './support/vendor-tokens.ts'

describe('Google', async () => {
  const issuer = 'https://accounts.google.com'
  const script = await openScript(issuer)
  afterAll(() => script.site[Symbol.asyncDispose]())
  const tokens = googleTokens(script.now)
  const subject = tokens.serviceAccount.claims.sub
  const guard = script.guard(google({ subjects: [subject] }))

  test.each([
    ['the metadata server', tokens.serviceAccount],
    ['a key file', tokens.keyFile],
  ])('accepts a service account with a token from %s, by its number', async (_, shape) => {
    const caller = await callerFor(guard, script.sign(shape))
    expect(caller.id).toBe(`${issuer}#sub=${subject}`)
    expect(caller.service?.clientId).toBeUndefined()
    expect(caller.user).toBeUndefined()
  })

  test('gives it the scopes that policy grants, and none that the token says', async () => {
    const token = script.sign(tokens.serviceAccount, { scope: 'orders:write' })
    const granting = script.guard(google(), { grants: { [`${issuer}#sub=${subject}`]: ['orders:read'] } })
    expect(await codeFor(granting, token, scopes('orders:read'))).toBe('allow')
    expect(await codeFor(granting, token, scopes('orders:write'))).toBe('scope_missing')
    expect(await codeFor(guard, token, scopes('orders:write'))).toBe('scope_missing')
  })

  test.each([
    ['another service account, for the same audience', { sub: '998877665544332211000' }],
    ['an account whose e-mail address was taken over', { sub: '900000000000000000001' }],
  ])('refuses %s', async (_, changes) => {
    const token = script.sign(tokens.serviceAccount, changes)
    expect(await codeFor(guard, token)).toBe('subject_not_permitted')
    const granting = script.guard(google(), { grants: { [`${issuer}#sub=${subject}`]: ['orders:read'] } })
    expect(await codeFor(granting, token, authenticated())).toBe('subject_not_permitted')
  })

  test.each([
    ['a person who signed in', tokens.person, {}, 'audience_mismatch'],
    ['a person, for this audience', tokens.person, { aud: 'orders' }, 'subject_not_permitted'],
    ['another audience', tokens.serviceAccount, { aud: 'billing' }, 'audience_mismatch'],
    ['an issuer without its scheme', tokens.serviceAccount, { iss: 'accounts.google.com' }, 'issuer_unknown'],
  ])('refuses %s', async (_, shape, claims, code) => {
    expect(await codeFor(guard, script.sign(shape, claims))).toBe(code)
  })

  test.each([
    ['an access token, which is opaque', 'ya29.a0AfB_byDxyz', 'token_malformed'],
    [
      'what an account signed itself',
      script.sign(tokens.keyFile, { iss: tokens.keyFile.claims.email, sub: tokens.keyFile.claims.email }),
      'issuer_unknown',
    ],
  ])('refuses %s', async (_, token, code) => {
    expect(await codeFor(guard, token)).toBe(code)
  })

  test('refuses what is marked as an access token', async () => {
    const token = script.sign(tokens.serviceAccount, {}, { typ: 'at+jwt' })
    expect(await codeFor(guard, token)).toBe('token_type_mismatch')
  })

  test('is refused itself where nobody says who may call', () => {
    expect(() => script.guard(google())).toThrow(/anybody can have a token/)
    expect(() => script.guard(google(), { grants: { 'https://other.example#sub=1': [] } })).toThrow(/anybody/)
  })
})

describe('GitHub Actions', async () => {
  const issuer = 'https://token.actions.githubusercontent.com'
  const script = await openScript(issuer)
  afterAll(() => script.site[Symbol.asyncDispose]())
  const { job } = githubTokens(issuer, script.now)

  test.each([
    ['repository', { repositoryIds: ['456789'] }],
    ['owner', { ownerIds: ['1', '123456'] }],
    ['repository and environment', { repositoryIds: ['456789'], environments: ['production'] }],
    ['owner and ref', { ownerIds: ['123456'], refs: ['refs/heads/main', 'refs/tags/v1'] }],
  ] as const)('accepts a job held to its %s', async (_, options) => {
    const caller = await callerFor(script.guard(githubActions(options)), script.sign(job))
    expect(caller.id).toBe(`${issuer}#sub=${job.claims.sub}`)
    expect([...caller.scopes]).toEqual([])
  })

  test('accepts whom `grants` names, where nothing else says who may call', async () => {
    const id = `${issuer}#sub=${job.claims.sub}`
    const guard = script.guard(githubActions(), { grants: { [id]: ['orders:read'] } })
    expect(await codeFor(guard, script.sign(job), callerIs(id))).toBe('allow')
    const fork = script.sign(job, { sub: 'repo:evil@1/octo-repo@2:environment:production' })
    expect(await codeFor(guard, fork)).toBe('subject_not_permitted')
  })

  const guard = script.guard(
    githubActions({ repositoryIds: ['456789'], environments: ['production'], refs: ['refs/heads/main'] }),
  )

  test.each([
    ['another repository of that name', { repository_id: '666' }],
    ['a job that names no repository', { repository_id: undefined }],
    ['a repository’s id as a number', { repository_id: 456789 }],
    ['another environment', { environment: 'staging' }],
    ['a job without environment', { environment: undefined }],
    ['a branch that starts alike', { ref: 'refs/heads/main-2' }],
    ['a pull request', { ref: 'refs/pull/7/merge', event_name: 'pull_request' }],
  ])('refuses %s', async (_, changes) => {
    expect(await codeFor(guard, script.sign(job, changes))).toBe('claim_mismatch')
  })

  test.each([
    ['the audience that jobs have by default', { aud: 'https://github.com/octo-org' }, 'audience_mismatch'],
    ['the issuer of an enterprise', { iss: `${issuer}/octocat-inc` }, 'issuer_unknown'],
  ])('refuses %s', async (_, changes, code) => {
    expect(await codeFor(guard, script.sign(job, changes))).toBe(code)
  })

  test('refuses the issuer of all where an enterprise has its own', async () => {
    const own = await openScript(`${issuer}/octocat-inc`)
    const enterprise = own.guard(githubActions({ enterprise: 'octocat-inc', ownerIds: ['123456'] }))
    expect(await codeFor(enterprise, script.sign(job))).toBe('issuer_unknown')
    expect(await codeFor(enterprise, script.sign(job, { iss: `${issuer}/octocat-inc` }))).toBe('allow')
    await own.site[Symbol.asyncDispose]()
  })
})
