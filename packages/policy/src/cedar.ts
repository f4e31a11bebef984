/** Cedar beside requirements and policy. Needs `@cedar-policy/cedar-wasm`, which is loaded with this module. */
export { cedarDecider, type CedarOptions } from './cedar/cedar-decider.ts'
export { cedarContext } from './cedar/default-question.ts'
export {
  entity,
  extension,
  type CedarEntity,
  type CedarEntityData,
  type CedarExtension,
} from './cedar/cedar-value.ts'
