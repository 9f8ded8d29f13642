import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseCertificateChain } from '@hopback/sdk/stir';
import type { Certificate, CertificateRepositoryOptions, TrustStoreFiles } from '@hopback/sdk/stir';
import { createPassport, TestPki, sampleInvite, CertificateServer } from '@hopback/sdk/testing';
import type { TestServiceProvider } from '@hopback/sdk/testing';

/** The world that the examples run in: a provider, its certificate on a server on loopback, and what a verifier trusts, as files. */
export interface Lab {
  readonly close: () => Promise<void>;
  readonly provider: TestServiceProvider;
  readonly chain: readonly Certificate[];
  readonly x5u: string;
  readonly trust: TrustStoreFiles;
  /** Nobody fetches from loopback, unless told to. */
  readonly repository: Pick<CertificateRepositoryOptions, 'allow' | 'ca'>;
  readonly identityHeader: string;
  /** An INVITE that carries it; another caller than 12025550101 did not sign it. */
  readonly invite: (origTn?: string) => string;
  readonly put: (name: string, content: string | Uint8Array) => Promise<string>;
}

/** Made for today: the examples go by the clock on the wall. */
export async function openLab(): Promise<Lab> {
  const nowMs = Date.now();
  const pki = new TestPki({ nowMs });
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const server = await CertificateServer.start();
  const x5u = server.publish('/1234.pem', provider.chainPem);
  const { identityHeader } = createPassport({ signer: provider, x5u, iatSeconds: Math.floor(nowMs / 1000) });
  const directory = await mkdtemp(join(tmpdir(), 'hopback-example-'));
  const put: Lab['put'] = async (name, content) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  };
  const parsed = parseCertificateChain(provider.chainPem);
  const trust: TrustStoreFiles = {
    anchors: { kind: 'files', paths: [await put('sti-ca-roots.pem', pki.root.certificatePem)] },
    crls: [await put('sti-pa.crl', pki.crl().der)],
    crlSigners: [await put('crl-signer.pem', pki.stiPaCrlIssuer.certificatePem)],
    stiPaRoots: [await put('sti-pa-root.pem', pki.stiPaRoot.certificatePem)],
  };
  const repository = { allow: { addresses: ['127.0.0.0/8'], ports: [server.ports.https] }, ca: server.tlsRootPem };
  const invite: Lab['invite'] = (origTn = '12025550101') =>
    sampleInvite({ identityHeaders: [identityHeader], origTn, dateMs: nowMs });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  };
  const chain = parsed.status === 'parsed' ? parsed.chain : [];
  return { provider, chain, x5u, trust, repository, identityHeader, invite, put, close };
}

/** Whether a file is the program that Node was started with. */
export function isMain(url: string): boolean {
  return url === pathToFileURL(process.argv[1] ?? '').href;
}
