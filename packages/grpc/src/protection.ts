import { ConfigurationError, type CensusEntry, type Placement } from '@countersign/core'
import { censusEntry, reportUnsealed, requirePlacement, type Guard } from '@countersign/core/adapter'
import { placeOf, requirePath, type MethodPlacements } from './methods.ts'

interface Declaration {
  readonly placement: Placement
  readonly declaredAt: string | null
}

/** What one `countersign(…)` has been told: its guard, and who may call which method. */
export class Protection {
  readonly guard: Guard
  readonly #declared = new Map<string, Declaration>()
  /** Declared or not. */
  readonly #paths = new Set<string>()
  #isSealed = false
  #census: {
    readonly of: number
    readonly under: object | undefined
    readonly entries: readonly CensusEntry[]
  } = none

  constructor(guard: Guard, methods: readonly MethodPlacements[], declaredAt: string | null) {
    this.guard = guard
    for (const each of methods) this.#add(each, placeOf(each) ?? declaredAt)
    guard.register(() => this.census())
  }

  #add(methods: MethodPlacements, declaredAt: string | null): void {
    for (const [path, placement] of Object.entries(methods)) {
      const option = `countersign(…, { '${requirePath(path)}': … })`
      if (this.#paths.has(path)) throw new ConfigurationError(option, 'it is named twice: write it once')
      this.#paths.add(path)
      if (placement === undefined) continue
      this.#declared.set(path, { placement: requirePlacement(placement, option), declaredAt })
    }
  }

  /** What is said of a method; undefined where nothing is. */
  placementOf(path: string): Placement | undefined {
    return this.#declared.get(path)?.placement
  }

  /** Every declared path that is none of these. */
  declaredBeside(paths: readonly string[]): readonly string[] {
    return [...this.#declared.keys()].filter((path) => !paths.includes(path))
  }

  /** Takes in what a server has registered. */
  seal(paths: readonly string[]): void {
    this.#isSealed = true
    for (const path of paths) this.#paths.add(path)
  }

  /** A call of a method has come. With the first one, the operator is told what is refused, unless that was told before. */
  begin(path: string): void {
    this.#paths.add(path)
    if (this.#isSealed) return
    this.#isSealed = true
    reportUnsealed(this.guard, this.census(), 'await sealRoutes(server)')
  }

  /** Every known method, made anew only where methods were added or policy was replaced. */
  census(): readonly CensusEntry[] {
    const { size } = this.#paths
    const { policyInForce } = this.guard
    if (this.#census.of !== size || this.#census.under !== policyInForce) {
      const entries = [...this.#paths].map((path) => this.#entryOf(path))
      this.#census = { of: size, under: policyInForce, entries }
    }
    return this.#census.entries
  }

  #entryOf(path: string): CensusEntry {
    const { placement: own, declaredAt = null } = this.#declared.get(path) ?? {}
    return censusEntry({ method: 'POST', path, own, declaredAt }, this.guard)
  }
}

const none = { of: 0, under: undefined, entries: [] }
