import { CertificateRepository } from '@hopback/sdk/stir';
import type { CertificateCacheExport, CertificateRepositoryOptions } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';

/**
 * Before a verifier takes calls: fetch the certificates of the providers that it will hear from, keep them on disk, and hand
 * them on, so that the machines beside it need not fetch them too.
 * @param x5uUrls - from yesterday's records, for one
 * @param options - directory of the cache and clock
 */
export async function warmUp(
  x5uUrls: readonly string[],
  options: CertificateRepositoryOptions,
): Promise<{
  readonly report: Awaited<ReturnType<CertificateRepository['preload']>>;
  readonly handOn: CertificateCacheExport;
}> {
  await using repository = new CertificateRepository(options);
  const report = await repository.preload(x5uUrls);
  // Those that failed are left alone for a while; calls from them are indeterminate, not delayed.
  return { report, handOn: repository.export() };
}

/** On the next machine: every chain is checked as if it had been fetched. Importing does not make it trusted. */
export async function takeOver(data: unknown, options: CertificateRepositoryOptions): Promise<number> {
  await using repository = new CertificateRepository(options);
  return (await repository.import(data)).imported;
}

if (isMain(import.meta.url)) {
  await using lab = await openLab();
  const options = { clock: { nowMs: Date.now }, ...lab.repository };
  const { report, handOn } = await warmUp([lab.x5u], options);
  console.log(report.found, await takeOver(handOn, options)); // 1 1
}
