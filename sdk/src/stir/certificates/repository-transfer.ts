import { envelopeOf, keepAndStore, type Repository } from './repository-state.js';
import { admitEnvelope } from './chain-source.js';
import type { CertificateCacheExport, CertificateLookup, ImportReport, PreloadReport } from './repository.js';

/** Lookups that run at a time in a preload: fast enough for some hundred URLs, and calls still find free sockets. */
export const PRELOAD_CONCURRENCY = 16;

/** Most entries that one import reads: as many as a repository keeps. */
export const MAX_EXPORT_ENTRIES = 100_000;

/** Looks up every URL once, some at a time. */
export async function preloadChains(
  lookup: (url: string) => Promise<CertificateLookup>,
  urls: readonly string[],
): Promise<PreloadReport> {
  const failures: PreloadReport['failures'][number][] = [];
  const waiting = [...new Set(urls)].values();
  let found = 0;
  const worker = async (): Promise<void> => {
    for (const url of waiting) {
      const result = await lookup(url);
      if (result.status === 'found') found += 1;
      else failures.push(result);
    }
  };
  await Promise.all(Array.from({ length: PRELOAD_CONCURRENCY }, worker));
  return { found, failures };
}

/** Every chain in memory as an envelope. */
export function exportChains(repository: Repository): CertificateCacheExport {
  const entries = [...repository.cache.chains()].flatMap((entry) => envelopeOf(entry) ?? []);
  return { format: 'hopback.certificate-cache.1', exportedAtMs: repository.clock.nowMs(), entries };
}

/** Admits what another repository exported; what is here and newer stays. */
export function importChains(repository: Repository, data: unknown): ImportReport {
  const document =
    typeof data === 'object' && data !== null ? (data as Partial<Record<keyof CertificateCacheExport, unknown>>) : {};
  if (document.format !== 'hopback.certificate-cache.1' || !Array.isArray(document.entries))
    return { imported: 0, rejected: 1 };
  let imported = 0;
  const entries = document.entries.slice(0, MAX_EXPORT_ENTRIES) as unknown[];
  for (const value of entries) {
    const admitted = admitEnvelope(value, repository);
    const present = admitted === undefined ? undefined : repository.cache.chain(admitted.found.url);
    if (admitted === undefined || (present !== undefined && present.lookup.fetchedAtMs >= admitted.found.fetchedAtMs))
      continue;
    keepAndStore(repository, admitted);
    imported += 1;
  }
  return { imported, rejected: document.entries.length - imported };
}
