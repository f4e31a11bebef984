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
          { text: 'Concepts', link: '/concepts' },
          { text: 'Express', link: '/express' },
          { text: 'Decorators', link: '/decorators' },
          { text: 'Testing', link: '/testing' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Options', link: '/options' },
          { text: 'Refusal codes', link: '/refusals' },
          { text: 'Events', link: '/events' },
          { text: 'Security and threats', link: '/security' },
        ],
      },
      {
        text: 'Decisions',
        items: [
          { text: '0001 The gate', link: '/decisions/0001-gate-in-the-resolved-route' },
          { text: '0002 The cache', link: '/decisions/0002-verification-cache-keys' },
          { text: '0003 Certificates', link: '/decisions/0003-certificates-verified-by-the-guard' },
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
