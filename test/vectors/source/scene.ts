import { createPassport, createPassportFaultContext, createTestPki, TEST_NOW_MS } from '@hopback/sdk/testing';
import type { PassportFaultContext, PassportOptions, TestCertificate, TestPki } from '@hopback/sdk/testing';

/** The certificates and the call that all vectors are made from. Keys are random; dates hang on the vectors' own time. */
export interface Scene {
  readonly pki: TestPki;
  /** A provider with SPC 1234, and the right call it signs. */
  readonly context: PassportFaultContext;
  /** Another provider, SPC 5678, which diverts calls. */
  readonly diverting: Published;
  /** Files to be written below test/vectors, by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly publish: (name: string, certificate: TestCertificate, chainPem?: string) => Published;
  readonly writeFile: (path: string, text: string) => string;
}

/** A certificate that an x5u URL serves. */
export interface Published {
  readonly signer: TestCertificate;
  readonly x5u: string;
  /** Path below test/vectors. */
  readonly chain: string;
}

export const NOW_MS: number = TEST_NOW_MS;
export const NOW_SECONDS: number = TEST_NOW_MS / 1000;
export const ROOT_PATH = 'pki/root.pem';
export const STI_PA_ROOT_PATH = 'pki/sti-pa-root.pem';
export const CRL_SIGNER_PATH = 'pki/sti-pa-crl-signer.pem';
export const CRL_PATH = 'pki/sti-pa.crl.pem';

export async function createScene(): Promise<Scene> {
  const pki = await createTestPki({ nowMs: NOW_MS, label: 'Vector' });
  const files = new Map<string, string>();
  const writeFile = (path: string, text: string): string => {
    if (files.has(path)) throw new Error(`${path} is written twice`);
    files.set(path, text);
    return path;
  };
  const publish = (name: string, signer: TestCertificate, chainPem: string = signer.chainPem): Published => ({
    signer,
    x5u: `https://certs.provider.example/${name}.pem`,
    chain: writeFile(`pki/${name}.pem`, chainPem),
  });
  writeFile(ROOT_PATH, pki.root.certificatePem);
  writeFile(STI_PA_ROOT_PATH, pki.stiPaRoot.certificatePem);
  writeFile(CRL_SIGNER_PATH, pki.stiPaCrlIssuer.certificatePem);
  writeFile(CRL_PATH, pki.crl().pem);
  const { signer, x5u } = publish('sp-1234', pki.issueServiceProvider({ spc: '1234' }));
  const diverting = publish('sp-5678', pki.issueServiceProvider({ spc: '5678' }));
  const context = createPassportFaultContext({ signer, x5u, nowMs: NOW_MS });
  return { pki, context, diverting, files, publish, writeFile };
}

/** Identity header of the right call with changes, signed by the provider of the scene or another. */
export function identityHeader(scene: Scene, changes: Partial<PassportOptions> = {}, by?: Published): string {
  const { origTn, destTn, origId, nowSeconds } = scene.context;
  const { signer, x5u } = by ?? scene.context;
  return createPassport({ signer, x5u, origTn, destTn, origId, iatSeconds: nowSeconds, ...changes }).identityHeader;
}
