import { rename } from 'node:fs/promises';
import { createPassport, TestPki, CertificateServer } from '@hopback/sdk/testing';
import type { PassportOptions, TestServiceProvider } from '@hopback/sdk/testing';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { startSidecarProcess, type SidecarProcess, type SidecarStart } from './sidecar-process.js';

/** Members of a configuration, as a YAML file has them. */
export type ConfigurationMembers = Readonly<Record<string, unknown>>;

/** A provider and where its chain is published. */
export interface PublishedProvider {
  readonly provider: TestServiceProvider;
  readonly x5u: string;
}

/**
 * Makes a folder with everything that `hopback serve` is configured with, and starts the certificate server that calls refer to.
 * @param count - providers; the sidecar signs for the first one
 */
export async function createSidecarFolder({
  count = 1,
  firstSpc = 1_000,
}: { readonly count?: number; readonly firstSpc?: number } = {}) {
  const pki = new TestPki({ nowMs: Date.now() });
  const server = await CertificateServer.start();
  const { path: directory, at: path, write, close } = await createTemporaryDirectory();
  const published = (spc: string): PublishedProvider => {
    const provider = pki.issueServiceProvider({ spc });
    return { provider, x5u: server.publish(`/${spc}.pem`, provider.chainPem) };
  };
  const first = published(String(firstSpc));
  const others = Array.from({ length: count - 1 }, (_, at) => published(String(firstSpc + 1 + at)));
  const providers = [first, ...others] as const;
  /** Puts a file in the place of another in one step, as file rotation does. */
  const put = async (name: string, content: string | Uint8Array): Promise<string> => {
    await rename(await write(`${name}.new`, content), path(name));
    return path(name);
  };
  const usual = usualMembers(server, providers);
  /** Writes hopback.yaml: the usual members, and others in place of them. */
  const configure = async (changes: ConfigurationMembers = {}): Promise<void> =>
    // JSON is YAML.
    void (await put('hopback.yaml', JSON.stringify({ ...usual, ...changes }, null, 2)));
  /** Makes all files what they were at first. */
  const reset = async (): Promise<void> => {
    for (const [name, content] of filesOf(pki, { server, provider: first.provider })) await put(name, content);
    await configure();
  };
  await reset();
  return {
    ...{ pki, providers, server, directory, path, put, configure, reset },
    /** Identity header value of the first provider, fresh. */
    identity: (options: Partial<PassportOptions> = {}): string =>
      createPassport({
        ...{ signer: first.provider, x5u: first.x5u, iatSeconds: Math.floor(Date.now() / 1000), ...options },
      }).identityHeader,
    start: (options: Omit<SidecarStart, 'configurationPath'> = {}): Promise<SidecarProcess> =>
      startSidecarProcess({ configurationPath: path('hopback.yaml'), ...options }),
    async [Symbol.asyncDispose](): Promise<void> {
      await server.close();
      await close();
    },
  };
}

export type SidecarFolder = Awaited<ReturnType<typeof createSidecarFolder>>;

function filesOf(
  pki: TestPki,
  { server, provider }: { readonly server: CertificateServer; readonly provider: TestServiceProvider },
): readonly (readonly [name: string, content: string | Uint8Array])[] {
  return [
    ['root.pem', pki.root.certificatePem],
    ['sti-pa-root.pem', pki.stiPaRoot.certificatePem],
    ['sti-pa.crl', pki.crl().der],
    ['crl-signer.pem', pki.stiPaCrlIssuer.certificatePem],
    ['key.pem', provider.privateKeyPem],
    ['chain.pem', provider.chainPem],
    ['web-root.pem', server.tlsRootPem],
  ];
}

/** Looks at files at SIGHUP alone, so that a test says when. */
function usualMembers(server: CertificateServer, providers: readonly PublishedProvider[]): ConfigurationMembers {
  const [first] = providers;
  return {
    listen: { calls: { port: 0 } },
    trust: {
      ...{ roots: ['root.pem'], stiPaRoots: ['sti-pa-root.pem'] },
      ...{ crls: ['sti-pa.crl'], crlSigners: ['crl-signer.pem'] },
    },
    certificates: {
      ca: 'web-root.pem',
      preload: providers.map(({ x5u }) => x5u),
      allow: { addresses: ['127.0.0.0/8'], ports: Object.values(server.ports) },
    },
    signing: { key: 'key.pem', certificate: 'chain.pem', x5u: first?.x5u },
    reloadSeconds: 0,
  };
}
