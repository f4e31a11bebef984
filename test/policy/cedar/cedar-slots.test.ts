// Cedar keeps what it has parsed by name and for ever: who has gone leaves the name to the next, and nobody else.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Decider, DeciderQuestion } from '@countersign/core'
import { cedarDecider, entity } from '@countersign/policy/cedar'
import { expect, test } from 'vitest'
import { settled } from '../../core/support/asking.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // as the flag makes it

const somebody = () => entity('Somebody', 'a')
const told = { principal: somebody, action: somebody, resource: somebody, context: () => ({}) }
const nothing = {} as DeciderQuestion // which is not looked at

/** Only its function: nobody holds the decider itself. */
const askable = (policies: string): Decider['decide'] => {
  const { decide } = cedarDecider({ policies, ...told })
  return (question) => decide(question)
}

test('rules that can still be asked are never those of another', async () => {
  const first = askable('permit(principal, action, resource);')
  collect()
  await settled()
  for (let i = 0; i < 20; i += 1) {
    expect(askable('forbid(principal, action, resource);')(nothing)).toMatchObject({ effect: 'forbid' })
    collect()
    await settled()
  }
  expect(first(nothing)).toMatchObject({ effect: 'permit' })
})
