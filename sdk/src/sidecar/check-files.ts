import { checkAdmin } from './admin/check-admin.js';
import type { SidecarConfiguration } from './config/configuration.js';
import type { OnNotice } from './services/notice.js';
import { createServicesLoader } from './services/sidecar-services.js';

/**
 * Loads everything that a configuration names, and lets it go: whether a sidecar could start with it. Listens nowhere.
 * @param configuration - as read
 * @param options - the directory of its file, and what opens an encrypted key
 * @returns when everything was loaded
 * @throws {@link HopbackError} for the first thing that cannot be used
 * @see ATIS-1000080, RFC 8226
 * @example
 * ```ts
 * const read = readConfiguration({ text: 'trust: { roots: [nowhere.pem] }' });
 * if (read.status === 'invalid') throw new Error('no configuration');
 * await checkFiles(read.configuration, { directory: '/' }).catch((error) => console.log(error.code)); // storage-failed
 * ```
 */
export async function checkFiles(
  configuration: SidecarConfiguration,
  options: { readonly directory: string; readonly passphrase?: string; readonly onNotice?: OnNotice },
): Promise<void> {
  const { directory, passphrase, onNotice = () => undefined } = options;
  const loader = createServicesLoader({
    ...{ directory, onNotice, clock: { nowMs: Date.now } },
    ...(passphrase !== undefined && { passphrase }),
  });
  try {
    await checkAdmin(configuration, directory);
    await loader.load({ ...configuration, certificates: { ...configuration.certificates, preload: [] } });
  } finally {
    await loader.close();
  }
}
