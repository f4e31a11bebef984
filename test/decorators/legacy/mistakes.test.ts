import { describe } from 'vitest'
import { testMistakes } from '../refusals.ts'
import { make } from './mistakes.ts'

describe('legacy decorators', () => testMistakes(make))
