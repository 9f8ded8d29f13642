import { createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { TelephoneNumberRange, TNAuthorizationList, TNEntry } from '@peculiar/asn1-rfc8226';
import { AsnConvert } from '@peculiar/asn1-schema';
import type { TnAuthEntry } from '../stir/index.js';

/** One part of the subject, in the order it is written. */
export interface SubjectPart {
  readonly type: 'C' | 'O' | 'CN';
  readonly value: string;
}

/** What is asked for. */
export interface CertificationRequest {
  /** P-256 private key; its public half is what is to be certified. */
  readonly key: KeyObject;
  readonly subject: readonly SubjectPart[];
  /** At least one entry. */
  readonly tnAuthList: readonly TnAuthEntry[];
}

/**
 * Writes a PKCS#10 request signed with ECDSA and SHA-256, the TNAuthList as an extension request.
 * @returns PEM
 * @see RFC 2986 section 4, RFC 2985 section 5.4.2, RFC 8226 section 9
 */
export function writeCertificationRequest({ key, subject, tnAuthList }: CertificationRequest): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const info = sequence(
    der(TAG.integer, Buffer.of(0)),
    sequence(...subject.map(relativeName)),
    publicKey,
    der(TAG.attributes, extensionRequest(tnAuthList)),
  );
  const signature = sign('sha256', info, { key, dsaEncoding: 'der' });
  const request = sequence(info, sequence(oid(OID.ecdsaWithSha256)), der(TAG.bitString, Buffer.of(0), signature));
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  sequence: 0x30,
  set: 0x31,
  /** `[0] IMPLICIT` in CertificationRequestInfo. */
  attributes: 0xa0,
} as const;

/** Contents octets of the object identifiers that are written, hexadecimal. */
const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  extensionRequest: '2a864886f70d01090e',
  tnAuthList: '2b0601050507011a',
  C: '550406',
  O: '55040a',
  CN: '550403',
} as const;

/** A country is a PrintableString by definition, names may have any letter. @see RFC 5280 appendix A */
function relativeName({ type, value }: SubjectPart): Buffer {
  const text = der(type === 'C' ? TAG.printableString : TAG.utf8String, Buffer.from(value));
  return der(TAG.set, sequence(oid(OID[type]), text));
}

function extensionRequest(entries: readonly TnAuthEntry[]): Buffer {
  const extension = sequence(oid(OID.tnAuthList), der(TAG.octetString, tnAuthListDer(entries)));
  return sequence(oid(OID.extensionRequest), der(TAG.set, sequence(extension)));
}

function tnAuthListDer(entries: readonly TnAuthEntry[]): Buffer {
  const list = new TNAuthorizationList();
  list.push(...entries.map(tnEntry));
  return Buffer.from(AsnConvert.serialize(list));
}

function tnEntry(entry: TnAuthEntry): TNEntry {
  if (entry.kind === 'spc') return new TNEntry({ spc: entry.spc });
  if (entry.kind === 'one') return new TNEntry({ one: entry.tn });
  const { start, count } = entry;
  return new TNEntry({ range: Object.assign(new TelephoneNumberRange(), { start, count }) });
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...parts);

const oid = (contents: string): Buffer => der(TAG.objectIdentifier, Buffer.from(contents, 'hex'));

/** Tag, length in its shortest form, contents. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), contents]);
  const hex = length.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | octets.length), octets, contents]);
}
