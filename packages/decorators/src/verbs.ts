import { decorator } from './decorator.ts'
import type { MethodDecorates } from './decorates.ts'
import { requireText, type Path } from './path.ts'

/** Answers GET requests, and HEAD requests where no route of its own does. The path lies below the controller's. */
export const Get = (path: Path = '/'): MethodDecorates => verb('Get', path)

/** Answers POST requests. */
export const Post = (path: Path = '/'): MethodDecorates => verb('Post', path)

/** Answers PUT requests. */
export const Put = (path: Path = '/'): MethodDecorates => verb('Put', path)

/** Answers PATCH requests. */
export const Patch = (path: Path = '/'): MethodDecorates => verb('Patch', path)

/** Answers DELETE requests. */
export const Delete = (path: Path = '/'): MethodDecorates => verb('Delete', path)

/** Answers HEAD requests. */
export const Head = (path: Path = '/'): MethodDecorates => verb('Head', path)

/** Answers OPTIONS requests. */
export const Options = (path: Path = '/'): MethodDecorates => verb('Options', path)

/** Answers requests of every method. */
export const All = (path: Path = '/'): MethodDecorates => verb('All', path)

function verb(name: string, path: Path): MethodDecorates {
  const text = requireText(path, name)
  return decorator({ says: 'route', method: name.toLowerCase(), path: text }, `@${name}('${text}')`)
}
