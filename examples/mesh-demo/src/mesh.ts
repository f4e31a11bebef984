// Starts the shop and its surroundings: two homes, and the services that live in them.
import type { CandidateEvent, DecisionEvent } from '@countersign/core'
import { openHome, type RunningHome } from './home.ts'
import type { IssuerCommands } from './issuer/issuer.ts'
import type { ProcessGroup } from './processes/process-group.ts'
import type { RemoteProcess } from './processes/remote-process.ts'
import type { Progress } from './report/progress.ts'
import type { Notice, ServiceCommands } from './services/run-service.ts'
import type { KeyPair } from './services/send-request.ts'
import {
  audienceOf,
  frameworkOf,
  homeOf,
  spiffeIdOf,
  spiffePathOf,
  type HomeName,
  type ServiceName,
} from './workloads.ts'

type ServiceProcess = RemoteProcess<ServiceCommands, Notice>

export interface RunningService {
  readonly process: ServiceProcess
  /** Its address, such as `https://localhost:43121`. */
  readonly origin: string
  readonly certificate: KeyPair
  /** PEM of the authority behind its certificate. */
  readonly ca: string
  /** What it has decided since somebody looked, oldest first. */
  readonly decisions: DecisionEvent[]
  /** Where its candidate policy has decided otherwise since then. */
  readonly differences: CandidateEvent[]
}

export interface Mesh {
  readonly homes: Readonly<Record<HomeName, RunningHome>>
  readonly services: Readonly<Record<ServiceName, RunningService>>
}

/** Starts everything, on loopback. Resolves when every service can decide. What the services log can be shown. */
export async function startMesh(
  processes: ProcessGroup,
  progress: Progress,
  { showsRefusals }: { readonly showsRefusals: boolean },
): Promise<Mesh> {
  const forkIssuer = (name: string) => processes.fork<IssuerCommands>(name, modules.issuer)
  const forkService = (name: ServiceName): ServiceProcess =>
    processes.fork(name, modules[name], {
      showsOutput: showsRefusals,
      // Nest is written with decorators, which no Node runs as they are.
      preload: frameworkOf[name] === 'Nest' ? modules.decorators : undefined,
    })
  // All at once: while they load, certificates and keys are made here.
  const issuers = { shop: forkIssuer('issuer'), outside: forkIssuer('outside issuer') }
  const forked = {
    reports: forkService('reports'),
    pricing: forkService('pricing'),
    inventory: forkService('inventory'),
    orders: forkService('orders'),
    checkout: forkService('checkout'),
    outsider: forkService('outsider'),
  }

  const open = async (name: HomeName): Promise<RunningHome> => {
    const home = await openHome(name, issuers[name])
    progress.started(issuers[name].name, home.origin, `issues tokens for ${home.trustDomain}`)
    return home
  }
  const [shop, outside] = await Promise.all([open('shop'), open('outside')])
  const homes = { shop, outside }

  const start = async (name: ServiceName, peers: Readonly<Record<string, string>> = {}) => {
    const service = await startService(name, forked[name], homes[homeOf(name)], peers)
    progress.started(name, service.origin, `${frameworkOf[name].padEnd(7)}  is ${spiffeIdOf(name)}`)
    return service
  }
  // Orders has to know where inventory and pricing are, so those come first.
  const [inventory, pricing] = await Promise.all([start('inventory'), start('pricing')])
  const [orders, checkout, reports, outsider] = await Promise.all([
    start('orders', {
      [audienceOf('inventory')]: inventory.origin,
      [audienceOf('pricing')]: pricing.origin,
    }),
    start('checkout'),
    start('reports'),
    start('outsider'),
  ])
  return { homes, services: { checkout, orders, inventory, pricing, reports, outsider } }
}

async function startService(
  name: ServiceName,
  process: ServiceProcess,
  { trustDomain, issuer, discoveryUrl, ca, authority, clients }: RunningHome,
  peers: Readonly<Record<string, string>>,
): Promise<RunningService> {
  const decisions: DecisionEvent[] = []
  const differences: CandidateEvent[] = []
  process.onNotice = (notice) => {
    if ('decision' in notice) decisions.push(notice.decision)
    else differences.push(notice.candidate)
  }
  // From the root itself: Node shows a server no intermediates of its clients.
  const { cert, key } = await authority.serverCertificate(['localhost', '127.0.0.1'], {
    spiffePath: spiffePathOf(name),
  })
  const certificate = { cert, key }
  const home = { trustDomain, issuer, discoveryUrl, ca }
  const origin = await process.ask('start', { home, certificate, client: clients.get(name), peers })
  return { process, origin, certificate, ca, decisions, differences }
}

const modules = {
  issuer: new URL('./issuer/issuer.ts', import.meta.url),
  inventory: new URL('./services/inventory.ts', import.meta.url),
  orders: new URL('./services/orders.ts', import.meta.url),
  checkout: new URL('./services/checkout.ts', import.meta.url),
  pricing: new URL('./services/pricing.ts', import.meta.url),
  reports: new URL('./services/reports.ts', import.meta.url),
  outsider: new URL('./services/outsider.ts', import.meta.url),
  decorators: new URL('./processes/compile-decorators.ts', import.meta.url),
} as const
