export { policyDocument } from './policy-document.ts'
export { parsePolicy } from './policy/parse-policy.ts'
export { PolicyError, type PolicyProblem } from './policy-error.ts'
export { when } from './condition/when.ts'
