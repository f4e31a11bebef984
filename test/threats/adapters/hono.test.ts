import { honoSubjects } from '../../conformance/subjects/hono.ts'
import { threatsThrough } from './threats.ts'

for (const subject of honoSubjects) threatsThrough(subject)
