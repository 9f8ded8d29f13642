import { HopbackError } from '../../errors.js';
import {
  createReceiptVerifier,
  createLocalAnswerSigner,
  readTracebackPolicy,
  readTrunkDirectory,
} from '../../traceback/index.js';
import type { CarrierPlatform } from '../../traceback/index.js';
import type { SidecarConfiguration, TracebacksConfiguration } from '../config/configuration.js';
import { usableTls } from '../http/listen.js';
import { readAccounts } from '../review/index.js';
import { pathFrom, readSecretFile, readTextFile } from '../services/files.js';
import { readJsonFile } from './json-file.js';
import { recordPlatform, recordSources } from './open-records.js';

/**
 * Reads all files that listeners, records and tracebacks name, and lets them go. Opens no folder and listens nowhere.
 * @throws {@link HopbackError} for the first thing that cannot be used
 */
export async function checkAdmin(
  { listen, records, tracebacks, signing }: SidecarConfiguration,
  directory: string,
): Promise<void> {
  for (const listener of [listen.calls, listen.admin])
    if (listener?.tls !== undefined) await usableTls(listener.tls, directory);
  if (records !== undefined) await recordSources(records, directory);
  if (records?.platform !== undefined) await (await recordPlatform(records.platform, directory)).transport.close();
  if (tracebacks !== undefined) await checkTracebacks(tracebacks, { directory, certificate: signing?.certificate });
}

async function checkTracebacks(
  tracebacks: TracebacksConfiguration,
  { directory, certificate }: { readonly directory: string; readonly certificate: string | undefined },
): Promise<void> {
  const at = (path: string): string => pathFrom(directory, path);
  const { zone, trunks, policy, answerKey, platform, accounts, webhookSecrets } = tracebacks;
  if (!isZone(zone)) throw new HopbackError('invalid-configuration', `tracebacks.zone: there is no zone ${zone}`);
  readTrunkDirectory(await readJsonFile(at(trunks)));
  if (policy !== undefined) readTracebackPolicy(await readJsonFile(at(policy)), { at: policy });
  await createLocalAnswerSigner({
    privateKeyPem: await readTextFile(at(answerKey.key)),
    keyId: answerKey.keyId,
    ...(certificate !== undefined && { callSigningKeysPem: [await readTextFile(at(certificate))] }),
  });
  await readTextFile(at(platform.key));
  // createReceiptVerifier checks every key of it.
  createReceiptVerifier((await readJsonFile(at(platform.receiptKeys))) as CarrierPlatform['receiptKeys']);
  if (accounts !== undefined) readAccounts(await readTextFile(at(accounts)));
  if (webhookSecrets !== undefined) await readSecretFile(at(webhookSecrets));
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
