import { describe } from 'vitest'
import { testMistakes } from '../refusals.ts'
import { make } from './mistakes.ts'

describe('standard decorators', () => testMistakes(make))
