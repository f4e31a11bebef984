// As if the packages that `WITHOUT` names were not installed.
import { registerHooks } from 'node:module'

const left = process.env.WITHOUT.split(' ')
registerHooks({
  resolve(specifier, context, next) {
    if (!left.some((name) => specifier === name || specifier.startsWith(`${name}/`)))
      return next(specifier, context)
    throw Object.assign(new Error(`${specifier} is left out`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})
