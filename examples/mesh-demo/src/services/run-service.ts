// What all services of the demo have in common: they listen with mutual TLS, call others, and tell what they decided.
import { subscribe } from 'node:diagnostics_channel'
import {
  candidateChannel,
  decisionChannel,
  type CandidateDifference,
  type CandidateEvent,
  type DecisionEvent,
  type Observation,
} from '@countersign/core'
import { createTlsServer, type Guard } from '@countersign/express'
import type { Application } from 'express'
import { answerCommands, tell } from '../processes/commands.ts'
import { listen } from '../processes/listen.ts'
import { obtainToken, type OAuthClient, type WantedToken } from './access-token.ts'
import { houseOf, type Home, type House } from './house.ts'
import { sendRequest, type Answer, type KeyPair, type OutgoingRequest } from './send-request.ts'

interface ServiceSetup {
  readonly home: Home
  /** An X.509-SVID that is also the certificate of its server on localhost. */
  readonly certificate: KeyPair
  /** Undefined for a service that calls nobody. */
  readonly client?: OAuthClient | undefined
  /** Where the service finds those that it calls by itself: audience → address. */
  readonly peers: Readonly<Record<string, string>>
}

/** What a service tells without being asked: each of its decisions, and where its candidate policy decides otherwise. */
export type Notice = { readonly decision: DecisionEvent } | { readonly candidate: CandidateEvent }

/** What a guard has recorded since it was made. */
export interface Records {
  readonly observations: readonly Observation[]
  readonly differences: readonly CandidateDifference[]
}

/** What the demo can ask of a service. */
export interface ServiceCommands {
  /** Listens, and answers with its address once it can decide. */
  start(setup: ServiceSetup): Promise<string>
  /** A token of its own. */
  token(wanted: WantedToken): Promise<string>
  /** Makes a call from here, with whatever it is given. */
  call(request: OutgoingRequest): Promise<Answer>
  /** Answers when everything decided so far has been told. */
  settle(): void
  /** What its guard has recorded of what it let pass, and of its candidate policy. */
  records(): Promise<Records>
}

/** What a service is made from. */
interface Surroundings {
  readonly house: House
  /** Gets something of another service, with this service's own certificate and its own token. */
  readonly get: (audience: string, path: string, scope: string) => Promise<Answer>
}

/** Runs a service: `create` makes its application, behind its guard. */
export function runService(create: (around: Surroundings) => { app: Application; guard: Guard }): void {
  subscribe(decisionChannel, (decision) => tell({ decision }))
  subscribe(candidateChannel, (candidate) => tell({ candidate }))
  const ready = Promise.withResolvers<{ readonly setup: ServiceSetup; readonly guard: Guard }>()
  answerCommands<ServiceCommands>({
    async start(setup) {
      const { app, guard } = create({ house: houseOf(setup.home), get: getter(setup) })
      await guard.ready()
      ready.resolve({ setup, guard })
      return listen(createTlsServer(app, { ...setup.certificate, guard }))
    },
    token: async (wanted) => obtainToken(requireClient((await ready.promise).setup), wanted),
    call: sendRequest,
    // The channel keeps the order: what was told before this answer has arrived before it.
    settle: () => undefined,
    async records() {
      const { guard } = await ready.promise
      return { observations: guard.observations(), differences: guard.candidateDifferences() }
    },
  })
}

function getter(setup: ServiceSetup): Surroundings['get'] {
  const { certificate, home, peers } = setup
  return async (audience, path, scope) => {
    const token = await obtainToken(requireClient(setup), { audience, scope })
    return sendRequest({
      method: 'GET',
      url: `${peers[audience]}${path}`,
      headers: [['authorization', `Bearer ${token}`]],
      ca: home.ca,
      certificate,
    })
  }
}

function requireClient({ client }: ServiceSetup): OAuthClient {
  if (client === undefined) throw new Error('this service is no client of an issuer')
  return client
}
