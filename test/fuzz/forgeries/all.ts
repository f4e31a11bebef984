import { claimForgeries } from './claims.ts'
import type { Forgeries } from './forgery.ts'
import { headerForgeries } from './headers.ts'
import { keyForgeries } from './made-with-the-key.ts'
import { signatureForgeries } from './signatures.ts'
import { spellingForgeries } from './spellings.ts'

/** By what is done, as messages and tables name it. */
export const forgeries: Forgeries = {
  ...signatureForgeries,
  ...keyForgeries,
  ...headerForgeries,
  ...claimForgeries,
  ...spellingForgeries,
}
