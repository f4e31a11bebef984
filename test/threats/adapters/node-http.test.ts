import { nodeHttpSubject } from '../../conformance/subjects/node-http.ts'
import { threatsThrough } from './threats.ts'

threatsThrough(nodeHttpSubject)
