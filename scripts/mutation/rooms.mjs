// The rooms that decide, and the tests that hold each: those that were written about it. Others would notice many a mutant too,
// but a mutant that survives takes all of its tests, and all there are take minutes.

/** The one that is mutated now. */
export const mutatedRoom = process.env['MUTATED_ROOM'] ?? 'policy'

/** @type {Readonly<Record<string, readonly string[]>>} room of core, or folder of another package → patterns of test files */
export const testsOfRooms = {
  policy: [
    'test/core/{authentication-requirements,caller-pattern,decision,grants,placements,requirements,scope-claims,scope-names,shortfalls}.test.ts',
    'test/core/requirement-*.test.ts',
    'test/core/{context-providers,deciders}.test.ts',
    'test/policy/guard/*.test.ts',
  ],
  decision: [
    'test/core/{context-providers,deciders,decision,events,placements,stderr}.test.ts',
    'test/policy/guard/*.test.ts',
    'test/policy/run-policy-tests.test.ts',
  ],
  enforcement: [
    'test/core/{authentication-requirements,challenges,decision,parse-challenges,refusal-response,shortfalls}.test.ts',
    'test/core/resource-*.test.ts',
  ],
  'identity/jws': [
    'test/core/{algorithms,compact-jws,guess-members,json-object,key-fits,public-key,secret,secret-key,select-key}.test.ts',
    'test/core/{fair-queue,known-headers,native-signatures,signature-checks,verify-signature}.test.ts',
    'test/threats/keys-and-algorithms.test.ts',
    'test/vectors/{fast-path,jws}.test.ts',
  ],
  'identity/token': [
    'test/core/{actors,advice,binding,cache,claim-rules,identity,introspection-answers,introspection-provider,jwt-svid,opaque-tokens,order-of-checks,parsed-claims,profiles,remembered-answers}.test.ts',
    'test/core/{scope-claims,secret,token,token-refusals,token-review,verify-jwt-svid}.test.ts',
    'test/threats/{claims,encrypted-tokens,introspection,key-sets-and-caches,tenants}.test.ts',
    'test/vectors/rfc-tokens.test.ts',
  ],
  'identity/proof': [
    'test/core/{binding,proof-checks,proof-nonces,proof-options,proof-refusals,proof-replay,proof-url}.test.ts',
    'test/express/dpop.test.ts',
    'test/threats/proof-of-possession.test.ts',
    'test/vectors/dpop.test.ts',
  ],
  'identity/certificate': [
    'test/core/{certificate-building-blocks,certificate-der,certificate-identity,certificate-path}.test.ts',
    'test/core/{general-names,name-constraints,spiffe-id}.test.ts',
    'test/vectors/x509-limbo.test.ts',
  ],
  'identity/revocation': [
    'test/core/crl-{format,scope,set,signers,status}.test.ts',
    'test/core/ocsp-{answers,delegates,request,responder-choice,statuses}.test.ts',
    'test/core/revocation.test.ts',
    'test/vectors/x509-limbo.test.ts',
  ],
  'identity/peer': [
    'test/core/{certificate,certificate-identity,live-roots,own-connection,resumed-path,revocation,trust-sources}.test.ts',
    'test/threats/{certificates,resumed-sessions}.test.ts',
  ],
  evidence: [
    'test/core/{authorization,binding,certificate,evidence-refusals,forwarded-certificates,forwarded-formats,peer-certificate}.test.ts',
    'test/core/{proof-checks,token-in-query,token-properties}.test.ts',
    'test/fuzz/forwarded/headers.test.ts',
    'test/threats/forwarded-certificates.test.ts',
  ],
  'identity/forwarded': [
    'test/core/{forwarded-certificates,vouched-clients}.test.ts',
    'test/threats/forwarded-certificates.test.ts',
  ],
  adapters: ['test/core/watch-access.test.ts', 'test/conformance/*.test.ts', 'test/express/*.test.ts'],
  'packages/express/src': ['test/express/*.test.ts', 'test/threats/{routing,url-tricks}.test.ts'],
  'identity/trust': [
    'test/core/{attacked-key-sources,discover,fetch-document,issuer-options,jwt-svid,keys,keys-formats,keys-locations,keys-refresh,keys-unknown-kid,live-roots,opaque-tokens,presets-spiffe,select-key,tls-reload}.test.ts',
    'test/threats/{key-sets-and-caches,tenants}.test.ts',
  ],
}
