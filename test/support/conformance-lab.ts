import { ConformanceEnvironment, TRUST_FILES } from '@hopback/harness/conformance';
import { stringify } from 'yaml';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { Sidecar } from '../../sdk/src/sidecar/index.js';

/** Opens the environment of a conformance run in a folder of its own. */
export async function openConformanceLab() {
  const folder = await createTemporaryDirectory();
  const environment = await ConformanceEnvironment.open({ folder: folder.path });
  const closing: (() => Promise<void>)[] = [];
  return {
    ...{ environment, path: folder.at, write: folder.write },
    /** Starts a sidecar that was given the trust files, as the guide says, on a free port; closed with the laboratory. */
    async startSidecar(): Promise<string> {
      const configurationPath = await folder.write('hopback.yaml', stringify(sidecarConfiguration(environment)));
      const sidecar = await Sidecar.start({ configurationPath, onNotice: () => undefined });
      closing.push(() => sidecar.close());
      return `http://127.0.0.1:${String(sidecar.calls.port)}`;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const close of closing) await close();
      await environment.close();
      await folder.close();
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
