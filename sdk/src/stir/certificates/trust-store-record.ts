import { parseCertificate } from './parse-certificate.js';
import type { Certificate } from './certificate.js';
import { CRL_MAX_BYTES, parseCrl } from './crl.js';
import type { CertificateRevocationList } from './crl.js';
import { REVOCATION_SET_MAX_CRLS } from './revocation.js';
import { STI_PA_LIST_MAX_CHARS } from './sti-pa-list.js';

/** Marks the form of a record; a reader ignores others. */
const RECORD_FORMAT = 'hopback.sti-pa-list.1';

/** Most characters of a record: a list of 1 MiB, and the largest CRLs of the policy administrator and of a few CAs in base64. */
export const TRUST_STORE_RECORD_MAX_CHARS: number = 16 * 1024 * 1024;

/** Most certificates of a kind in a record. */
const RECORD_MAX_CERTIFICATES = 64;

/** The list in use as its signer signed it, with what it was verified by. Says what was published, not that it is trusted. */
export interface SignedList {
  readonly jws: string;
  /** Where the list does not carry it. */
  readonly signerChain?: readonly Certificate[];
}

/** What a trust store was made of, to be kept over a restart. All of it is signed, and verified again when it is read. */
export interface TrustStoreRecord extends SignedList {
  readonly crls: readonly CertificateRevocationList[];
  /** Those that were fetched; those that were configured still are. */
  readonly crlSigners: readonly Certificate[];
}

/** Writes a record as JSON. */
export function writeTrustStoreRecord({ jws, signerChain, crls, crlSigners }: TrustStoreRecord): string {
  return JSON.stringify({
    format: RECORD_FORMAT,
    jws,
    ...(signerChain && { signerChain: signerChain.map(base64Of) }),
    crls: crls.map(base64Of),
    crlSigners: crlSigners.map(base64Of),
  });
}

/**
 * Reads a record. Checks form and bounds; signatures, ends and sequence are for `verifyTrustStore`. Never throws.
 * @param text - a file, at most {@link TRUST_STORE_RECORD_MAX_CHARS}
 * @returns the record, or `undefined` where any part of it is not what it should be
 */
export function readTrustStoreRecord(text: string): TrustStoreRecord | undefined {
  const value = text.length > TRUST_STORE_RECORD_MAX_CHARS ? undefined : parsedJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<keyof TrustStoreRecord | 'format', unknown>;
  if (fields.format !== RECORD_FORMAT || typeof fields.jws !== 'string') return undefined;
  if (fields.jws.length > STI_PA_LIST_MAX_CHARS) return undefined;
  const signerChain = fields.signerChain === undefined ? undefined : readCertificates(fields.signerChain);
  const crlSigners = readCertificates(fields.crlSigners);
  const crls = readAll(fields.crls, REVOCATION_SET_MAX_CRLS, readCrl);
  if (crlSigners === undefined || crls === undefined) return undefined;
  if (fields.signerChain !== undefined && signerChain === undefined) return undefined;
  return { jws: fields.jws, ...(signerChain && { signerChain }), crls, crlSigners };
}

function base64Of({ der }: { readonly der: Uint8Array }): string {
  return Buffer.from(der).toString('base64');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readCertificates(value: unknown): readonly Certificate[] | undefined {
  return readAll(value, RECORD_MAX_CERTIFICATES, (text) => {
    const result = parseCertificate(Buffer.from(text, 'base64'));
    return result.status === 'parsed' ? result.certificate : undefined;
  });
}

function readCrl(text: string): CertificateRevocationList | undefined {
  // Base64 takes four characters for three octets.
  if (text.length > CRL_MAX_BYTES * 1.5) return undefined;
  const result = parseCrl(Buffer.from(text, 'base64'));
  return result.status === 'parsed' ? result.crl : undefined;
}

/** All or nothing: a part that cannot be read is damage. */
function readAll<Part>(
  value: unknown,
  most: number,
  read: (text: string) => Part | undefined,
): readonly Part[] | undefined {
  if (!Array.isArray(value) || value.length > most) return undefined;
  const parts = value.map((text: unknown) => (typeof text === 'string' ? read(text) : undefined));
  const whole = parts.filter((part) => part !== undefined);
  return whole.length === parts.length ? whole : undefined;
}
