import { scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { createTrustStoreRefresh, loadTrustStore, parseCertificateChain } from '../../stir/index.js';
import type { Certificate, TrustStore, TrustStoreFiles, TrustStoreRefreshService } from '../../stir/index.js';
import type { CertificatesConfiguration, TrustConfiguration } from '../config/configuration.js';
import { pathFrom, readTextFile } from './files.js';
import type { OnNotice } from './notice.js';

/** Whom calls are verified against, as long as it is used. */
export interface TrustPart {
  readonly current: () => TrustStore | undefined;
  /** Looks at its files, or at what is published, again. */
  readonly reload: () => Promise<void>;
  /** Told of each other store from now on. */
  readonly onTrustStore: (listener: (store: TrustStore) => void) => void;
  /** Files that a change of is to be noticed. */
  readonly files: readonly string[];
  readonly close: () => Promise<void>;
}

/** What trust is loaded with. */
export interface LoadTrustOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly certificates: CertificatesConfiguration;
  readonly onNotice: OnNotice;
  /** The store in force: a list that is yet to come replaces it, and nothing else does. */
  readonly current?: TrustStore;
}

/**
 * Loads whom to trust, from files or from where the policy administrator publishes it.
 * @throws {@link HopbackError} of `loadTrustStore` and `createTrustStoreRefresh`
 */
export async function loadTrust(trust: TrustConfiguration, options: LoadTrustOptions): Promise<TrustPart> {
  const { list } = trust;
  return list !== undefined && 'url' in list
    ? publishedTrust({ ...trust, list }, options)
    : trustOfFiles(trust, options);
}

async function trustOfFiles(trust: TrustConfiguration, { directory, clock }: LoadTrustOptions): Promise<TrustPart> {
  const at = (paths: readonly string[]): readonly string[] => paths.map((path) => pathFrom(directory, path));
  const files: TrustStoreFiles = {
    anchors: anchorsOf(trust, directory),
    stiPaRoots: at(trust.stiPaRoots),
    intermediates: at(trust.intermediates),
    crls: at(trust.crls),
    crlSigners: at(trust.crlSigners),
  };
  let store = await loadTrustStore(files, { clock });
  const listeners: ((store: TrustStore) => void)[] = [];
  const anchors = files.anchors.kind === 'files' ? files.anchors.paths : [files.anchors.path];
  return {
    current: () => store,
    async reload() {
      const next = await loadTrustStore(files, { clock, previous: store });
      if (next.version === store.version) return;
      store = next;
      for (const listener of listeners) listener(store);
    },
    onTrustStore: (listener) => listeners.push(listener),
    files: [
      ...anchors,
      ...('signerChainPath' in files.anchors ? [files.anchors.signerChainPath] : []),
      ...[files.stiPaRoots, files.intermediates, files.crls, files.crlSigners].flatMap((paths) => paths ?? []),
    ],
    close: () => Promise.resolve(),
  };
}

function anchorsOf({ list, roots }: TrustConfiguration, directory: string): TrustStoreFiles['anchors'] {
  if (list === undefined || !('path' in list))
    return { kind: 'files', paths: roots.map((path) => pathFrom(directory, path)) };
  return {
    kind: 'sti-pa-list',
    path: pathFrom(directory, list.path),
    ...(list.signerChain !== undefined && { signerChainPath: pathFrom(directory, list.signerChain) }),
  };
}

type Published = TrustConfiguration & {
  readonly list: Extract<NonNullable<TrustConfiguration['list']>, { readonly url: string }>;
};

/** Goes on without a list until there is one: the sidecar is not ready meanwhile. */
async function publishedTrust(trust: Published, options: LoadTrustOptions): Promise<TrustPart> {
  const { directory, clock, certificates, onNotice } = options;
  const read = async (paths: readonly string[]): Promise<readonly Certificate[]> =>
    (await Promise.all(paths.map((path) => certificatesOf(pathFrom(directory, path))))).flat();
  const [stiPaRoots, crlSigners, intermediates] = [
    await read(trust.stiPaRoots),
    await read(trust.crlSigners),
    await read(trust.intermediates),
  ];
  const listeners: ((store: TrustStore) => void)[] = [];
  const { url, crlUrls, cache } = trust.list;
  const refresh: TrustStoreRefreshService = createTrustStoreRefresh({
    ...{ listUrl: url, crlUrls, stiPaRoots, intermediates, clock, random: Math.random },
    ...(crlSigners.length > 0 && { crlSigners }),
    ...(cache !== undefined && { cachePath: pathFrom(directory, cache) }),
    ...(options.current !== undefined && { current: options.current }),
    ...(certificates.allow !== undefined && { allow: certificates.allow }),
    ...(certificates.ca !== undefined && { ca: await readTextFile(pathFrom(directory, certificates.ca)) }),
    schedule: scheduleInBackground,
    onTrustStore(store) {
      for (const listener of listeners) listener(store);
    },
    onProblem: ({ part, detail }) => onNotice({ level: 'warn', part: 'trust', text: `${part}: ${detail}` }),
  });
  return {
    current: refresh.current,
    // Behind everybody's back: a list that is slow to come must not keep anything else waiting.
    reload() {
      void refresh.refresh();
      return Promise.resolve();
    },
    onTrustStore: (listener) => listeners.push(listener),
    files: [...trust.stiPaRoots, ...trust.crlSigners, ...trust.intermediates].map((path) => pathFrom(directory, path)),
    close: refresh.close,
  };
}

async function certificatesOf(path: string): Promise<readonly Certificate[]> {
  const parsed = parseCertificateChain(await readTextFile(path));
  if (parsed.status === 'parsed') return parsed.chain;
  throw new HopbackError('trust-list-rejected', `${path} holds no certificates: ${parsed.detail}`);
}
