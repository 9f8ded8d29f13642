import type { Page, PlatformScope, WireSchema } from '@hopback/sdk/platform';
import { z } from 'zod';
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

/** Keys of a client: one in use, one to come, and some that end. */
export const MAX_CLIENT_KEYS = 8;
/** Certificates of a client, likewise. */
const MAX_CERTIFICATES = 8;
/** Members of a JWK: those of RFC 7517 and 7518, and a certificate beside them. */
const MAX_JWK_MEMBERS = 16;
/** Longest member of a JWK: the modulus of an RSA key of 8,192 bits, or a short chain of certificates. */
const MAX_JWK_MEMBER_CHARS = 8_192;
/** Items of a page, as of every list of the contract. */
const MAX_ITEMS = 500;

const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
// No control characters: names stand in logs and letters.
const line = z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/);
const email = z.string().regex(/^[^\s@]{1,64}@[^\s@]{1,254}$/);
const jurisdiction = z.string().regex(/^US(?:-[A-Z]{2})?$/);
const utcTime = z.iso.datetime().max(40);
const kind = z.enum(['carrier', 'app', 'agency', 'staff']);
const state = z.enum(['active', 'revoked']);
const roles = z.array(z.enum(['operator', 'reviewer', 'analyst'])).max(3);
const certificates = z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/)).max(MAX_CERTIFICATES);

const chosen = { name: line, jurisdiction: z.exactOptional(jurisdiction), contactEmail: z.exactOptional(email) };

const organizationRegistration: z.ZodType<OrganizationRegistration> = z.object({
  organizationId: identifier,
  kind,
  ...chosen,
});
const organization: z.ZodType<Organization> = z.object({
  organizationId: identifier,
  kind,
  ...chosen,
  state,
  createdAt: utcTime,
});
const organizationChange: z.ZodType<OrganizationChange> = z.object({
  name: z.exactOptional(line),
  jurisdiction: z.exactOptional(jurisdiction),
  contactEmail: z.exactOptional(email),
  state: z.exactOptional(state),
});

const jwkMember = z.union([
  z.string().max(MAX_JWK_MEMBER_CHARS),
  z.boolean(),
  z.array(z.string().max(MAX_JWK_MEMBER_CHARS)).max(MAX_JWK_MEMBERS),
]);
const keyRegistration: z.ZodType<ClientKeyRegistration> = z.object({
  jwk: z
    .record(z.string().max(32), jwkMember)
    .refine((members) => Object.keys(members).length <= MAX_JWK_MEMBERS, { message: 'too many members' }),
  endsAt: z.exactOptional(utcTime),
});
const clientKey: z.ZodType<ClientKey> = z.object({
  keyId: identifier,
  algorithm: z.string().max(16),
  addedAt: utcTime,
  endsAt: z.exactOptional(utcTime),
});
const client: z.ZodType<Client> = z.object({
  clientId: identifier,
  organizationId: identifier,
  name: line,
  roles,
  certificates,
  state,
  createdAt: utcTime,
  keys: z.array(clientKey).max(MAX_CLIENT_KEYS),
});
const clientRegistration: z.ZodType<ClientRegistration> = z.object({
  clientId: identifier,
  organizationId: identifier,
  name: line,
  roles: z.exactOptional(roles),
  certificates: z.exactOptional(certificates),
  keys: z.array(keyRegistration).min(1).max(MAX_CLIENT_KEYS),
});
const clientChange: z.ZodType<ClientChange> = z.object({
  name: z.exactOptional(line),
  roles: z.exactOptional(roles),
  certificates: z.exactOptional(certificates),
  state: z.exactOptional(state),
});

const pageOf = <Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> =>
  z.object({ items: z.array(item).max(MAX_ITEMS), nextCursor: z.exactOptional(z.string().max(1_024)) });

/** Bodies of the routes of {@link TRUST_ROUTES}. */
export const TRUST_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  Organization: organization,
  OrganizationPage: pageOf(organization),
  OrganizationRegistration: organizationRegistration,
  OrganizationChange: organizationChange,
  Client: client,
  ClientPage: pageOf(client),
  ClientRegistration: clientRegistration,
  ClientChange: clientChange,
  ClientKeyRegistration: keyRegistration,
};
