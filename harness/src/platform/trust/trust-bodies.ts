import type { PlatformScope } from '@hopback/sdk/platform';
import type { StaffRole } from '../core/index.js';

/** Whether somebody is let in. */
export type TrustState = 'active' | 'revoked';

/** Somebody who calls the platform: a carrier by its provider id, an application, an agency, the traceback group. */
export interface Organization {
  readonly organizationId: string;
  readonly kind: PlatformScope;
  readonly name: string;
  /** Of an agency: `US`, `US-TX`. */
  readonly jurisdiction?: string;
  readonly contactEmail?: string;
  readonly state: TrustState;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
}

/** An organization to be registered. The same one again changes nothing. */
export interface OrganizationRegistration {
  readonly organizationId: string;
  readonly kind: PlatformScope;
  readonly name: string;
  /** An agency has one, and nobody else. */
  readonly jurisdiction?: string;
  /** An agency has one. */
  readonly contactEmail?: string;
}

/** What is changed about an organization. What it is, and its id, stay. */
export interface OrganizationChange {
  readonly name?: string;
  readonly jurisdiction?: string;
  readonly contactEmail?: string;
  readonly state?: TrustState;
}

/** The public half of a key that assertions are signed with. @see RFC 7517 */
export interface ClientKeyRegistration {
  /** With `kid`; EC on P-256 or P-384, RSA of 2048 bits or more, OKP Ed25519. Without private members. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 3339 in UTC; for ever where absent. */
  readonly endsAt?: string;
}

/** A key as it is kept. */
export interface ClientKey {
  readonly keyId: string;
  readonly algorithm: string;
  readonly addedAt: string;
  readonly endsAt?: string;
}

/** A program that calls for an organization. */
export interface Client {
  readonly clientId: string;
  readonly organizationId: string;
  readonly name: string;
  readonly roles: readonly StaffRole[];
  /** SHA-256 of client certificates, base64url. RFC 8705 section 2.2 */
  readonly certificates: readonly string[];
  readonly state: TrustState;
  readonly createdAt: string;
  readonly keys: readonly ClientKey[];
}

/** A client to be registered. The same one again changes nothing. */
export interface ClientRegistration {
  readonly clientId: string;
  readonly organizationId: string;
  readonly name: string;
  /** Of staff alone. */
  readonly roles?: readonly StaffRole[];
  readonly certificates?: readonly string[];
  readonly keys: readonly ClientKeyRegistration[];
}

/** What is changed about a client. */
export interface ClientChange {
  readonly name?: string;
  readonly roles?: readonly StaffRole[];
  readonly certificates?: readonly string[];
  readonly state?: TrustState;
}
