import { conformance } from './conformance.ts'
import { expressSubjects } from './subjects/express.ts'

for (const subject of expressSubjects) conformance(subject)
