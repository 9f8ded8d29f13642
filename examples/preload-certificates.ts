import { CertificateRepository } from '@hopback/sdk/stir';
import type { CertificateCacheExport, CertificateRepositoryOptions } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';

/**
 * Before a verifier takes calls: fetch the certificates of the providers that it will hear from, keep them on disk, and hand
 * them on, so that the machines beside it need not fetch them too.
 * @param x5uUrls - from yesterday's records, for one
 * @param options - the directory of the cache
 */
export async function warmUp(
  x5uUrls: readonly string[],
  options: CertificateRepositoryOptions,
): Promise<{
  readonly report: Awaited<ReturnType<CertificateRepository['preload']>>;
  readonly handOn: CertificateCacheExport;
}> {
  const repository = new CertificateRepository(options);
  const report = await repository.preload(x5uUrls);
  const handOn = repository.export();
  await repository.close();
  // Those that failed are left alone for a while; calls from them are indeterminate, not delayed.
  return { report, handOn };
}

/** On the next machine: every chain is checked as if it had been fetched. Importing does not make it trusted. */
export async function takeOver(data: unknown, options: CertificateRepositoryOptions): Promise<number> {
  const repository = new CertificateRepository(options);
  const { imported } = await repository.import(data);
  await repository.close();
  return imported;
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { report, handOn } = await warmUp([lab.x5u], lab.repository);
  console.log(report.found, await takeOver(handOn, lab.repository)); // 1 1
  await lab.close();
}
