import { z } from 'zod';
import type { TokenAnswer, TokenRefusal, TokenRequest } from './token.js';
import { compactJws } from './wire-words.schema.js';

/** Longest assertion: half a dozen claims, a certificate chain in its header at most. */
const MAX_ASSERTION_CHARS = 16_384;
/** Longest token that a header field of ours carries. */
const MAX_TOKEN_CHARS = 8_192;
/** Longest life of a token that is believed: a day. */
const MAX_LIFE_SECONDS = 86_400;
/** Scope tokens are visible ASCII without `"` and `\`, a space between. RFC 6749 section 3.3 */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}(?: [\x21\x23-\x5b\x5d-\x7e]{1,128}){0,15}$/);

/** Form fields of a request for a token. */
export const tokenRequestSchema: z.ZodType<TokenRequest> = z.object({
  grant_type: z.literal('client_credentials'),
  client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  client_assertion: compactJws(MAX_ASSERTION_CHARS),
  scope: z.exactOptional(scope),
});

/** A token for calls to the platform. */
export const tokenAnswerSchema: z.ZodType<TokenAnswer> = z.object({
  access_token: z
    .string()
    .regex(/^[A-Za-z0-9._~+/=-]+$/)
    .max(MAX_TOKEN_CHARS),
  token_type: z.string().regex(/^[Bb][Ee][Aa][Rr][Ee][Rr]$/),
  expires_in: z.int().min(1).max(MAX_LIFE_SECONDS),
  scope: z.exactOptional(scope),
});

/** Why there is no token. */
export const tokenRefusalSchema: z.ZodType<TokenRefusal> = z.object({
  error: z.string().regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,128}$/),
  error_description: z.exactOptional(z.string().max(1_024)),
});
