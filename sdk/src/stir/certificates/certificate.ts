import type { KeyObject } from 'node:crypto';
import type { Spc } from '../../core/telephone-number.js';

/**
 * One entry of a TNAuthList: a service provider code, 1 to 15 of `0-9A-Z`; a range of `count` numbers (2 or more) that begins with
 * `start`; or one number. Numbers are 1 to 15 of `0-9#*`. @see RFC 8226 section 9
 */
export type TnAuthEntry =
  | { readonly kind: 'spc'; readonly spc: Spc }
  | {
      readonly kind: 'range';
      readonly start: string;
      readonly count: number;
    }
  | { readonly kind: 'one'; readonly tn: string };

/** What a certificate lets its holder say in a PASSporT. @see RFC 8226 section 8, RFC 9118 section 4 */
export type JwtClaimConstraints = NonNullable<Certificate['jwtClaimConstraints']>;

/** One CRL distribution point: where a CRL is published and, for an indirect one, who signs it. */
export type CrlDistributionPoint = Certificate['crlDistributionPoints'][number];

/** A distinguished name: readable text, comparable bytes, and its attributes in order. */
export type DistinguishedName = Certificate['subject'];

/**
 * An X.509 certificate, taken apart once. Parsed is not trusted: only a path from `buildCertificatePath` says so.
 * @see RFC 5280 section 4
 */
export interface Certificate {
  /** The whole certificate; a copy of what was parsed. */
  readonly der: Uint8Array;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  /** As people count: 3 for the `2` that is encoded. */
  readonly version: 1 | 2 | 3;
  /** Serial number, lower-case hex without leading zeros; a leading `-` when negative. */
  readonly serialNumber: string;
  readonly subject: {
    /** For people: `C=US, O=Example, CN=SHAKEN 1234`. */
    readonly text: string;
    /** For comparison (name chaining): canonical form after RFC 5280 section 7.1 (case folded, spaces squeezed). */
    readonly canonical: string;
    /** Short name, or dotted OID where there is none (`C`, `CN`), and text, in the order of the certificate. */
    readonly attributes: readonly { readonly type: string; readonly value: string }[];
  };
  readonly issuer: Certificate['subject'];
  /** First instant of its validity, milliseconds since the epoch. */
  readonly notBeforeMs: number;
  /** Last instant of its validity, milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** Made when it is first asked for; always the same object. */
  readonly publicKey: KeyObject;
  /** `EC P-256`, `EC P-384`, `RSA 2048`, `Ed25519` …, for people and for policy. */
  readonly publicKeyType: string;
  /** Dotted OID of the signature algorithm. */
  readonly signatureAlgorithm: string;
  /** BasicConstraints is there and says cA TRUE. */
  readonly isCa: boolean;
  /** `pathLength`: most intermediate CAs below it, 255 for more; absent where it sets no limit. */
  readonly basicConstraints?: {
    readonly critical: boolean;
    readonly ca: boolean;
    readonly pathLength?: number;
  };
  /** Bits by the names of RFC 5280: `digitalSignature`, `keyCertSign`, `cRLSign` … */
  readonly keyUsage?: { readonly critical: boolean; readonly usages: readonly string[] };
  /** Purposes as dotted OIDs. */
  readonly extendedKeyUsage?: readonly string[];
  /** Lower-case hex. */
  readonly subjectKeyIdentifier?: string;
  /** Lower-case hex of keyIdentifier. */
  readonly authorityKeyIdentifier?: string;
  /** The issuer's certificate where AuthorityKeyIdentifier names it: its issuer (canonical text of a directory name) and serial number. */
  readonly authorityCertificate?: { readonly issuer?: string; readonly serialNumber: string };
  /** Dotted OIDs, at most 16. */
  readonly certificatePolicies: readonly string[];
  /** At most 16. */
  readonly crlDistributionPoints: readonly {
    /** As written, at most 16; empty where it is named otherwise than by URL. */
    readonly urls: readonly string[];
    /** Canonical text of the cRLIssuer name, for an indirect CRL. */
    readonly crlIssuer?: string;
  }[];
  /** caIssuers URLs of AuthorityInfoAccess. */
  readonly caIssuers: readonly string[];
  /** Whom its holder may sign for, 1 to 512 entries; absent where the certificate has no TNAuthList. */
  readonly tnAuthList?: readonly TnAuthEntry[];
  /** Those of both extensions together, JWTClaimConstraints and EnhancedJWTClaimConstraints. */
  readonly jwtClaimConstraints?: {
    /** Names of claims that a PASSporT must have, beside those of its type. */
    readonly mustInclude: readonly string[];
    /** Claims that may only have one of these values, each compared as text. */
    readonly permittedValues: readonly { readonly claim: string; readonly permitted: readonly string[] }[];
    /** Names of claims that a PASSporT must not have. EnhancedJWTClaimConstraints only; empty otherwise. */
    readonly mustExclude: readonly string[];
  };
  /** Every extension in its order, processed or not, by dotted OID. */
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[];
  /**
   * Dotted OIDs of extensions that this implementation does not process and may not pass over: those marked critical, and name constraints, policy
   * constraints and inhibitAnyPolicy even when they are not. A path with one is refused.
   */
  readonly unknownCriticalExtensions: readonly string[];
}

/** Whether two chains hold the same certificates in the same order. */
export function sameChain(left: readonly Certificate[], right: readonly Certificate[]): boolean {
  return left.length === right.length && left.every(({ sha256 }, index) => sha256 === right[index]?.sha256);
}

/** Result of parsing one certificate. `detail` is for people. */
export type CertificateParseResult =
  | { readonly status: 'parsed'; readonly certificate: Certificate }
  | {
      readonly status: 'malformed';
      readonly reason: 'not-pem' | 'malformed-der' | 'too-large' | 'too-many-certificates' | 'empty-chain';
      readonly detail: string;
    };

/** Result of parsing an x5u body: PEM certificates, end entity first. `detail` is for people. */
export type CertificateChainParseResult =
  | { readonly status: 'parsed'; readonly chain: readonly Certificate[] }
  | Extract<CertificateParseResult, { readonly status: 'malformed' }>;

/** What came out of a text that should hold PEM blocks. */
type PemResult =
  | { readonly status: 'found'; readonly blocks: readonly Uint8Array[] }
  | {
      readonly status: 'malformed';
      readonly reason: 'not-pem' | 'too-many-blocks';
      readonly detail: string;
    };

/**
 * Reads every PEM block with one label, in order. Text before, between and after blocks is skipped, as are blocks with other
 * labels; a block that has begun must end and hold nothing but base64. Blanks and a byte order mark may stand before a BEGIN line; a
 * BEGIN anywhere else in a line is refused, since to skip that block would make another one the first. Linear in the length of the
 * text; never throws for peer input.
 * @see RFC 7468 section 2
 */
export function readPemBlocks(
  text: Uint8Array | string,
  label: string,
  options: { readonly maxBlocks: number },
): PemResult {
  const source = typeof text === 'string' ? text : latin1(text);
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  for (let from = source.indexOf(begin); from >= 0;) {
    if (!beginsLine(source, from)) return malformed('not-pem', `block ${blocks.length + 1} begins inside a line`);
    if (blocks.length === options.maxBlocks)
      return malformed('too-many-blocks', `more than ${options.maxBlocks} ${label} blocks`);
    const bodyStart = from + begin.length;
    const bodyEnd = source.indexOf(end, bodyStart);
    if (bodyEnd < 0) return malformed('not-pem', `block ${blocks.length + 1} has no END line`);
    const block = decodeBase64(source.slice(bodyStart, bodyEnd));
    if (block === undefined) return malformed('not-pem', `block ${blocks.length + 1} is not base64`);
    blocks.push(block);
    from = source.indexOf(begin, bodyEnd + end.length);
  }
  return blocks.length === 0 ? malformed('not-pem', `no ${label} block`) : { status: 'found', blocks };
}

/**
 * Writes one PEM block with lines of 64 characters.
 * @see RFC 7468 section 2
 */
export function writePemBlock(der: Uint8Array, label: string): string {
  const base64 = Buffer.from(der).toString('base64');
  const lines: string[] = [];
  for (let offset = 0; offset < base64.length; offset += 64) lines.push(base64.slice(offset, offset + 64));
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** U+FEFF, and its three octets of UTF-8 where bytes are read one character each. Editors put it before the first line. */
const BYTE_ORDER_MARKS: readonly string[] = ['\ufeff', '\u00ef\u00bb\u00bf'];

/** Whether nothing but blanks and a byte order mark stands between the beginning of the line and this place. */
function beginsLine(source: string, at: number): boolean {
  let start = at;
  while (source[start - 1] === ' ' || source[start - 1] === '\t') start -= 1;
  const mark = BYTE_ORDER_MARKS.find((candidate) => source.endsWith(candidate, start));
  const before = source[start - (mark?.length ?? 0) - 1];
  return before === undefined || before === '\n' || before === '\r';
}

/** Base64 with line breaks and blanks; Buffer alone would also take `-_`, stray characters and missing padding. */
function decodeBase64(body: string): Uint8Array | undefined {
  const text = body.replace(/[\t\n\r ]/g, '');
  if (text.length === 0 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function malformed(reason: 'not-pem' | 'too-many-blocks', detail: string): PemResult {
  return {
    status: 'malformed',
    reason,
    detail,
  };
}
