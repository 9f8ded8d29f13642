import { z } from 'zod';
import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import { spc } from './call-record.schema.js';

// What the bodies of the contract have in common. Bounds are generous against what people and registries write, and small enough that a
// body of any of these forms fits in memory many times over.

/** Longest line of text: names, titles, what stood in one field of a form. */
const MAX_LINE_CHARS = 256;
/** Longest paragraph: comments, reasons, descriptions. */
const MAX_TEXT_CHARS = 8_192;
/** Longest transcript: an hour of talk at 15 characters a second. */
const MAX_TRANSCRIPT_CHARS = 65_536;
/** Longest address of the web that anything takes. RFC 9110 section 4.1 asks for 8,000 octets; registries and browsers stay below this. */
const MAX_URL_CHARS = 2_048;
/** Longest mail address. RFC 5321 section 4.5.3.1 */
const MAX_EMAIL_CHARS = 320;
/** Longest RFC 3339 time that is read: microseconds and an offset fit. */
const MAX_TIME_CHARS = 40;

/** An id of the contract: it stands in paths as it is, so that it begins with a letter or digit and needs no escapes. RFC 3986 section 3.3 */
export const identifier: z.ZodType<string> = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
/** Name of a tamper-evident log, as it stands in its checkpoints: `example.com/evidence`. @see https://c2sp.org/tlog-checkpoint */
export const logId: z.ZodType<string> = z.string().regex(/^[^\s+\u0000-\u001f]{1,256}$/);
/** One line of text, not empty. */
export const line: z.ZodType<string> = z.string().min(1).max(MAX_LINE_CHARS);
/** Text for people, not empty. */
export const text: z.ZodType<string> = z.string().min(1).max(MAX_TEXT_CHARS);
/** What was said on a call. */
export const transcriptText: z.ZodType<string> = z.string().min(1).max(MAX_TRANSCRIPT_CHARS);
/** RFC 3339 in UTC. */
export const utcTime: z.ZodType<string> = z.iso.datetime().max(MAX_TIME_CHARS);
/** RFC 3339 with an offset. */
export const offsetTime: z.ZodType<string> = z.iso.datetime({ offset: true }).max(MAX_TIME_CHARS);
/** RFC 3339 full date. */
export const fullDate: z.ZodType<string> = z.iso.date();
/** A mail address, of which no more is believed than that it is one line. */
export const email: z.ZodType<string> = z.string().min(3).max(MAX_EMAIL_CHARS);
/** A telephone number for people to call, in any spelling. */
export const telephone: z.ZodType<string> = z.string().min(1).max(64);
/** ISO 3166-1 alpha-2. */
export const country: z.ZodType<string> = z.string().regex(/^[A-Z]{2}$/);
/** FCC Registration Number. */
export const frn: z.ZodType<string> = z.string().regex(/^\d{10}$/);
/** Operating Company Number. */
export const ocn: z.ZodType<string> = z.string().regex(/^[0-9A-Z]{4}$/);
/** An address of the web. */
export const httpsUrl: z.ZodType<string> = z
  .string()
  .regex(/^https:\/\/[^\s]{1,2040}$/)
  .max(MAX_URL_CHARS);
/** A URI reference. RFC 3986 section 4.1 */
export const uriReference: z.ZodType<string> = z.string().min(1).max(MAX_URL_CHARS);
/** A word of a vocabulary that later releases may add to. */
export const openWord: z.ZodType<string> = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);
/** A media type. RFC 6838 section 4.2 */
export const mediaType: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9.+-]{1,127}\/[a-z0-9.+-]{1,127}(?:;[\x20-\x7e]{1,127})?$/);
/** Name of a file as it stands in a path: no separators, no dot in front. */
export const fileName: z.ZodType<string> = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
/** Compact JWS, and how long it may be. RFC 7515 section 7.1 */
export const compactJws = (maxChars: number): z.ZodType<string> =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,}\.[A-Za-z0-9_-]{1,}\.[A-Za-z0-9_-]{1,}$/)
    .max(maxChars);

/** A provider by name and as many identifiers as there are. */
export const providerReferenceSchema: z.ZodType<ProviderReference> = z.object({
  providerId: z.exactOptional(identifier),
  name: line,
  ocn: z.exactOptional(ocn),
  spc: z.exactOptional(spc),
  frn: z.exactOptional(frn),
});

/** How somebody that no registry lists can be reached. */
export const contactDetailsSchema: z.ZodType<ContactDetails> = z.object({
  name: line,
  email: z.exactOptional(email),
  telephone: z.exactOptional(telephone),
  postalAddress: z.exactOptional(text),
  country: z.exactOptional(country),
});
