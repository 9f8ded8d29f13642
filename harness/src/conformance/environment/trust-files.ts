import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCrl, TestPki, TestServiceProvider } from '@hopback/sdk/testing';
import { writePrivate } from '../../laboratory/index.js';
import { trustReadme } from './trust-readme.js';

/** What a service under test is given. */
export interface TrustMaterial {
  readonly pki: TestPki;
  readonly crl: TestCrl;
  /** The list of the policy administrator, JWS compact. */
  readonly list: string;
  /** Root of the TLS certificate of the certificate server, PEM. */
  readonly webRootPem: string;
  readonly signing: TestServiceProvider;
  readonly urls: TrustUrls;
}

/** Where the certificate server has what. */
export interface TrustUrls {
  readonly signingX5u: string;
  readonly crl: string;
  readonly list: string;
  readonly listSigner: string;
}

/** Names of the files. */
export const TRUST_FILES = {
  root: 'sti-ca-root.pem',
  stiPaRoot: 'sti-pa-root.pem',
  crlDer: 'sti-pa-crl.der',
  crlPem: 'sti-pa-crl.pem',
  crlSigner: 'crl-signer.pem',
  list: 'sti-ca-list.jws',
  listSigner: 'list-signer-chain.pem',
  webRoot: 'web-root.pem',
  signingKey: 'signing-key.pem',
  signingChain: 'signing-chain.pem',
  readme: 'README.md',
} as const;

/** Writes the files that the operator of a service copies, and a page that says what each is for. */
export async function writeTrustFiles(folder: string, material: TrustMaterial): Promise<void> {
  const { pki, crl, list, webRootPem, signing, urls } = material;
  const open: readonly (readonly [name: string, content: string | Uint8Array])[] = [
    [TRUST_FILES.root, pki.root.certificatePem],
    [TRUST_FILES.stiPaRoot, pki.stiPaRoot.certificatePem],
    [TRUST_FILES.crlDer, crl.der],
    [TRUST_FILES.crlPem, crl.pem],
    [TRUST_FILES.crlSigner, pki.stiPaCrlIssuer.certificatePem],
    [TRUST_FILES.list, list],
    [TRUST_FILES.listSigner, pki.stiPaSigner.chainPem],
    [TRUST_FILES.webRoot, webRootPem],
    [TRUST_FILES.signingChain, signing.chainPem],
    [TRUST_FILES.readme, trustReadme(urls)],
  ];
  for (const [name, content] of open) await writeFile(join(folder, name), content);
  await writePrivate(join(folder, TRUST_FILES.signingKey), signing.privateKeyPem);
}
