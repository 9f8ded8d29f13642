import { join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import type { RecordIntake } from '../../records/index.js';
import { readTracebackPolicy } from '../../traceback/index.js';
import type { CarrierPlatform } from '../../traceback/index.js';
import type { SidecarConfiguration, TracebacksConfiguration } from '../config/configuration.js';
import { openReviewAudit, openTracebackDesk, readAccounts } from '../review/index.js';
import type { Accounts, ReviewAuditFile, TracebackDesk, TracebackDeskOptions } from '../review/index.js';
import { pathFrom, readSecretFile, readTextFile } from '../services/files.js';
import { causeText } from '../services/notice.js';
import type { OnNotice } from '../services/notice.js';
import { readJsonFile } from './json-file.js';

/** The desk, and what it is made of beside. */
export interface Tracebacks {
  readonly desk: TracebackDesk;
  /** Reads accounts and secrets of webhooks again. @returns puts them in force @throws {@link HopbackError} when they cannot be used */
  readonly prepare: () => Promise<() => void>;
  /** Files of accounts and secrets. */
  readonly files: readonly string[];
  readonly close: () => Promise<void>;
}

/** What tracebacks are opened with. */
export interface OpenTracebacksOptions {
  readonly configuration: SidecarConfiguration;
  readonly directory: string;
  readonly clock: Clock;
  readonly intake: RecordIntake;
  readonly onNotice: OnNotice;
}

/**
 * Opens the desk at which tracebacks are answered, as a configuration describes it.
 * @throws {@link HopbackError} for a key, policy, directory or folder that cannot be used
 */
export async function openTracebacks(
  tracebacks: TracebacksConfiguration,
  options: OpenTracebacksOptions,
): Promise<Tracebacks> {
  const { directory, onNotice } = options;
  const at = (path: string): string => pathFrom(directory, path);
  const kept = await readKept(tracebacks, directory);
  const audit =
    tracebacks.accounts === undefined
      ? undefined
      : await openReviewAudit(join(at(tracebacks.directory), 'review-audit.jsonl'));
  const desk = await openTracebackDesk({
    ...(await deskOptions(tracebacks, options)),
    ...(tracebacks.webhookSecrets !== undefined && { webhooks: { secrets: () => kept.secrets } }),
    ...(audit !== undefined && {
      review: reviewOptions(options, { tracebacks, audit, accounts: () => kept.accounts }),
    }),
    onProblem: (error) => onNotice({ level: 'warn', part: 'tracebacks', text: causeText(error) }),
  }).catch(async (error: unknown) => {
    await audit?.close();
    throw error;
  });
  return {
    desk,
    async prepare() {
      const next = await readKept(tracebacks, directory);
      return () => void Object.assign(kept, next);
    },
    files: [tracebacks.webhookSecrets, tracebacks.accounts].flatMap((path) => (path === undefined ? [] : [at(path)])),
    async close() {
      await desk.close();
      await audit?.close();
    },
  };
}

/** What is read again while the desk is open. */
interface Kept {
  accounts: Accounts;
  secrets: readonly string[];
}

async function readKept({ accounts, webhookSecrets }: TracebacksConfiguration, directory: string): Promise<Kept> {
  const secrets = webhookSecrets === undefined ? '' : await readSecretFile(pathFrom(directory, webhookSecrets));
  return {
    accounts: accounts === undefined ? new Map() : readAccounts(await readTextFile(pathFrom(directory, accounts))),
    secrets: secrets
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  };
}

async function deskOptions(
  { provider, zone, trunks, policy, answerKey, platform, directory: folder }: TracebacksConfiguration,
  { directory, intake, configuration: { signing } }: OpenTracebacksOptions,
): Promise<TracebackDeskOptions> {
  const at = (path: string): string => pathFrom(directory, path);
  const { baseUrl, clientId, keyId } = platform;
  return {
    ...{ directory: at(folder), provider, zone, store: intake.store },
    trunks: await readJsonFile(at(trunks)),
    ...(policy !== undefined && { policy: readTracebackPolicy(await readJsonFile(at(policy)), { at: policy }) }),
    answerKey: {
      privateKeyPem: await readTextFile(at(answerKey.key)),
      keyId: answerKey.keyId,
      // Whoever holds the key of the switch must not be able to speak for the provider.
      ...(signing !== undefined && { callSigningKeysPem: [await readTextFile(at(signing.certificate))] }),
    },
    platform: {
      ...{ baseUrl, clientId, keyId },
      key: await readTextFile(at(platform.key)),
      // createReceiptVerifier checks every key of it.
      receiptKeys: (await readJsonFile(at(platform.receiptKeys))) as CarrierPlatform['receiptKeys'],
    },
  };
}

function reviewOptions(
  { configuration: { listen }, clock, onNotice }: OpenTracebacksOptions,
  {
    tracebacks: { origin, proxy },
    audit,
    accounts,
  }: {
    readonly tracebacks: TracebacksConfiguration;
    readonly audit: ReviewAuditFile;
    readonly accounts: () => Accounts;
  },
): NonNullable<TracebackDeskOptions['review']> {
  return {
    ...{ accounts, clock, audit: audit.write },
    isSecure: listen.admin?.tls !== undefined || origin?.startsWith('https://') === true,
    ...(origin !== undefined && { origin }),
    ...(proxy !== undefined && { proxy }),
    onFailed: (cause) => onNotice({ level: 'error', part: 'review', text: causeText(cause) }),
  };
}
