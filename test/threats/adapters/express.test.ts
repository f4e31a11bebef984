import { expressSubjects } from '../../conformance/subjects/express.ts'
import { threatsThrough } from './threats.ts'

for (const subject of expressSubjects) threatsThrough(subject)
