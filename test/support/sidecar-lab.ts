import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPassport, createTestPki, startCertificateServer } from '@hopback/sdk/testing';
import type { CertificateServer, PassportOptions, TestPki, TestServiceProvider } from '@hopback/sdk/testing';
import { stringify } from 'yaml';
import { startSidecar } from '../../sdk/src/sidecar/index.js';
import type { Sidecar, SidecarNotice, SidecarOptions } from '../../sdk/src/sidecar/index.js';

/** A folder with all that a sidecar is configured with, and the certificate server of a provider, on loopback. */
export interface SidecarLab extends AsyncDisposable {
  readonly directory: string;
  readonly configurationPath: string;
  readonly pki: TestPki;
  readonly provider: TestServiceProvider;
  readonly server: CertificateServer;
  readonly x5u: string;
  /** What was noticed, of all sidecars. */
  readonly notices: readonly SidecarNotice[];
  /** What a configuration has; members of `more` stand in for those of it. */
  readonly configure: (more?: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Makes all files what they were at first. */
  readonly reset: () => Promise<void>;
  /** Writes a file into the folder. */
  readonly write: (name: string, content: string | Uint8Array) => Promise<void>;
  /** Starts a sidecar on a free port; closed with the laboratory. */
  readonly start: (options?: Partial<SidecarOptions>) => Promise<Sidecar>;
  /** An Identity header value, signed now. */
  readonly identity: (options?: Partial<PassportOptions>) => string;
}

export async function openSidecarLab(): Promise<SidecarLab> {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-sidecar-'));
  const pki = await createTestPki({ nowMs: Date.now() });
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const server = await startCertificateServer();
  const x5u = server.publish('/1234.pem', provider.chainPem);
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeFile(join(directory, name), content, { mode: 0o600 });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'root.pem': pki.root.certificatePem,
    'sti-pa.pem': pki.stiPaRoot.certificatePem,
    'crl-signer.pem': pki.stiPaCrlIssuer.certificatePem,
    'crl.der': pki.crl().der,
    'web-ca.pem': server.tlsRootPem,
    'key.pem': provider.privateKeyPem,
    'chain.pem': provider.chainPem,
  };
  const configuration = {
    listen: { calls: { port: 0 } },
    trust: { roots: ['root.pem'], stiPaRoots: ['sti-pa.pem'], crls: ['crl.der'], crlSigners: ['crl-signer.pem'] },
    certificates: { ca: 'web-ca.pem', allow: { addresses: ['127.0.0.0/8'], ports: [server.ports.https] } },
    // Machines of tests may be busy: what is late by the clock is no matter of what is tested.
    verification: { timeBudgetMs: 20_000 },
    signing: { key: 'key.pem', certificate: 'chain.pem', x5u },
    reloadSeconds: 0,
    drainSeconds: 5,
  };
  const configurationPath = join(directory, 'hopback.yaml');
  const notices: SidecarNotice[] = [];
  const started: Sidecar[] = [];
  const configure = (more: Readonly<Record<string, unknown>> = {}): Promise<void> =>
    write('hopback.yaml', stringify({ ...configuration, ...more }));
  const reset = async (): Promise<void> => {
    for (const [name, content] of Object.entries(files)) await write(name, content);
    await configure();
  };
  await reset();
  return {
    ...{ directory, configurationPath, pki, provider, server, x5u, notices, configure, write, reset },
    async start(options = {}) {
      const onNotice = (notice: SidecarNotice): void => void notices.push(notice);
      const sidecar = await startSidecar({ configurationPath, onNotice, ...options });
      started.push(sidecar);
      return sidecar;
    },
    identity: (options = {}) =>
      createPassport({ signer: provider, x5u, iatSeconds: Math.floor(Date.now() / 1_000), ...options }).identityHeader,
    async [Symbol.asyncDispose]() {
      for (const sidecar of started) await sidecar.close();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An answer as a client has it. */
export interface SidecarAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends a request to the call listener of a sidecar. */
export async function ask(
  sidecar: Sidecar,
  path: string,
  request: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): Promise<SidecarAnswer> {
  const response = await fetch(`http://127.0.0.1:${String(sidecar.calls.port)}${path}`, request);
  return { status: response.status, headers: response.headers, text: await response.text() };
}
