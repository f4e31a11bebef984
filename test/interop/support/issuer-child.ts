// The process of `issuer-process.ts`.
import { answerCommands, tell } from '../../../examples/mesh-demo/src/processes/commands.ts'
import { RealIssuer, type IssuerState } from '../../issuers/support/real-issuer.ts'

export interface IssuerCommands {
  start(setup: {
    readonly maxAgeSeconds: number | undefined
    readonly state?: IssuerState
  }): Promise<IssuerState>
  publishKey(kid: string): Promise<IssuerState>
  signWith(kid: string): IssuerState
  withdrawKey(kid: string): IssuerState
}

let issuer: RealIssuer | undefined

answerCommands<IssuerCommands>({
  async start({ maxAgeSeconds, state }) {
    issuer = await RealIssuer.start({
      ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
      ...(state && { state }),
    })
    issuer.onAsked = tell
    return issuer.state
  },
  async publishKey(kid) {
    await started().publishKey(kid)
    return started().state
  },
  signWith(kid) {
    started().signWith(kid)
    return started().state
  },
  withdrawKey(kid) {
    started().withdrawKey(kid)
    return started().state
  },
})

function started(): RealIssuer {
  if (issuer === undefined) throw new Error('expected `start` first')
  return issuer
}
