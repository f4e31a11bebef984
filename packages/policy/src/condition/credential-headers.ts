/**
 * True for headers in which credentials travel, and for those of HTTP/2 itself. A condition sees none of them: what a credential
 * says is verified and stands in `caller`, and what was not verified decides nothing.
 */
export const isCredentialHeader = (name: string): boolean =>
  name.startsWith(':') || parts.test(name) || /api-?key|password|passwd|secret/.test(name)

const parts =
  /(?:^|-)(?:auth|authentication|authorization|assertion|cert|certificate|client-cert|cookie2?|credentials?|dpop|jwt|session|signature|sid|tokens?)(?:-|$)/
