import { compactVerify, decodeProtectedHeader } from 'jose';
import { parseBoundedJson } from '../../core/json-text.js';
import { attempt } from '../../core/runtime/deadline.js';
import type { JsonObject, JsonValue } from '../../core/json-text.js';
import { buildPathFor } from './build-path.js';
import type { Certificate } from './certificate.js';
import { CERTIFICATE_CHAIN_MAX_CERTIFICATES, parseCertificate, parseCertificateBundle } from './parse-certificate.js';
import type { PathFailure, PathOptions } from './path.js';

/** Most characters of a signed list: some hundred CAs of 1.5 KB each in PEM; the list in force has a few dozen. */
export const STI_PA_LIST_MAX_CHARS: number = 1024 * 1024;

/** Most entries of a list, with the same margin. */
export const STI_PA_LIST_MAX_ENTRIES = 500;

/** Most characters of one entry: a certificate of 6 KB in PEM. */
const ENTRY_MAX_CHARS = 8 * 1024;

/** Why a list of STI-CAs was refused. */
export type StiPaListFailureReason =
  | 'too-large'
  | 'not-a-jws'
  | 'algorithm-not-permitted'
  | 'signer-missing'
  | 'signer-not-trusted'
  | 'signature-invalid'
  | 'payload-malformed'
  | 'expired'
  | 'sequence-rolled-back'
  | 'exp-rolled-back'
  | 'trust-list-empty';

/** The policy administrator's list of STI-CAs, verified. */
export interface StiPaList {
  /** Format version as published. */
  readonly version: string;
  /** Grows with every issue. */
  readonly sequence: number;
  /** End of its validity, milliseconds since the epoch; a list is not to be used at or after it. */
  readonly expMs: number;
  /** The STI-CA certificates, each once; at least one. */
  readonly anchors: readonly Certificate[];
  /** Entries that could not be used, by their place in the list from 0; one faulty CA does not take the others down. */
  readonly skipped: readonly { readonly index: number; readonly detail: string }[];
  /** Who signed it. */
  readonly signer: Certificate;
}

/** Result of {@link verifyStiPaList}. `detail` is for people. */
export type StiPaListResult =
  | { readonly status: 'accepted'; readonly list: StiPaList }
  | {
      readonly status: 'rejected';
      readonly reason: StiPaListFailureReason;
      readonly detail: string;
      /** Where the signer's path failed: why. */
      readonly pathFailures?: readonly PathFailure[];
    };

/** What a list is verified against. */
export interface StiPaListOptions {
  /** The policy administrator's own root certificates, obtained out of band; they are no trust anchors for calls. */
  readonly stiPaRoots: readonly Certificate[];
  /** When, milliseconds since the epoch. */
  readonly atMs: number;
  /** The signer's chain, end entity first, as fetched from {@link stiPaListSignerUrl}. Default: the `x5c` header. */
  readonly signerChain?: readonly Certificate[];
  /** Sequence of the newest list that was accepted before; a lower one is refused, the same one is not. */
  readonly lastSequence?: number;
  /** End of validity of that list, milliseconds since the epoch; one of the same sequence that ends earlier is refused. */
  readonly lastExpMs?: number;
  /** Default: nothing is known of revocation, which does not refuse a signer. */
  readonly revocation?: NonNullable<PathOptions['revocation']>;
}

/**
 * Verifies the policy administrator's signed list of STI-CAs: JWS compact, ES256, signer chained to one of `stiPaRoots`, not expired,
 * not older than the last one, not empty. Fetches nothing. Never rejects and never throws for peer input.
 * @see ATIS-1000084 (STI-PA), ATIS-1000080 section 6.3.3
 */
export async function verifyStiPaList(jws: string, options: StiPaListOptions): Promise<StiPaListResult> {
  const text = jws.length > STI_PA_LIST_MAX_CHARS ? '' : jws.trim();
  if (text === '')
    return rejected(
      jws === '' ? 'not-a-jws' : 'too-large',
      `${jws.length} characters, at most ${STI_PA_LIST_MAX_CHARS}`,
    );
  const header = protectedHeader(text);
  if (header === undefined) return rejected('not-a-jws', 'no protected header');
  if (header['alg'] !== 'ES256')
    return rejected('algorithm-not-permitted', `alg ${JSON.stringify(header['alg'])}, expected "ES256"`);
  const chain = options.signerChain ?? x5cChain(header);
  const [signer] = chain;
  if (signer === undefined)
    return rejected('signer-missing', 'no signer certificate was given and the header has no usable x5c');
  const path = buildPathFor('trust-list', chain, {
    trustAnchors: options.stiPaRoots,
    atMs: options.atMs,
    ...(options.revocation && { revocation: options.revocation }),
  });
  if (path.status === 'untrusted') {
    const { failures } = path;
    return {
      ...rejected('signer-not-trusted', failures.map(({ reason }) => reason).join(', ')),
      pathFailures: failures,
    };
  }
  const payload = await verifiedPayload(text, signer);
  if (payload === undefined) return rejected('signature-invalid', `under the key of ${signer.subject.text}`);
  return readList(payload, signer, options);
}

/**
 * The `x5u` that a signed list names for its signer's certificate chain. Nothing of it is verified, so that it is to be fetched under
 * the URL policy, as `fetchBounded` does. Never throws for peer input.
 * @see RFC 7515 section 4.1.5, ATIS-1000084
 */
export function stiPaListSignerUrl(jws: string): string | undefined {
  if (jws.length > STI_PA_LIST_MAX_CHARS) return undefined;
  const x5u = protectedHeader(jws.trim())?.['x5u'];
  return typeof x5u === 'string' ? x5u : undefined;
}

const protectedHeader = (text: string): Readonly<Record<string, unknown>> | undefined =>
  attempt(() => decodeProtectedHeader(text));

/** Certificates of an `x5c` header, base64 DER; none when one of them cannot be read. @see RFC 7515 section 4.1.6 */
function x5cChain(header: Readonly<Record<string, unknown>>): readonly Certificate[] {
  const { x5c } = header;
  if (!Array.isArray(x5c) || x5c.length > CERTIFICATE_CHAIN_MAX_CERTIFICATES) return [];
  const results = x5c.map((entry: unknown) =>
    parseCertificate(Buffer.from(typeof entry === 'string' ? entry : '', 'base64')),
  );
  const chain = results.flatMap((result) => (result.status === 'parsed' ? [result.certificate] : []));
  return chain.length === x5c.length ? chain : [];
}

async function verifiedPayload(text: string, signer: Certificate): Promise<string | undefined> {
  try {
    const { payload } = await compactVerify(text, signer.publicKey, { algorithms: ['ES256'] });
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    return undefined;
  }
}

function readList(payload: string, signer: Certificate, options: StiPaListOptions): StiPaListResult {
  const json = parseBoundedJson(payload, {
    maxChars: STI_PA_LIST_MAX_CHARS,
    maxDepth: 8,
    maxEntries: STI_PA_LIST_MAX_ENTRIES * 2,
  });
  if (json.status === 'malformed') return rejected('payload-malformed', json.reason);
  const fields = readFields(json.value);
  if (typeof fields === 'string') return rejected('payload-malformed', fields);
  const { version, sequence, expSeconds, entries } = fields;
  const expMs = expSeconds * 1000;
  if (options.atMs >= expMs) return rejected('expired', `exp ${expSeconds}, now ${Math.floor(options.atMs / 1000)}`);
  if (options.lastSequence !== undefined && sequence < options.lastSequence) {
    return rejected('sequence-rolled-back', `sequence ${sequence}, last ${options.lastSequence}`);
  }
  if (sequence === options.lastSequence && options.lastExpMs !== undefined && expMs < options.lastExpMs)
    return rejected(
      'exp-rolled-back',
      `exp ${expSeconds}, last ${options.lastExpMs / 1000}, both of sequence ${sequence}`,
    );
  const { anchors, skipped } = readAnchors(entries);
  if (anchors.length === 0) return rejected('trust-list-empty', `${entries.length} entries, none usable`);
  return {
    status: 'accepted',
    list: {
      version,
      sequence,
      expMs,
      anchors,
      skipped,
      signer,
    },
  };
}

interface Fields {
  readonly version: string;
  readonly sequence: number;
  readonly expSeconds: number;
  readonly entries: readonly JsonValue[];
}

/** @returns the fields, or what is wrong with them */
function readFields(value: JsonValue): Fields | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const { version, sequence, exp, trustList } = value as JsonObject;
  if (typeof version !== 'number' && typeof version !== 'string') return 'version is neither number nor string';
  if (!isWholeNumber(sequence)) return 'sequence is not a whole number';
  if (!isWholeNumber(exp)) return 'exp is not a whole number of seconds';
  if (!Array.isArray(trustList)) return 'trustList is not an array';
  if (trustList.length > STI_PA_LIST_MAX_ENTRIES) return `trustList has more than ${STI_PA_LIST_MAX_ENTRIES} entries`;
  return {
    version: String(version),
    sequence,
    expSeconds: exp,
    entries: trustList as readonly JsonValue[],
  };
}

function isWholeNumber(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readAnchors(entries: readonly JsonValue[]): Pick<StiPaList, 'anchors' | 'skipped'> {
  const anchors = new Map<string, Certificate>();
  const skipped: { readonly index: number; readonly detail: string }[] = [];
  for (const [index, entry] of entries.entries()) {
    const anchor = readAnchor(entry);
    if (typeof anchor === 'string') skipped.push({ index, detail: anchor });
    else anchors.set(anchor.sha256, anchor);
  }
  return { anchors: [...anchors.values()], skipped };
}

/** @returns the certificate of one PEM entry, or why it is skipped */
function readAnchor(entry: JsonValue): Certificate | string {
  if (typeof entry !== 'string') return 'not a string';
  const bundle = parseCertificateBundle(entry, { maxBytes: ENTRY_MAX_CHARS, maxCertificates: 1 });
  if (bundle.status === 'malformed') return bundle.detail;
  const [certificate] = bundle.chain;
  if (certificate === undefined) return 'no certificate';
  return certificate.isCa ? certificate : 'not a CA certificate';
}

function rejected(
  reason: StiPaListFailureReason,
  detail: string,
): {
  readonly status: 'rejected';
  readonly reason: StiPaListFailureReason;
  readonly detail: string;
} {
  return { status: 'rejected', reason, detail };
}
