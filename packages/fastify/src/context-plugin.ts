import type { FastifyInstance, FastifyPluginCallback } from 'fastify'

/** Makes a plugin that acts on the very context which it is registered in, and so on all below; nothing above sees it. */
export function contextPlugin(
  name: string,
  install: (context: FastifyInstance) => void,
): FastifyPluginCallback {
  const plugin: FastifyPluginCallback = (context, _options, done) => {
    try {
      install(context)
      done()
    } catch (error) {
      done(error as Error) // nothing but errors is thrown
    }
  }
  // The marks that Fastify reads; `fastify-plugin` sets the same.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { name, fastify: '5.x' },
  })
}
