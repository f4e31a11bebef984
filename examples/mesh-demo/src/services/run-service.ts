// What all services of the demo have in common: they listen with mutual TLS, call others, and tell what they decided.
import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'
import {
  candidateChannel,
  decisionChannel,
  type CandidateDifference,
  type CandidateEvent,
  type DecisionEvent,
  type Guard,
  type Observation,
} from '@countersign/core'
import { answerCommands, tell } from '../processes/commands.ts'
import { listen } from '../processes/listen.ts'
import { obtainToken, type WantedToken } from './access-token.ts'
import { callPrices, type OutgoingCall } from './call-prices.ts'
import { houseOf, type House } from './house.ts'
import { onwardCalls, type OnwardCalls } from './onward-calls.ts'
import { sendRequest, type Answer, type KeyPair, type OutgoingRequest } from './send-request.ts'
import { requireClient, type ServiceSetup } from './setup.ts'

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
  /** The same over gRPC. */
  callPrices(call: OutgoingCall): Promise<Answer>
  /** Answers when everything decided so far has been told. */
  settle(): void
  /** What its guard has recorded of what it let pass, and of its candidate policy. */
  records(): Promise<Records>
}

/** What a service is made from. */
interface Surroundings {
  readonly house: House
  /** Of its server. */
  readonly certificate: KeyPair
  readonly onward: OnwardCalls
}

/** What is made: in every framework a guard, and a TLS server that asks for the client certificates it trusts. */
interface Service {
  readonly guard: Guard
  /** It does not listen yet. */
  readonly server: Server
}

/** Runs a service: `create` makes it, in whichever framework it likes. */
export function runService(create: (around: Surroundings) => Service | Promise<Service>): void {
  subscribe(decisionChannel, (decision) => tell({ decision }))
  subscribe(candidateChannel, (candidate) => tell({ candidate }))
  const ready = Promise.withResolvers<{ readonly setup: ServiceSetup; readonly guard: Guard }>()
  answerCommands<ServiceCommands>({
    async start(setup) {
      const { home, certificate } = setup
      const { guard, server } = await create({
        house: houseOf(home),
        certificate,
        onward: onwardCalls(setup),
      })
      await guard.ready()
      ready.resolve({ setup, guard })
      return listen(server)
    },
    token: async (wanted) => obtainToken(requireClient((await ready.promise).setup), wanted),
    call: sendRequest,
    callPrices,
    // The channel keeps the order: what was told before this answer has arrived before it.
    settle: () => undefined,
    async records() {
      const { guard } = await ready.promise
      return { observations: guard.observations(), differences: guard.candidateDifferences() }
    },
  })
}
