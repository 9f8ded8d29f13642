/** A certificate with its key, and where verifiers fetch it. Texts alone: it goes to other processes as it is. */
export interface NodeCredential {
  readonly privateKeyPem: string;
  readonly chainPem: string;
  readonly x5u: string;
  /** Service provider code of the provider that it was issued to. */
  readonly spc: string;
  /** Whether its owner should not use it: it has expired, was revoked, is another's or nobody vouches for it. */
  readonly isFaulty: boolean;
}

/** Whom the providers trust, certificates and CRL as DER in base64. */
export interface NodeTrust {
  readonly root: string;
  readonly stiPaRoot: string;
  readonly crlSigner: string;
  readonly crl: string;
}

/** How a provider speaks to the platform. */
export interface NodeMembership {
  readonly clientId: string;
  readonly keyId: string;
  /** PKCS#8 PEM of the key that it authenticates with. */
  readonly privateKeyPem: string;
  readonly answerKeyId: string;
  /** PKCS#8 PEM of the key that it signs answers with. */
  readonly answerKeyPem: string;
}

/** The platform, as carriers know it. */
export interface NodePlatform {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  /** JWK set of receipts. */
  readonly receiptKeys: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  /** By id of the provider. */
  readonly members: Readonly<Record<string, NodeMembership>>;
}

/** What the providers of a network are given beside the plan: keys, certificates, and where servers are. Plain JSON. */
export interface NodeMaterial {
  readonly trust: NodeTrust;
  /** Server of certificates: root of its TLS certificate, and its port on loopback. */
  readonly certificates: { readonly tlsRootPem: string; readonly port: number };
  /** What each provider signs with, by id: where it behaves badly, its faulty credential behind the good one. */
  readonly credentials: Readonly<Record<string, readonly NodeCredential[]>>;
  readonly platform?: NodePlatform;
}
