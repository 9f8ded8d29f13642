import { admitEnvelope } from './chain-source.js';
import { envelopeOf, keep, keepAndStore, type Repository } from './repository-state.js';
import type { CertificateCacheExport, CertificateLookup, ImportReport, PreloadReport } from './repository.js';

/** Lookups that run at a time in a preload: fast enough for some hundred URLs, and calls still find free sockets. */
export const PRELOAD_CONCURRENCY = 16;

/** Entries of an import that are parsed before calls have their turn and the disk is waited for: some ten milliseconds of work. */
export const IMPORT_BATCH = 8;

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

/**
 * Admits what another repository exported, at most as many entries as fit (the last ones, which are the newest);
 * what is here and newer stays.
 * @param data - anything out of `JSON.parse`
 * @param nextTurn - resolves after whatever else is due
 */
export async function importChains(
  repository: Repository,
  data: unknown,
  nextTurn: () => Promise<void>,
): Promise<ImportReport> {
  const document =
    typeof data === 'object' && data !== null ? (data as Partial<Record<keyof CertificateCacheExport, unknown>>) : {};
  if (document.format !== 'hopback.certificate-cache.1' || !Array.isArray(document.entries))
    return { imported: 0, rejected: 1 };
  const given = document.entries as readonly unknown[];
  let imported = 0;
  for (const [index, value] of given.slice(-repository.maxEntries).entries()) {
    if (index % IMPORT_BATCH === IMPORT_BATCH - 1) await takeTurn(repository, nextTurn);
    if (repository.closing.signal.aborted) break;
    const admitted = admitEnvelope(value, repository);
    if (admitted === undefined) continue;
    const { url, fetchedAtMs } = admitted.found;
    const present = repository.cache.chain(url)?.lookup ?? (await repository.disk?.load(url));
    if (present !== undefined && present.fetchedAtMs >= fetchedAtMs) continue;
    keepAndStore(repository, admitted);
    imported += 1;
  }
  await takeTurn(repository, nextTurn);
  return { imported, rejected: given.length - imported };
}

/** Takes into memory what the disk holds, where memory has nothing newer. */
export async function restoreChains(repository: Repository): Promise<ImportReport> {
  const report = { imported: 0, rejected: 0 };
  for await (const envelope of repository.disk?.loadAll() ?? []) {
    if (repository.closing.signal.aborted) break;
    const admitted = admitEnvelope(envelope, repository);
    const present = admitted === undefined ? undefined : repository.cache.chain(admitted.found.url);
    if (admitted === undefined || (present?.lookup.fetchedAtMs ?? -1) >= admitted.found.fetchedAtMs) {
      report.rejected += 1;
      continue;
    }
    keep(repository, admitted);
    report.imported += 1;
  }
  return report;
}

/** Lets calls be answered and files be written: no more of them may wait than the disk cache takes. */
async function takeTurn(repository: Repository, nextTurn: () => Promise<void>): Promise<void> {
  await repository.disk?.settled();
  await nextTurn();
}
