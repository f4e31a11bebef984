import { vi } from 'vitest'
import { conformance } from './conformance.ts'
import { grpcSubject } from './subjects/grpc.ts'

// @ts-expect-error -- an alias, whose types are those of an older release
vi.mock(import('@grpc/grpc-js'), () => import('grpc-js112'))

conformance(grpcSubject)
