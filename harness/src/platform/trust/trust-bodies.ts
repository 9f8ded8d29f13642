import type { WireSchema } from '@hopback/sdk/internal';
import type { BodyOf } from '@hopback/sdk/platform';
import { z } from 'zod';
import { identifier, jurisdiction, line, pageOf, utcTime } from '../domain/wire/routes.js';

/** Keys of a client: one in use, one to come, and some that end. */
export const MAX_CLIENT_KEYS = 8;
/** Certificates of a client, likewise. */
const MAX_CERTIFICATES = 8;
/** Members of a JWK: those of RFC 7517 and 7518, and a certificate beside them. */
const MAX_JWK_MEMBERS = 16;
/** Longest member of a JWK: the modulus of an RSA key of 8,192 bits, or a short chain of certificates. */
const MAX_JWK_MEMBER_CHARS = 8_192;

const email = z.string().regex(/^[^\s@]{1,64}@[^\s@]{1,254}$/);
const state = z.enum(['active', 'revoked']);
const roles = z.array(z.enum(['operator', 'reviewer', 'analyst'])).max(3);
/** SHA-256 of client certificates, base64url. RFC 8705 section 2.2 */
const certificates = z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/)).max(MAX_CERTIFICATES);

/** An organization to be registered. The same one again changes nothing. */
const OrganizationRegistration = z.object({
  organizationId: identifier,
  kind: z.enum(['carrier', 'app', 'agency', 'staff']),
  name: line,
  /** An agency has one, and nobody else: `US`, `US-TX`. */
  jurisdiction: z.exactOptional(jurisdiction),
  /** An agency has one. */
  contactEmail: z.exactOptional(email),
});
export type OrganizationRegistration = BodyOf<typeof OrganizationRegistration>;

/** Somebody who calls the platform: a carrier by its provider id, an application, an agency, the traceback group. */
const Organization = OrganizationRegistration.extend({ state, createdAt: utcTime });
export type Organization = BodyOf<typeof Organization>;

/** What is changed about an organization. What it is, and its id, stay. */
const OrganizationChange = z.object({
  name: z.exactOptional(line),
  jurisdiction: z.exactOptional(jurisdiction),
  contactEmail: z.exactOptional(email),
  state: z.exactOptional(state),
});
export type OrganizationChange = BodyOf<typeof OrganizationChange>;

const jwkMember = z.union([
  z.string().max(MAX_JWK_MEMBER_CHARS),
  z.boolean(),
  z.array(z.string().max(MAX_JWK_MEMBER_CHARS)).max(MAX_JWK_MEMBERS),
]);

/** The public half of a key that assertions are signed with. @see RFC 7517 */
const ClientKeyRegistration = z.object({
  /** With `kid`; EC on P-256 or P-384, RSA of 2048 bits or more, OKP Ed25519. Without private members. */
  jwk: z
    .record(z.string().max(32), jwkMember)
    .refine((members) => Object.keys(members).length <= MAX_JWK_MEMBERS, { message: 'too many members' }),
  /** For ever where absent. */
  endsAt: z.exactOptional(utcTime),
});
export type ClientKeyRegistration = BodyOf<typeof ClientKeyRegistration>;

/** A client to be registered. The same one again changes nothing. */
const ClientRegistration = z.object({
  clientId: identifier,
  organizationId: identifier,
  name: line,
  /** Of staff alone. */
  roles: z.exactOptional(roles),
  certificates: z.exactOptional(certificates),
  keys: z.array(ClientKeyRegistration).min(1).max(MAX_CLIENT_KEYS),
});
export type ClientRegistration = BodyOf<typeof ClientRegistration>;

/** A program that calls for an organization. */
const Client = z.object({
  clientId: identifier,
  organizationId: identifier,
  name: line,
  roles,
  certificates,
  state,
  createdAt: utcTime,
  keys: z
    .array(
      z.object({
        keyId: identifier,
        algorithm: z.string().max(16),
        addedAt: utcTime,
        endsAt: z.exactOptional(utcTime),
      }),
    )
    .max(MAX_CLIENT_KEYS),
});
export type Client = BodyOf<typeof Client>;

/** What is changed about a client. */
const ClientChange = z.object({
  name: z.exactOptional(line),
  roles: z.exactOptional(roles),
  certificates: z.exactOptional(certificates),
  state: z.exactOptional(state),
});
export type ClientChange = BodyOf<typeof ClientChange>;

/** Bodies of the routes of {@link TRUST_ROUTES}. */
export const TRUST_SCHEMAS: Readonly<Record<string, WireSchema<unknown>>> = {
  Organization,
  OrganizationPage: pageOf(Organization),
  OrganizationRegistration,
  OrganizationChange,
  Client,
  ClientPage: pageOf(Client),
  ClientRegistration,
  ClientChange,
  ClientKeyRegistration,
};
