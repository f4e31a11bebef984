import { describe } from 'vitest'
import { describeControllers } from '../behaviour.ts'
import { controllers } from './controllers.ts'

describe('legacy decorators', () => describeControllers(controllers))
