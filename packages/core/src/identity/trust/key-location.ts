/** Where an issuer's keys are published, if they are not given outright. */
export type KeyLocation =
  /** A JSON file, which may be replaced at any time. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL }
  /** Metadata of the issuer, which says where. `url` where it is not found from the issuer itself. */
  | {
      readonly kind: 'discovery'
      readonly issuer: string
      readonly url: URL | undefined
      /** Whether keys may be fetched from what the metadata says. */
      readonly mayUse: (url: URL) => boolean
    }

/** What is sent and expected where keys are fetched. */
export interface KeyAccess {
  /** PEM of the authorities that the servers' certificates must chain to, instead of the public ones. */
  readonly ca: string | undefined
  /** A bearer token for the configured origin, and no other. Asked for anew for each request. */
  readonly bearer: (() => string) | undefined
}
