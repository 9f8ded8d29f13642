import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestPki, CertificateServer } from '@hopback/sdk/testing';
import { isMain } from './lab.js';

/** A carrier's folder: what `hopback serve` needs to verify and to sign, with a certificate that a server on loopback publishes. */
export interface SidecarLab {
  readonly close: () => Promise<void>;
  /** Path of the configuration of `hopback serve`. */
  readonly configurationPath: string;
}

/** Writes the folder, whose certificates are for today, and serves its certificate until it is disposed of. */
export async function openSidecarLab(folder: string): Promise<SidecarLab> {
  const pki = new TestPki({ nowMs: Date.now() });
  const { chainPem, privateKeyPem } = pki.issueServiceProvider({ spc: '1234' });
  const server = await CertificateServer.start();
  const x5u = server.publish('/1234.pem', chainPem);
  await mkdir(folder, { recursive: true });
  const files = {
    'sti-ca-roots.pem': pki.root.certificatePem,
    'sti-pa-root.pem': pki.stiPaRoot.certificatePem,
    'sti-pa.crl': pki.crl().pem,
    'crl-signer.pem': pki.stiPaCrlIssuer.chainPem,
    'signing-key.pem': privateKeyPem,
    'signing-chain.pem': chainPem,
    'tls-root.pem': server.tlsRootPem,
    'hopback.yaml': configurationOf(x5u, server.ports.https),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  return { configurationPath: join(folder, 'hopback.yaml'), close: () => server.close() };
}

/** Nobody fetches from loopback, unless told to. */
const configurationOf = (x5u: string, port: number): string => `# Paths begin at the directory of this file.
trust: { roots: [sti-ca-roots.pem], stiPaRoots: [sti-pa-root.pem], crls: [sti-pa.crl], crlSigners: [crl-signer.pem] }
certificates: { ca: tls-root.pem, allow: { addresses: [127.0.0.0/8], ports: [${String(port)}] } }
signing: { key: signing-key.pem, certificate: signing-chain.pem, x5u: '${x5u}' }
trunks:
  default: { role: terminating, failureAction: reject_request }
`;

if (isMain(import.meta.url)) {
  const [, , given] = process.argv;
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'hopback-example-')));
  const lab = await openSidecarLab(folder);
  console.log('a carrier is in', given ?? 'a folder of its own'); // a carrier is in a folder of its own
  // With a folder it stays, for whoever fetches the certificate.
  if (given !== undefined) await once(process, 'SIGINT');
  else await rm(folder, { recursive: true });
  await lab.close();
}
