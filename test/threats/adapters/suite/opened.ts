import { scopes, type Environment, type GuardOptions, type Placement } from '@countersign/core'
import type { Door, OpenDoor } from '../door.ts'
import { guardWith } from '../house.ts'

type Setting = Partial<GuardOptions> & {
  readonly placement?: Placement
  readonly environment?: Partial<Environment>
}

/** Opens a door that asks for `orders:read`, unless it is said otherwise, and closes it and its guard when the test is over. */
export async function opened(
  door: Door,
  run: (open: OpenDoor) => Promise<void>,
  { placement = scopes('orders:read'), environment = {}, ...options }: Setting = {},
): Promise<void> {
  const guard = guardWith(options, environment)
  const open = await door.open(guard, placement)
  try {
    await run(open)
  } finally {
    await open.close()
    guard.close()
  }
}
