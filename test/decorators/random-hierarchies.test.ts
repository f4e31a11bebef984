// The rules of inheritance, for any hierarchy: classes that no source declares, decorated as the two dialects call a
// decorator.
import type { Placement } from '@countersign/core'
import { AllowUnprotected, RequireScopes, Unprotected, placementOf } from '@countersign/decorators'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const names = ['find', 'list'] as const
const dialects = ['standard', 'legacy'] as const
type Dialect = (typeof dialects)[number]

/** What one class says of a method that it writes; undefined where it does not write it. */
interface MethodPlan {
  readonly scopes: readonly string[]
  readonly isExempt: boolean
  /** Another decorator, above ours, puts a function of its own in its place. */
  readonly isWrapped: boolean
}

interface ClassPlan {
  readonly scopes: readonly string[]
  readonly allowsExemptions: boolean
  readonly methods: Readonly<Partial<Record<string, MethodPlan | undefined>>>
}

const someScopes = fc.array(fc.constantFrom('a:read', 'b:read', 'c:read', 'd:read'), { maxLength: 2 })
const method = (mayExempt: boolean) =>
  fc.option(
    fc.record({
      scopes: someScopes,
      isExempt: mayExempt ? fc.boolean() : fc.constant(false),
      isWrapped: fc.boolean(),
    }),
    { nil: undefined },
  )
const hierarchy = (mayExempt: boolean) =>
  fc.array(
    fc.record({
      scopes: someScopes,
      allowsExemptions: fc.boolean(),
      methods: fc.record({ find: method(mayExempt), list: method(mayExempt) }),
    }),
    { minLength: 1, maxLength: 4 },
  )

test('a route requires the union of what every class says of itself and of the method', () => {
  fc.assert(
    fc.property(hierarchy(false), fc.constantFrom(...dialects), (plans, dialect) => {
      const instance = build(plans, dialect)
      for (const name of names.filter((each) => each in instance)) {
        expect(scopesOf(placementOf(instance, name))).toEqual(unionOf(plans, name))
      }
    }),
  )
})

test('a requirement more never opens what was closed, wherever it is said', () => {
  const places = fc.record({ level: fc.nat(3), where: fc.constantFrom('class', ...names) })
  fc.assert(
    fc.property(hierarchy(true), fc.constantFrom(...dialects), places, (plans, dialect, { level, where }) => {
      const more = plans.map((plan, i) => (i === level % plans.length ? withScope(plan, where) : plan))
      for (const name of names) {
        const [before, after] = [outcomeOf(plans, dialect, name), outcomeOf(more, dialect, name)]
        if (before === 'refused at start') expect(after).toBe('refused at start')
        else if (after !== 'refused at start' && before !== 'open') {
          expect(after).not.toBe('open')
          expect(after).toEqual(expect.arrayContaining([...before]))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('a method is open where every class that requires something allows it, and never by an override of what was held', () => {
  let opened = 0
  fc.assert(
    fc.property(hierarchy(true), fc.constantFrom(...dialects), (plans, dialect) => {
      for (const name of names) {
        const isOpen = outcomeOf(plans, dialect, name) === 'open'
        opened += isOpen ? 1 : 0
        const mayBeRefused = dialect === 'standard' && isHidden(plans, name)
        if (isOpen || !mayBeRefused) expect(isOpen).toBe(mayBeOpen(plans, name))
      }
    }),
    { numRuns: 2000 },
  )
  expect(opened).toBeGreaterThan(10)
})

function mayBeOpen(plans: readonly ClassPlan[], name: string): boolean {
  const written = plans.flatMap(({ methods }, i) => (methods[name] === undefined ? [] : [i]))
  const [exempting, another] = written.filter((i) => plans[i]?.methods[name]?.isExempt)
  if (exempting === undefined || another !== undefined) return false
  const isInherited = written[0] !== exempting
  return plans.every(
    ({ scopes, allowsExemptions, methods }, i) =>
      (methods[name]?.scopes ?? []).length === 0 &&
      (scopes.length === 0 || (allowsExemptions && !(isInherited && i < exempting))),
  )
}

/** The standard dialect does not tell which of several classes wrote what another decorator has replaced. */
const isHidden = (plans: readonly ClassPlan[], name: string): boolean =>
  plans.filter(({ methods }) => methods[name] !== undefined).length > 1 &&
  plans.some(({ methods }) => methods[name]?.isWrapped)

type Outcome = 'refused at start' | 'open' | readonly string[]

function outcomeOf(plans: readonly ClassPlan[], dialect: Dialect, name: string): Outcome {
  const instance = build(plans, dialect)
  if (!(name in instance)) return []
  try {
    const placement = placementOf(instance, name)
    return placement !== undefined && 'reason' in placement ? 'open' : scopesOf(placement)
  } catch {
    return 'refused at start'
  }
}

const scopesOf = (placement: Placement | undefined): readonly string[] =>
  placement === undefined || !('scopes' in placement) ? [] : [...new Set(placement.scopes)].toSorted()

const unionOf = (plans: readonly ClassPlan[], name: string): readonly string[] =>
  [
    ...new Set(plans.flatMap(({ scopes, methods }) => [...scopes, ...(methods[name]?.scopes ?? [])])),
  ].toSorted()

function withScope(plan: ClassPlan, where: string): ClassPlan {
  if (where === 'class') return { ...plan, scopes: [...plan.scopes, 'e:read'] }
  const written = plan.methods[where]
  if (written === undefined) return plan
  return {
    ...plan,
    methods: { ...plan.methods, [where]: { ...written, scopes: [...written.scopes, 'e:read'] } },
  }
}

type Decorator = (...args: readonly unknown[]) => void

function build(plans: readonly ClassPlan[], dialect: Dialect): object {
  let base: new () => object = Object
  for (const plan of plans) base = extend(base, plan, dialect)
  return new base()
}

function extend(base: new () => object, plan: ClassPlan, dialect: Dialect): new () => object {
  const initializers: ((this: object) => void)[] = []
  const made = class extends base {
    constructor() {
      super()
      for (const initializer of initializers) initializer.call(this)
    }
  }
  for (const [name, written] of Object.entries(plan.methods)) {
    if (written === undefined) continue
    const value = (): void => undefined
    define(made.prototype, name, value)
    const descriptor = Object.getOwnPropertyDescriptor(made.prototype, name)
    for (const decorate of decoratorsOf(written.scopes, written.isExempt && Unprotected('probe'))) {
      if (dialect === 'legacy') decorate(made.prototype, name, descriptor)
      else decorate(value, contextOf('method', name, initializers))
    }
    if (written.isWrapped) define(made.prototype, name, () => value())
  }
  const ofClass: ((this: object) => void)[] = []
  for (const decorate of decoratorsOf(plan.scopes, plan.allowsExemptions && AllowUnprotected())) {
    if (dialect === 'legacy') decorate(made)
    else decorate(made, contextOf('class', 'made', ofClass))
  }
  for (const initializer of ofClass) initializer.call(made)
  return made
}

const decoratorsOf = (scopes: readonly string[], exempting: unknown): readonly Decorator[] => [
  ...scopes.map((scope) => RequireScopes(scope) as Decorator), // called as compilers do, whatever the types say
  ...(typeof exempting === 'function' ? [exempting as Decorator] : []), // as above
]

const contextOf = (kind: string, name: string, initializers: ((this: object) => void)[]): object => ({
  kind,
  name,
  static: false,
  private: false,
  addInitializer: (initializer: (this: object) => void) => void initializers.push(initializer),
})

const define = (prototype: object, name: string, value: () => void): unknown =>
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
