import { Sidecar, type SidecarNotice, type SidecarOptions } from '../../sdk/src/sidecar/index.js';
import { createSidecarFolder, type ConfigurationMembers } from './sidecar-folder.js';

/** A folder with all that a sidecar is configured with, and sidecars in this process, closed with it. */
export async function openSidecarLab() {
  const folder = await createSidecarFolder({ firstSpc: 1_234 });
  const { pki, server, directory, identity, put } = folder;
  const configurationPath = folder.path('hopback.yaml');
  const notices: SidecarNotice[] = [];
  const started: Sidecar[] = [];
  const configure = (more: ConfigurationMembers = {}): Promise<void> =>
    folder.configure({
      certificates: { ca: 'web-root.pem', allow: { addresses: ['127.0.0.0/8'], ports: [server.ports.https] } },
      // Machines of tests may be busy: what is late by the clock is no matter of what is tested.
      ...{ verification: { timeBudgetMs: 20_000 }, drainSeconds: 5, ...more },
    });
  const reset = async (): Promise<void> => {
    await folder.reset();
    await configure();
  };
  await configure();
  return {
    ...{ pki, server, directory, identity, configurationPath, configure, reset, write: put },
    ...folder.providers[0],
    notices: notices as readonly SidecarNotice[],
    /** Starts a sidecar on a free port. */
    async start(options: Partial<SidecarOptions> = {}): Promise<Sidecar> {
      const onNotice = (notice: SidecarNotice): void => void notices.push(notice);
      const sidecar = await Sidecar.start({ configurationPath, onNotice, ...options });
      started.push(sidecar);
      return sidecar;
    },
    async [Symbol.asyncDispose]() {
      for (const sidecar of started) await sidecar.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Sends a request to the call listener of a sidecar. */
export async function ask(sidecar: Sidecar, path: string, request: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${String(sidecar.calls.port)}${path}`, request);
  return { status: response.status, headers: response.headers, text: await response.text() };
}
