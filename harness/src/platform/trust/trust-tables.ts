import type { PlatformScope } from '@hopback/sdk/platform';
import type { EpochMs, JsonColumn, StaffRole } from '../core/index.js';

/** Tables of who may call. No secret is in them: keys are public halves, tokens are hashes. */
export type TrustTables = {
  readonly trust_organizations: {
    readonly organization_id: string;
    readonly kind: PlatformScope;
    readonly name: string;
    readonly jurisdiction: string | null;
    readonly contact_email: string | null;
    readonly state: 'active' | 'revoked';
    readonly created_at_ms: EpochMs;
  };
  readonly trust_clients: {
    readonly client_id: string;
    readonly organization_id: string;
    readonly name: string;
    readonly roles: JsonColumn<readonly StaffRole[]>;
    /** SHA-256 of certificates, base64url; where there are some, tokens are given over a connection with one of them alone. */
    readonly certificates: JsonColumn<readonly string[]>;
    readonly state: 'active' | 'revoked';
    readonly created_at_ms: EpochMs;
  };
  readonly trust_keys: {
    readonly client_id: string;
    readonly key_id: string;
    readonly algorithm: string;
    readonly jwk: JsonColumn<Readonly<Record<string, unknown>>>;
    readonly added_at_ms: EpochMs;
    /** From when on it is not believed any longer. */
    readonly ends_at_ms: number | null;
  };
  readonly trust_tokens: {
    /** SHA-256, hexadecimal: whoever reads the table can call nobody's operations. */
    readonly token_hash: string;
    readonly client_id: string;
    readonly key_id: string;
    /** Certificate that it is bound to. RFC 8705 section 3 */
    readonly certificate: string | null;
    readonly issued_at_ms: EpochMs;
    readonly ends_at_ms: EpochMs;
  };
  /** Assertions that were used, until they are over anyway. */
  readonly trust_assertions: {
    readonly client_id: string;
    readonly jti_hash: string;
    readonly ends_at_ms: EpochMs;
  };
};
