import type {
  PassportFaultContext,
  PassportOptions,
  PublishOptions,
  ServerFaultName,
  TestCertificate,
  TestKey,
  TestPki,
  TestServiceProvider,
} from '@hopback/sdk/testing';

/** A provider, and where its chain is served. */
export interface PublishedCertificate<Certificate extends TestCertificate = TestCertificate> {
  readonly certificate: Certificate;
  readonly x5u: string;
}

/** The world in which a case builds its call: PKI, certificate server and clock. */
export interface CaseSetting {
  readonly nowSeconds: number;
  readonly pki: TestPki;
  /** A provider with nothing wrong. */
  readonly provider: PublishedCertificate<TestServiceProvider>;
  /** What the signing service under test was given: where its chain is, and its public key. */
  readonly signing: { readonly x5u: string; readonly publicKeyPem: string };
  /** What the catalogues of faults are built from: the provider, now, and the numbers below. */
  readonly context: PassportFaultContext;
  /** Caller and callee, kept for fiction; others for each case, so that no answer is of an earlier call. */
  readonly origTn: string;
  readonly destTn: string;
  /** Serves a chain at a URL of its own. */
  readonly publish: (chainPem: string, options?: PublishOptions) => string;
  /** A URL that misbehaves, in front of a right chain. */
  readonly publishFault: (name: ServerFaultName, chainPem: string) => string;
  /** Serves the provider's chain at this path of the certificate server, and returns the URL. */
  readonly publishAt: (path: string) => string;
  /** The same path of the same server without TLS. */
  readonly httpUrl: (x5u: string) => string;
  /** An RSA key: to make one takes a second, in which nothing else is answered. */
  readonly rsaKey: TestKey;
  /** Serial numbers that the CRL has had from the beginning. */
  readonly revokedSerials: { readonly endEntity: number; readonly ca: number };
  /** Settings of a right token of this call, with changes. */
  readonly passport: (changes?: Partial<PassportOptions>) => PassportOptions;
}
