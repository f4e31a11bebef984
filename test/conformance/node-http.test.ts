import { conformance } from './conformance.ts'
import { nodeHttpSubject } from './subjects/node-http.ts'

conformance(nodeHttpSubject)
