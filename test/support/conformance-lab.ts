import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConformanceEnvironment, TRUST_FILES } from '@hopback/harness/conformance';
import type { ConformanceEnvironment } from '@hopback/harness/conformance';
import { stringify } from 'yaml';
import { startSidecar } from '../../sdk/src/sidecar/index.js';

/** Opens the environment of a conformance run in a folder of its own. */
export async function openConformanceLab() {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-conformance-'));
  const environment = await openConformanceEnvironment({ folder });
  const path = (name: string): string => join(folder, name);
  const closing: (() => Promise<void>)[] = [];
  return {
    ...{ environment, path },
    /** Starts a sidecar that was given the trust files, as the guide says, on a free port; closed with the laboratory. */
    async startSidecar(): Promise<string> {
      await writeFile(path('hopback.yaml'), stringify(sidecarConfiguration(environment)), { mode: 0o600 });
      const sidecar = await startSidecar({ configurationPath: path('hopback.yaml'), onNotice: () => undefined });
      closing.push(() => sidecar.close());
      return `http://127.0.0.1:${String(sidecar.calls.port)}`;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const close of closing) await close();
      await environment.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type ConformanceLab = Awaited<ReturnType<typeof openConformanceLab>>;

/** As docs/guides/conformance.md has it. */
export const sidecarConfiguration = ({ server, urls }: ConformanceEnvironment): object => ({
  listen: { calls: { port: 0 } },
  trust: {
    ...{ roots: [TRUST_FILES.root], stiPaRoots: [TRUST_FILES.stiPaRoot] },
    ...{ crls: [TRUST_FILES.crlDer], crlSigners: [TRUST_FILES.crlSigner] },
  },
  certificates: {
    ca: TRUST_FILES.webRoot,
    allow: { addresses: ['127.0.0.0/8'], ports: Object.values(server.ports) },
  },
  // Of a machine that tests share; a repository that is silent takes all of it.
  verification: { timeBudgetMs: 8_000 },
  signing: { key: TRUST_FILES.signingKey, certificate: TRUST_FILES.signingChain, x5u: urls.signingX5u },
  answers: { attestation: true },
  reloadSeconds: 0,
  drainSeconds: 5,
});
