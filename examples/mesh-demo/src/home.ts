// Opens a home: its certificate authority, its OAuth issuer, and the keys by which its services are known there.
import { createTestCa, type TestCa } from '@countersign/testing'
import { exportJWK, generateKeyPair } from 'jose'
import type { IssuerCommands } from './issuer/issuer.ts'
import type { RemoteProcess } from './processes/remote-process.ts'
import type { OAuthClient } from './services/access-token.ts'
import type { Home } from './services/house.ts'
import { audienceOf, clientsOf, issuerOf, serviceNames, trustDomains } from './workloads.ts'
import type { ClientRegistration, HomeName, ServiceName } from './workloads.ts'

export interface RunningHome extends Home {
  /** The address of its issuer. */
  readonly origin: string
  readonly authority: TestCa
  readonly issuerProcess: RemoteProcess<IssuerCommands>
  /** What a service needs to get tokens; those that call nobody have nothing. */
  readonly clients: ReadonlyMap<ServiceName, OAuthClient>
}

export async function openHome(
  name: HomeName,
  issuerProcess: RemoteProcess<IssuerCommands>,
): Promise<RunningHome> {
  const trustDomain = trustDomains[name]
  const authority = await createTestCa({ trustDomain, name: `Development CA of ${trustDomain}` })
  const { cert, key } = await authority.serverCertificate(['localhost', '127.0.0.1'])
  const clients = await Promise.all(clientsOf[name].map(withKeys))
  const issuer = issuerOf(name)
  const origin = await issuerProcess.ask('start', {
    issuer,
    cert,
    key,
    clients: clients.map(({ id, spiffeId, scope, publicKey }) => ({ id, spiffeId, scope, publicKey })),
    audiences: serviceNames.map(audienceOf),
  })
  const ca = authority.bundle
  return {
    trustDomain,
    issuer,
    origin,
    discoveryUrl: `${origin}/.well-known/openid-configuration`,
    ca,
    authority,
    issuerProcess,
    clients: new Map(
      clients.map(({ service, id, privateKey }) => [
        service,
        { issuer, tokenEndpoint: `${origin}/token`, ca, id, privateKey },
      ]),
    ),
  }
}

// Each client has a key of its own. The issuer gets the public half, the service the private one.
async function withKeys(client: ClientRegistration) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...client, publicKey: await exportJWK(publicKey), privateKey: await exportJWK(privateKey) }
}
