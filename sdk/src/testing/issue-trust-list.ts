import { base64url, compactJws } from './compact-jws.js';
import type { TestCertificate } from './test-certificate.js';
import type { TestKey } from './test-key.js';

/** Settings of {@link TestPki.trustList}. */
export interface TrustListOptions {
  /** Default 1. */
  readonly version?: unknown;
  /** Default 1; a list with a lower one than was seen is old. */
  readonly sequence?: unknown;
  /** Seconds since the epoch; default one day after the PKI's `nowMs`. */
  readonly exp?: unknown;
  /** Default: the root of the STI-CA. */
  readonly anchors?: readonly TestCertificate[];
  /** The `trustList` array as it stands, in place of `anchors`. */
  readonly trustList?: unknown;
  /** Default: the STI-PA signer. */
  readonly signer?: TestCertificate;
  /** Signs with this key under the signer's certificate: a forged list. */
  readonly signedBy?: TestKey;
  /** Header `x5u`; default `https://sti-pa.example/signer.pem`. `'absent'` leaves it out. */
  readonly x5u?: string;
  /** Also carries the signer's certificate chain in `x5c`. */
  readonly withX5c?: boolean;
  /** Further header parameters, or other values for those there are; `undefined` removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Further claims, or other values; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Flips a bit of the signature. */
  readonly corruptSignature?: boolean;
}

/** A signed list of trust anchors. */
export interface TestTrustList {
  /** JWS compact serialization. */
  readonly jws: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What its `x5u` serves: the signer's PEM chain. */
  readonly signerChainPem: string;
  /** Root that the signer chains to, PEM. */
  readonly signerRootPem: string;
}

/** What the PKI adds to {@link TrustListOptions}. */
export interface TrustListRequest extends TrustListOptions {
  readonly signer: TestCertificate;
  readonly anchors: readonly TestCertificate[];
  readonly nowMs: number;
}

const DAY_SECONDS = 86_400;

/** Signs a list of STI-CAs as the policy administrator does. @see ATIS-1000084 section 7.3 */
export function issueTrustList(request: TrustListRequest): TestTrustList {
  const { signer } = request;
  const x5u = request.x5u ?? 'https://sti-pa.example/signer.pem';
  const header = defined({
    alg: 'ES256',
    typ: 'JWT',
    x5u: x5u === 'absent' ? undefined : x5u,
    x5c:
      request.withX5c === true
        ? certificateChain(signer).map((link) => Buffer.from(link.der).toString('base64'))
        : undefined,
    ...request.header,
  });
  const claims = defined({
    version: request.version ?? 1,
    sequence: request.sequence ?? 1,
    exp: request.exp ?? Math.floor(request.nowMs / 1000) + DAY_SECONDS,
    trustList: request.trustList ?? request.anchors.map((anchor) => anchor.certificatePem),
    ...request.claims,
  });
  const key = request.signedBy ?? signer.key;
  const jws = compactJws(JSON.stringify(header), JSON.stringify(claims), key.privateKey);
  return {
    jws: request.corruptSignature === true ? corrupt(jws) : jws,
    header,
    claims,
    signerChainPem: signer.chainPem,
    signerRootPem: (certificateChain(signer).at(-1)?.issuer ?? signer).certificatePem,
  };
}

function certificateChain(certificate: TestCertificate): readonly TestCertificate[] {
  const { issuer } = certificate;
  return issuer?.issuer === undefined ? [certificate] : [certificate, ...certificateChain(issuer)];
}

function corrupt(jws: string): string {
  const dot = jws.lastIndexOf('.');
  const signature = Buffer.from(jws.slice(dot + 1), 'base64url');
  signature[0] = (signature[0] ?? 0) ^ 1;
  return `${jws.slice(0, dot)}.${base64url(signature)}`;
}

function defined(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
