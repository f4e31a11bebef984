import { defineConfig } from 'vitepress'

export default defineConfig({
  title: 'Countersign',
  description: 'Know who is calling your Node.js service, prove it, and allow only what that caller needs',
  cleanUrls: true,
  // Refusal codes keep their underscores, so that `refusals#audience_mismatch` is an address, here and in the repository.
  markdown: { anchor: { slugify: slug } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Quick start', link: '/quick-start' },
          { text: 'To least privilege', link: '/least-privilege' },
          { text: 'Concepts', link: '/concepts' },
          { text: 'Requirements', link: '/requirements' },
          { text: 'Tokens', link: '/tokens' },
          { text: 'Proof of possession', link: '/proof' },
          { text: 'Forwarded certificates', link: '/forwarded-certificates' },
          { text: 'Frameworks', link: '/frameworks' },
          { text: 'Express', link: '/express' },
          { text: 'gRPC', link: '/grpc' },
          { text: 'Koa', link: '/koa' },
          { text: 'Nest', link: '/nest' },
          { text: 'Plain Node servers', link: '/node-http' },
          { text: 'WebSockets', link: '/websockets' },
          { text: 'Hono', link: '/hono' },
          { text: 'Fastify', link: '/fastify' },
          { text: 'Decorators', link: '/decorators' },
          { text: 'The policy document', link: '/policy' },
          { text: 'Client certificates', link: '/certificates' },
          { text: 'Testing', link: '/testing' },
        ],
      },
      {
        text: 'Issuers',
        items: [
          { text: 'All of them', link: '/issuers/' },
          { text: 'Keycloak', link: '/issuers/keycloak' },
          { text: 'Microsoft Entra ID', link: '/issuers/entra-id' },
          { text: 'Auth0', link: '/issuers/auth0' },
          { text: 'Okta', link: '/issuers/okta' },
          { text: 'Google', link: '/issuers/google' },
          { text: 'GitHub Actions', link: '/issuers/github-actions' },
          { text: 'Kubernetes', link: '/issuers/kubernetes' },
          { text: 'SPIFFE', link: '/issuers/spiffe' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Options', link: '/options' },
          { text: 'The policy document', link: '/policy-reference' },
          { text: 'Refusal codes', link: '/refusals' },
          { text: 'Events', link: '/events' },
          { text: 'Security and threats', link: '/security' },
          { text: 'Performance', link: '/performance' },
        ],
      },
      {
        text: 'Migrating',
        items: [
          { text: 'What all guides share', link: '/migrate/' },
          { text: 'From express-jwt', link: '/migrate/express-jwt' },
          { text: 'From express-oauth2-jwt-bearer', link: '/migrate/express-oauth2-jwt-bearer' },
          { text: 'From passport-jwt', link: '/migrate/passport-jwt' },
          { text: 'From koa-jwt', link: '/migrate/koa-jwt' },
          { text: 'From @fastify/jwt', link: '/migrate/fastify-jwt' },
        ],
      },
      {
        text: 'Decisions',
        items: [
          { text: '0001 The gate', link: '/decisions/0001-gate-in-the-resolved-route' },
          { text: '0002 The cache', link: '/decisions/0002-verification-cache-keys' },
          { text: '0003 Certificates', link: '/decisions/0003-certificates-verified-by-the-guard' },
          { text: '0004 Reading certificates', link: '/decisions/0004-certificates-read-by-our-own-reader' },
          {
            text: '0005 Replacing trust',
            link: '/decisions/0005-trust-is-replaced-in-generations',
          },
          { text: '0006 Policy documents', link: '/decisions/0006-policy-documents' },
          { text: '0007 Packages in few files', link: '/decisions/0007-packages-in-few-files' },
        ],
      },
    ],
  },
})

/** The anchor of a heading, as code hosts make it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-')
}
