// Statuses that a guard would ask for, and the responder's side of it, answered by the test.
import { createTestClock, type TestClock } from '@countersign/testing'
import type { FetchDocument } from '@countersign/core'
import type { FetchOptions } from '../../../packages/core/src/identity/trust/fetch-document.ts'
import type { OcspLanding } from '../../../packages/core/src/identity/revocation/ocsp-responder.ts'
import {
  OcspStatuses,
  type OcspStatusesOptions,
} from '../../../packages/core/src/identity/revocation/ocsp-statuses.ts'
import { at, integer } from './der-certificate.ts'
import { answerAbout, askedOf, root, type Asked, type SingleOptions } from './ocsp-answers.ts'

/** A question that was sent, and its answer. */
export interface Sent {
  readonly url: URL
  readonly options: FetchOptions
  answer(octets: Uint8Array, status?: number): void
  fail(error: Error): void
}

export interface StatusHouse {
  readonly clock: TestClock
  readonly sent: Sent[]
  readonly landings: OcspLanding[]
  readonly statuses: OcspStatuses
  /** `good`, `revoked`, or `none`. */
  kindOf(asked: Asked): string
  learn(...asked: readonly Asked[]): Promise<boolean>
  /** Answers the last question with what is said of this certificate as of now, for an hour unless it says something else. */
  answerLast(asked: Asked, status?: Omit<SingleOptions, 'certId'>): Promise<void>
}

export function statusHouse(options: Partial<OcspStatusesOptions> = {}): StatusHouse {
  const clock = createTestClock(at)
  const sent: Sent[] = []
  const fetch: FetchDocument = (url, fetchOptions) =>
    new Promise((resolve, reject) => {
      sent.push({
        url,
        options: fetchOptions,
        answer: (octets, status = 200) => resolve({ status, headers: {}, octets }),
        fail: reject,
      })
    })
  const landings: OcspLanding[] = []
  const statuses = new OcspStatuses({
    responders: [new URL('http://ocsp.test/')],
    ca: undefined,
    clock,
    fetch,
    maxEntries: 10_000,
    landed: (landing) => landings.push(landing),
    ...options,
  })
  return {
    clock,
    sent,
    landings,
    statuses,
    kindOf: ({ certificate, issuer }) => statuses.statusOf(certificate, issuer, clock.now())?.kind ?? 'none',
    learn: (...asked) => statuses.learn(asked),
    answerLast: async (asked, status = {}) => {
      const thisUpdate = status.thisUpdate ?? clock.now()
      sent.at(-1)?.answer(answerAbout(asked, { ...status, thisUpdate }))
      await turns()
    },
  }
}

/** Lets whatever can go on without time passing do so. */
export const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Certificates of one authority, told apart by their numbers. */
export const someAsked = (count: number, from = 1): readonly Asked[] => {
  const [first] = [askedOf(root, { serialNumber: integer(1) })]
  // Signing each would take seconds; that they hold is not what is asked here.
  return Array.from({ length: count }, (_, i) => {
    const serialNumber = (from + i + 0x1000).toString(16).padStart(4, '0')
    return { ...first, certificate: { ...first.certificate, serialNumber } }
  })
}
