import type { CrlRefusalReason } from './revocation.js';
import type { X5uFailure, X5uRefusal } from './repository.js';
import type { StiPaListFailureReason } from './sti-pa-list.js';

/**
 * Something that went wrong while a trust store was refreshed. `url` is what was fetched, `detail` is for people.
 * - `list`: the signed list could not be fetched or was refused. `expired` is also said of the list in use, once it has ended.
 * - `signer-chain`: what the `x5u` of the list names could not be fetched or holds no certificates.
 * - `crl`: a CRL could not be fetched or was refused; `out-of-date` is said of one in use that calls no certificate good any more.
 * - `crl-signer`: the signer of a CRL, which its AuthorityInfoAccess names, could not be fetched or holds no certificates.
 * - `cache`: the cache file could not be read or written, holds something else, or a list that is refused.
 * - `clock`: the clock gives no time, and without one nothing can be judged.
 */
export type TrustStoreProblem =
  | {
      readonly part: 'list';
      readonly reason: X5uRefusal | X5uFailure | StiPaListFailureReason;
      readonly url: string;
      readonly detail: string;
    }
  | {
      readonly part: 'signer-chain' | 'crl-signer';
      readonly reason: X5uRefusal | X5uFailure;
      readonly url: string;
      readonly detail: string;
    }
  | {
      readonly part: 'crl';
      readonly reason: X5uRefusal | X5uFailure | CrlRefusalReason | 'out-of-date';
      /** Absent where it is not known which fetch the CRL came from, as for one that was in use before. */
      readonly url?: string;
      readonly detail: string;
    }
  | {
      readonly part: 'cache';
      readonly reason: 'unreadable' | 'malformed' | 'not-written' | StiPaListFailureReason;
      readonly detail: string;
    }
  | { readonly part: 'clock'; readonly reason: 'no-time'; readonly detail: string };
