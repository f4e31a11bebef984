// Makes the calls, and finds out what the callees decided.
import type { CandidateEvent, DecisionEvent } from '@countersign/core'
import type { Mesh, RunningService } from '../mesh.ts'
import type { Answer } from '../services/send-request.ts'
import { speaksGrpc } from '../workloads.ts'
import type { Call, Outcome, Verdict } from './call.ts'
import { prepare } from './credentials.ts'

/** Makes a call from the caller's own process. Resolves to what came of it, and of the call that it led to. */
export async function perform(call: Call, mesh: Mesh): Promise<Outcome[]> {
  const callee = mesh.services[call.callee]
  const outgoing = { ...(await prepare(call, mesh)), ca: callee.ca }
  const { process } = mesh.services[call.caller]
  const [method = ''] = call.route.split(' ')
  const answer = speaksGrpc(call.callee)
    ? await process.ask('callPrices', {
        ...outgoing,
        origin: callee.origin,
        path: call.path,
        message: { sku: 'tea' },
      })
    : await process.ask('call', { ...outgoing, method, url: `${callee.origin}${call.path}` })
  const outcome = await observe(call, answer, callee)
  if (call.onward === undefined) return [outcome]
  return [outcome, await observe(call.onward, onwardAnswer(answer), mesh.services[call.onward.callee])]
}

async function observe(call: Call, { status, body, ms }: Answer, callee: RunningService): Promise<Outcome> {
  await callee.process.ask('settle')
  const event = eventOf(call, body, callee.decisions.splice(0))
  return { call, status, body, ms, event, candidate: candidateOf(callee.differences.splice(0)) }
}

// A refused caller is given the id of the decision, and no more: in the body, or in the details of gRPC's status. An allowed one is
// given none: it has the answer. There the one event since the last call must be it, for calls are made one after the other.
function eventOf(call: Call, body: string, decisions: readonly DecisionEvent[]): DecisionEvent | undefined {
  const id = parseObject(body)['decision'] ?? /\(decision (\S+)\)$/.exec(body)?.[1]
  if (id !== undefined) return decisions.find((event) => event.id === id)
  const [only, ...others] = decisions
  return others.length === 0 && only?.outcome === 'allow' && only.route === call.route ? only : undefined
}

const candidateOf = ([difference]: readonly CandidateEvent[]): Verdict | undefined =>
  difference === undefined ? undefined : (difference.candidate ?? 'allow')

// The service in the middle reports what it was answered.
function onwardAnswer({ body }: Answer): Answer {
  const { onward } = parseObject(body) as { readonly onward?: Answer }
  return onward ?? { status: -1, body: '', ms: 0 } // 0 would be OK to gRPC
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {} // plain text, such as `ok`, or what gRPC says
  }
}
