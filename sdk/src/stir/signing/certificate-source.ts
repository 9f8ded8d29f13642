import { HopbackError } from '../../errors.js';
import type { Certificate } from '../certificates/certificate.js';
import { namesChain } from '../certificates/path-checks.js';
import { parseCertificateChain } from '../certificates/parse-certificate.js';
import { checkSignature } from '../certificates/signed-object.js';
import { checkX5uUrl } from '../certificates/x5u-url-policy.js';
import type { X5uUrlPolicy } from '../certificates/x5u-url-policy.js';

/** What a provider signs with, apart from the key: its certificate, the path above it, and where both are published. */
export interface SigningCertificate {
  /** The provider's own certificate. */
  readonly certificate: Certificate;
  /** Everything that the x5u serves, end entity first, each certificate issued by the next. */
  readonly chain: readonly Certificate[];
  /** Where verifiers fetch the chain: goes into each PASSporT. @see RFC 8225 section 4.4 */
  readonly x5u: string;
}

/** Where an authentication service gets its certificate from, at every signature anew. */
export interface CertificateSource {
  /** The certificate in force, the same object for as long as it does not change; undefined while there is none. Does no IO. */
  readonly current: () => SigningCertificate | undefined;
  /** Calls the listener with each certificate that comes into force from now on; the returned function ends that. */
  readonly subscribe?: (listener: (certificate: SigningCertificate) => void) => () => void;
}

/** A chain and its address, not looked at yet. */
export interface SigningCertificateText {
  /** PEM, end entity first, at most 16 KiB. */
  readonly chainPem: string | Uint8Array;
  /** The https URL that serves this chain, or how it is made of the provider's certificate. */
  readonly x5u: string | ((certificate: Certificate) => string);
  /** Exceptions for laboratories; default none. */
  readonly x5uPolicy?: X5uUrlPolicy;
}

/** Result of {@link readSigningCertificate}. */
export type SigningCertificateResult =
  | { readonly status: 'read'; readonly signingCertificate: SigningCertificate }
  | {
      readonly status: 'unusable';
      readonly reason: 'chain-malformed' | 'chain-out-of-order' | 'x5u-refused';
      readonly detail: string;
    };

/**
 * Reads a chain the way a verifier will, each certificate issued and signed by the next, and its x5u against the same URL rules that
 * verifiers apply. Read is not trusted: no anchor is asked.
 * @param text - the chain and where it is published
 * @returns `read`, or `unusable` with the reason; never throws for what the texts hold
 * @see RFC 8226 section 7, ATIS-1000074 (x5u)
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const { chainPem } = pki.issueServiceProvider({ spc: '1234' });
 * const result = readSigningCertificate({ chainPem, x5u: 'https://certificates.example.com/1234.pem' });
 * if (result.status === 'read') console.log(result.signingCertificate.certificate.subject.text);
 * else console.log(result.reason, result.detail);
 * ```
 */
export function readSigningCertificate(text: SigningCertificateText): SigningCertificateResult {
  const parsed = parseCertificateChain(text.chainPem);
  if (parsed.status === 'malformed') return unusable('chain-malformed', `${parsed.reason}: ${parsed.detail}`);
  const { chain } = parsed;
  const [certificate] = chain;
  if (certificate === undefined) return unusable('chain-malformed', 'no certificate');
  const gap = chain.findIndex((issued, index) => !isIssuedBy(issued, chain[index + 1]));
  if (gap >= 0) {
    return unusable(
      'chain-out-of-order',
      `certificate ${String(gap + 1)} is not issued by certificate ${String(gap + 2)}`,
    );
  }
  const x5u = typeof text.x5u === 'string' ? text.x5u : text.x5u(certificate);
  const url = checkX5uUrl(x5u, text.x5uPolicy);
  if (url.status === 'refused') return unusable('x5u-refused', `${url.reason}: ${url.detail}`);
  return { status: 'read', signingCertificate: { certificate, chain, x5u } };
}

/**
 * A source whose certificate never changes.
 * @param options - the chain and where it is published
 * @returns the source; it always gives the same object
 * @throws {@link HopbackError} `certificate-unusable` when the chain cannot be read or is out of order,
 * `invalid-configuration` when the x5u is no URL that verifiers fetch
 * @see RFC 8225 section 4.4, RFC 8226 section 7
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const { chainPem } = pki.issueServiceProvider({ spc: '1234' });
 * const source = createStaticCertificateSource({ chainPem, x5u: 'https://certificates.example.com/1234.pem' });
 * // The provider's own certificate and the intermediate CA above it.
 * console.log(source.current()?.chain.length); // 2
 * ```
 */
export function createStaticCertificateSource(options: SigningCertificateText): CertificateSource {
  const signingCertificate = requireSigningCertificate(readSigningCertificate(options));
  return { current: () => signingCertificate };
}

/**
 * The certificate of a result.
 * @param result - from {@link readSigningCertificate}
 * @returns the certificate
 * @throws {@link HopbackError} as {@link createStaticCertificateSource}
 */
export function requireSigningCertificate(result: SigningCertificateResult): SigningCertificate {
  if (result.status === 'read') return result.signingCertificate;
  const { reason, detail } = result;
  if (reason === 'x5u-refused') {
    throw new HopbackError('invalid-configuration', `The x5u is no URL that verifiers fetch: ${detail}.`, {
      details: { reason },
    });
  }
  throw new HopbackError('certificate-unusable', `The certificate chain cannot be used: ${detail}.`, {
    details: { reason },
  });
}

/** By name and signature: a CA that was exchanged for another of the same name is no issuer. */
function isIssuedBy(issued: Certificate, issuer: Certificate | undefined): boolean {
  if (issuer === undefined) return true;
  return namesChain(issued, issuer) && checkSignature(issued, issuer) !== 'invalid';
}

const unusable = (
  reason: 'chain-malformed' | 'chain-out-of-order' | 'x5u-refused',
  detail: string,
): SigningCertificateResult => ({ status: 'unusable', reason, detail });
