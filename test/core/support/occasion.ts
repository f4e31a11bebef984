import type { Occasion } from '../../../packages/core/src/policy/occasion.ts'

/** A plain request, for requirements that do not look at it. */
export const occasion: Occasion = {
  request: { method: 'GET', url: '/', headers: {}, rawHeaders: [], socket: {} },
  route: 'GET /',
  registered: 'GET /',
  params: {},
  context: {},
}
