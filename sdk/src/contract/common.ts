import { z } from 'zod';

// One definition for each body: the schema, from which its type and its part of the OpenAPI and AsyncAPI documents are made. Bounds are
// generous compared with what people and registries write, and small enough that a body fits in memory many times over.

/** The type of the values that a schema returns, read-only at every level. */
export type BodyOf<Schema extends z.ZodType, Value = z.output<Schema>> = Value extends object
  ? { readonly [Member in keyof Value]: BodyOf<z.ZodType, Value[Member]> }
  : Value;

/** An object with what it is: OpenAPI shows the description, and editors show it before the member. */
export function object<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  return z.object(shape).describe(description);
}

/** A list of objects, at most so many. */
export function listOf<Shape extends z.core.$ZodLooseShape>(description: string, most: number, shape: Shape) {
  return z.array(z.object(shape)).max(most).describe(description);
}

/** One word of a closed vocabulary. */
export function oneOf<const Words extends readonly string[]>(description: string, words: Words) {
  return z.enum(words).describe(description);
}

/** The same where the member may be absent. */
export function optionalObject<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  return z.object(shape).exactOptional().describe(description);
}

export function optionalListOf<Shape extends z.core.$ZodLooseShape>(description: string, most: number, shape: Shape) {
  return z.array(z.object(shape)).max(most).exactOptional().describe(description);
}

export function optionalOneOf<const Words extends readonly string[]>(description: string, words: Words) {
  return z.enum(words).exactOptional().describe(description);
}

/** A text in a form. */
export const pattern = (form: RegExp): z.ZodString => z.string().regex(form);

/** Longest line of text: names, titles, the content of one field of a form. */
const MAX_LINE_CHARS = 256;
/** Longest paragraph: comments, reasons, descriptions. */
const MAX_TEXT_CHARS = 8_192;
/** Longest transcript: an hour of talk at 15 characters a second. */
const MAX_TRANSCRIPT_CHARS = 65_536;
/** Longest web address. RFC 9110 section 4.1 asks for 8,000 octets; registries and browsers stay below this. */
export const MAX_URL_CHARS = 2_048;
/** Longest mail address. RFC 5321 section 4.5.3.1 */
const MAX_EMAIL_CHARS = 320;
/** Longest RFC 3339 time that is read: microseconds and an offset fit. */
const MAX_TIME_CHARS = 40;

/** An id of the contract. It stands in paths as it is, so it begins with a letter or digit and needs no escapes. RFC 3986 section 3.3 */
export const identifier = pattern(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
/** Name of a tamper-evident log, as its checkpoints have it: `example.com/evidence`. @see https://c2sp.org/tlog-checkpoint */
export const logId = pattern(/^[^\s+\u0000-\u001f]{1,256}$/).describe("Id of the provider's log.");
/** One line of text, not empty. */
export const line = z.string().min(1).max(MAX_LINE_CHARS);
/** Text for people, not empty. */
export const text = z.string().min(1).max(MAX_TEXT_CHARS);
/** What was said on a call. */
export const transcriptText = z.string().min(1).max(MAX_TRANSCRIPT_CHARS);
/** RFC 3339 in UTC. */
export const utcTime = z.iso.datetime().max(MAX_TIME_CHARS);
/** RFC 3339 with an offset. */
export const offsetTime = z.iso.datetime({ offset: true }).max(MAX_TIME_CHARS);
/** RFC 3339 full date. */
export const fullDate = z.iso.date();
/** A mail address; only its length is checked. */
export const email = z.string().min(3).max(MAX_EMAIL_CHARS);
/** A telephone number for people to call, in any spelling. */
export const telephone = z.string().min(1).max(64);
export const country = pattern(/^[A-Z]{2}$/).describe('Country, ISO 3166-1 alpha-2.');
export const frn = pattern(/^\d{10}$/).describe('FCC Registration Number, ten digits.');
export const ocn = pattern(/^[0-9A-Z]{4}$/).describe('Operating Company Number, four characters.');
/** @see ATIS-1000080 section 5.3 */
export const spc = pattern(/^[0-9A-Z]{1,15}$/).describe('Service Provider Code.');
export const httpsUrl = pattern(/^https:\/\/[^\s]{1,2040}$/).max(MAX_URL_CHARS);
/** RFC 3986 section 4.1 */
export const uriReference = z.string().min(1).max(MAX_URL_CHARS);
/** A word of a vocabulary that later releases may add to. */
export const openWord = pattern(/^[a-z0-9][a-z0-9._-]{0,63}$/);
/** RFC 6838 section 4.2 */
export const mediaType = pattern(/^[a-z0-9.+-]{1,127}\/[a-z0-9.+-]{1,127}(?:;[\x20-\x7e]{1,127})?$/).describe(
  'Media type of the file.',
);
/** Name of a file as it stands in a path: no separators, no dot in front. */
export const fileName = pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
export const sha256 = pattern(/^[0-9a-f]{64}$/);
/** A whole number that counts or numbers something. */
export const count = z.int().min(0);
/** Microseconds since the epoch. */
export const microseconds = z.int().min(0);
export const canonicalTn = pattern(/^[0-9*#]{1,32}$/).describe(
  'Telephone number in digits with country code, without `+`.',
);
/** Compact JWS, and how long it may be. RFC 7515 section 7.1 */
export const compactJws = (maxChars: number): z.ZodString =>
  pattern(/^[A-Za-z0-9_-]{1,}\.[A-Za-z0-9_-]{1,}\.[A-Za-z0-9_-]{1,}$/).max(maxChars);

export const alertId = identifier.describe('Id of the alert.');
export const answerId = identifier.describe(
  'Id of the answer, given by the provider. An amended answer has another one.',
);
export const campaignId = identifier.describe('Id of the campaign at the platform.');
export const decisionId = identifier.describe('Id of the decision.');
export const demandId = identifier.describe('Id of the demand.');
export const endpointId = identifier.describe('Id of the webhook endpoint.');
export const packId = identifier.describe('Id of the evidence pack.');
export const productionId = identifier.describe('Id of the production.');
export const providerId = identifier.describe('Id of the provider in the registry of the platform.');
export const reportId = identifier.describe(
  'Id of the report, given by the application. The same report sent again is stored once.',
);
export const requestId = identifier.describe(
  'Id of the traceback request: one question to one provider, with one answer.',
);
export const tracebackId = identifier.describe(
  'Id of the traceback that the request belongs to; the same at every hop.',
);

/** A voice service provider as the author knows it: its name, and any known identifiers. */
export const ProviderReference = object(
  'A voice service provider as the author knows it: its name, and any known identifiers.',
  {
    providerId: providerId.exactOptional(),
    /** Business name, as filed or as stated. */
    name: line.describe('Business name, as filed or as stated.'),
    ocn: ocn.exactOptional(),
    spc: spc.exactOptional(),
    frn: frn.exactOptional(),
  },
);
export type ProviderReference = BodyOf<typeof ProviderReference>;

/** How a company or person that no registry lists can be reached. */
export const ContactDetails = object('How a company or person that no registry lists can be reached.', {
  /** Name of the company or person. */
  name: line.describe('Name of the company or person.'),
  /** Mail address. */
  email: email.exactOptional().describe('Mail address.'),
  /** Telephone number, in any spelling. */
  telephone: telephone.exactOptional().describe('Telephone number, in any spelling.'),
  /** Postal address, in one text. */
  postalAddress: text.exactOptional().describe('Postal address, in one text.'),
  country: country.exactOptional(),
});
export type ContactDetails = BodyOf<typeof ContactDetails>;

/** Most items that a page may be asked for. */
export const MAX_PAGE_ITEMS = 500;

/** Items of a page where no other number was asked for. */
export const DEFAULT_PAGE_ITEMS = 50;

/**
 * A part of a list. `nextCursor` asks for the next one; only the platform can read it, and it is valid for an hour at least. An item added
 * in the meantime may or may not appear; an item that was there throughout appears exactly once.
 */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Longest cursor: a sort key and a seal fit many times. */
const MAX_CURSOR_CHARS = 1_024;

/** Characters of a cursor need no escapes in a query. RFC 3986 section 2.3 */
export const cursor = z
  .string()
  .min(1)
  .max(MAX_CURSOR_CHARS)
  .regex(/^[A-Za-z0-9._~-]+$/);

/** A page of such items. */
export function pageOf<Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> {
  return object(
    'A part of a list. `nextCursor` asks for the next one; only the platform can read it, and it is valid for an hour at least. An item added in the meantime may or may not appear; an item that was there throughout appears exactly once.',
    {
      /** What is on this page. */
      items: z.array(item).max(MAX_PAGE_ITEMS).describe('What is on this page.'),
      /** Asks for the next page. Absent on the last page. */
      nextCursor: cursor.exactOptional().describe('Asks for the next page. Absent on the last page.'),
    },
  );
}

/**
 * What can be wrong with a call of the platform, as a word that does not change between releases. A client that gets one it does not know
 * acts on the HTTP status: later releases may add some.
 * - `invalid-body`, `invalid-parameter`: not in the form of the contract; `errors` says where.
 * - `too-large`, `unsupported-media-type`: the body is not read at all.
 * - `unauthenticated`, `forbidden`: no valid token; a token that does not cover this call.
 * - `not-found`, `gone`: it does not exist or the caller may not see it; it existed and is no longer kept.
 * - `conflict`: the present state does not allow it.
 * - `idempotency-key-reused`: the same key came with another body. `idempotency-in-progress`: with the same body, which is still worked on.
 * - `request-cancelled`: the traceback request was withdrawn, no answer is wanted.
 * - `answer-signature-invalid`: the JWS of an answer does not verify under a key of the provider that was asked.
 * - `answer-mismatch`: an answer names another request, traceback or provider than the one it was sent for.
 * - `answer-out-of-sequence`: its `revision` does not follow the last one, or it amends another answer than the last one.
 * - `document-unreadable`: the document of a demand is not a PDF, or its bytes do not have the stated hash.
 * - `scope-unusable`: the scope of a demand or decision does not end later than it begins.
 * - `demand-not-open`: it is decided already.
 * - `production-not-ready`: it is being prepared.
 * - `webhook-url-refused`: not an HTTPS address that the platform will post to.
 * - `rate-limited`: too many calls; `Retry-After` says when to try again.
 * - `internal`, `unavailable`: the fault is the platform's; the same call may be made again.
 */
export type ProblemCode =
  | 'invalid-body'
  | 'invalid-parameter'
  | 'too-large'
  | 'unsupported-media-type'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'gone'
  | 'conflict'
  | 'idempotency-key-reused'
  | 'idempotency-in-progress'
  | 'request-cancelled'
  | 'answer-signature-invalid'
  | 'answer-mismatch'
  | 'answer-out-of-sequence'
  | 'document-unreadable'
  | 'scope-unusable'
  | 'demand-not-open'
  | 'production-not-ready'
  | 'webhook-url-refused'
  | 'rate-limited'
  | 'internal'
  | 'unavailable';

/** Most places named in one problem. Further ones show when these are corrected. */
const MAX_LOCATIONS = 100;

/** Why the platform did not do what was asked, `application/problem+json`. It has no telephone numbers and no tokens. */
export const ProblemDetails = object(
  'Why the platform did not do what was asked. It has no telephone numbers and no tokens.\n\nSee RFC 9457 section 3.1.',
  {
    /** URI of the kind of problem. */
    type: uriReference.describe('URI of the kind of problem.'),
    /** The kind of problem in a few words. */
    title: z.string().min(1).max(256).describe('The kind of problem in a few words.'),
    /** HTTP status. */
    status: z.int().min(100).max(599).describe('HTTP status.'),
    /** The kind of problem as a word. Later releases may add some. */
    code: openWord.describe('The kind of problem as a word. Later releases may add some.'),
    /** What was wrong this time, for people. */
    detail: text.exactOptional().describe('What was wrong this time, for people.'),
    /** URI reference of this occurrence. */
    instance: uriReference.exactOptional().describe('URI reference of this occurrence.'),
    /** The id of this HTTP exchange in the platform's logs; also in the field `Request-Id` of every response. */
    httpRequestId: z
      .string()
      .min(1)
      .max(128)
      .exactOptional()
      .describe(
        "The id of this HTTP exchange in the platform's logs; also in the field `Request-Id` of every response.",
      ),
    /** Places that are not in the form of the contract. */
    errors: optionalListOf('Places that are not in the form of the contract.', MAX_LOCATIONS, {
      /** JSON Pointer into the body (RFC 6901), or the name of the parameter. */
      pointer: z.string().max(1_024).describe('JSON Pointer into the body (RFC 6901), or the name of the parameter.'),
      /** The broken rule, as a word. */
      code: openWord.describe('The broken rule, as a word.'),
    }),
  },
);
export type ProblemDetails = BodyOf<typeof ProblemDetails>;
/** A place where a body or parameter is not in its form. */
export type ProblemLocation = NonNullable<ProblemDetails['errors']>[number];

/** How a client says who it is: a JWT that it signed itself. @see RFC 7523 section 2.2 */
export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * Who calls the platform, and so what it may call:
 * - `carrier`: a voice service provider that is asked, answers and streams records
 * - `app`: a robocall-blocking application that reports calls
 * - `agency`: law enforcement and regulators, with demands and productions
 * - `staff`: people of the traceback group
 */
export type PlatformScope = 'carrier' | 'app' | 'agency' | 'staff';

/** Longest assertion: half a dozen claims, a certificate chain in its header at most. */
const MAX_ASSERTION_CHARS = 16_384;
/** Longest token that a header field of ours carries. */
const MAX_TOKEN_CHARS = 8_192;
/** Longest accepted life of a token: a day. */
const MAX_LIFE_SECONDS = 86_400;
/** Scope tokens are visible ASCII without `"` and `\`, a space between. RFC 6749 section 3.3 */
const scope = pattern(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}(?: [\x21\x23-\x5b\x5d-\x7e]{1,128}){0,15}$/);

/** Form fields of a request for a token, `application/x-www-form-urlencoded`. @see RFC 6749 section 4.4.2, RFC 7523 section 2.2 */
export const TokenRequest = object(
  'Form fields of a request for a token, `application/x-www-form-urlencoded`.\n\nSee RFC 6749 section 4.4.2, RFC 7523 section 2.2.',
  {
    /** Kind of grant. */
    grant_type: z.literal('client_credentials').describe('Kind of grant.'),
    /** Kind of assertion. */
    client_assertion_type: z.literal(CLIENT_ASSERTION_TYPE).describe('Kind of assertion.'),
    /** Compact JWS whose `iss` and `sub` are the client id, and whose `aud` is the platform's token address. */
    client_assertion: compactJws(MAX_ASSERTION_CHARS).describe(
      "Compact JWS whose `iss` and `sub` are the client id, and whose `aud` is the platform's token address.",
    ),
    /** Scopes with a space between; all scopes of the client if absent. */
    scope: scope.exactOptional().describe('Scopes with a space between; all scopes of the client if absent.'),
  },
);
export type TokenRequest = BodyOf<typeof TokenRequest>;

/** A token for calls to the platform. @see RFC 6749 section 5.1 */
export const TokenAnswer = object('A token for calls to the platform.\n\nSee RFC 6749 section 5.1.', {
  /** The token, for the `Authorization` header. */
  access_token: pattern(/^[A-Za-z0-9._~+/=-]+$/)
    .max(MAX_TOKEN_CHARS)
    .describe('The token, for the `Authorization` header.'),
  /** `Bearer`, in upper or lower case. RFC 6749 section 5.1 */
  token_type: pattern(/^[Bb][Ee][Aa][Rr][Ee][Rr]$/).describe('`Bearer`, in upper or lower case. RFC 6749 section 5.1'),
  /** Life of the token in seconds, from when the answer was made. */
  expires_in: z
    .int()
    .min(1)
    .max(MAX_LIFE_SECONDS)
    .describe('Life of the token in seconds, from when the answer was made.'),
  /** Granted scopes, with a space between. */
  scope: scope.exactOptional().describe('Granted scopes, with a space between.'),
});
export type TokenAnswer = BodyOf<typeof TokenAnswer>;

/** Why there is no token: not a problem document, because every OAuth library reads this one. @see RFC 6749 section 5.2 */
export const TokenRefusal = object(
  'Why there is no token: not a problem document, because every OAuth library reads this one.\n\nSee RFC 6749 section 5.2.',
  {
    /** `invalid_client`, `invalid_request`, `invalid_scope`, `unauthorized_client`, `unsupported_grant_type`, or a word of a later release. */
    error: pattern(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,128}$/).describe(
      '`invalid_client`, `invalid_request`, `invalid_scope`, `unauthorized_client`, `unsupported_grant_type`, or a word of a later release.',
    ),
    /** The same in words. */
    error_description: z.string().max(1_024).exactOptional().describe('The same in words.'),
  },
);
export type TokenRefusal = BodyOf<typeof TokenRefusal>;
