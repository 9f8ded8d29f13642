import { loadTrustStore } from '@hopback/sdk/stir';
import type { TrustStore, TrustStoreFiles, VerificationService } from '@hopback/sdk/stir';
import { isHopbackError } from '@hopback/sdk/errors';
import { isMain, openLab } from './lab.js';
import { startVerifying } from './verify-invite.js';

/**
 * Takes up a new list of STI-CAs or a new CRL without losing a call, at SIGHUP or when the files change. What cannot be read or
 * is older than what is in use changes nothing: the last good store stays.
 * @param current - the store in use
 * @param report - told why a reload failed
 * @returns the store in use from now on
 */
export async function reload(
  service: VerificationService,
  current: TrustStore,
  options: { readonly files: TrustStoreFiles; readonly report: (why: string) => void },
): Promise<TrustStore> {
  try {
    const next = await loadTrustStore(options.files, { previous: current });
    // Calls under way end by the store that they began with; all others are judged by the new one.
    service.useTrustStore(next);
    return next;
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    options.report(`${error.code}: ${error.message}`);
    return current;
  }
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const current = await loadTrustStore(lab.trust);
  const files = { ...lab.trust, crls: [await lab.put('spoilt.crl', 'nothing')] };
  const next = await reload(service, current, { files, report: (why) => console.log(why) });
  console.log(next === current); // true
  await close();
  await lab.close();
}
