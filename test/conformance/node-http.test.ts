import { conformance } from './conformance.ts'
import { nodeHttpSubject } from './subjects/node-http.ts'
import { overHttp } from './wires/http.ts'

conformance(overHttp(nodeHttpSubject))
