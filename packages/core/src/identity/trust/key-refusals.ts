import { Refusal } from '../../refusal.ts'

/** Nobody knows whether the token is good: the keys of its issuer are not to be had. */
export const issuerUnavailable = (issuer: string, problem: string | undefined): Refusal =>
  new Refusal('issuer_unavailable', {
    issuer,
    expected: 'the keys of the issuer',
    actual: problem ?? 'none yet',
    advice: 'check that this service reaches the issuer, and `ca` where its certificate is private',
  })

/** More requests wait for one issuer than are let in. The next attempt comes all the same. */
export const issuerOverloaded = (issuer: string, room: number): Refusal =>
  new Refusal('issuer_overloaded', {
    issuer,
    expected: `at most ${room} requests waiting for the keys of the issuer`,
    actual: 'more',
    advice: 'somebody presents tokens whose `kid` the issuer does not publish, many at a time',
  })
