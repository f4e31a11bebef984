import { conformance } from './conformance.ts'
import { honoSubjects } from './subjects/hono.ts'

for (const subject of honoSubjects) conformance(subject)
