import { nestSubjects } from '../../conformance/subjects/nest.ts'
import { threatsThrough } from './threats.ts'

for (const subject of nestSubjects) threatsThrough(subject)
