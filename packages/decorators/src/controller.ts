import { decorator } from './decorator.ts'
import type { ClassDecorates } from './decorates.ts'
import { requireText, type Path } from './path.ts'

/** Makes a class a controller: its instances can be mounted, and its routes lie below this path. */
export function Controller(path: Path = '/'): ClassDecorates {
  return decorator({ says: 'controller', path: requireText(path, 'Controller') }, `@Controller('${path}')`)
}
