import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { LiveRecord, PlatformLog } from '../../harness/src/platform/core/index.js';
import type { BatchIntake } from '../../harness/src/platform/records/batch-intake.js';
import { LiveFeed, type SettlingListener } from '../../harness/src/platform/records/live-feed.js';
import type { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { MACHINE_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import type { PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import { sampleRecord } from './stream-lab.js';
import { SENDING_LEVELS, sharedRecord } from './shared-records.js';

/** When the samples of `sampleRecord` are: milliseconds. */
export const SAMPLES_MS = 1_790_000_000_000;

export const NINETY_DAYS_MS = 90 * 86_400_000;

/** A shared record; each level has its turn. */
export function liveSample(leg: number): SharedRecord {
  return sharedRecord(sampleRecord(leg), SENDING_LEVELS[leg % SENDING_LEVELS.length]!);
}

/** A batch of lines as a carrier sends it. */
export function batchCall(
  lines: readonly unknown[],
  options: {
    readonly providerId?: string;
    readonly encoding?: 'gzip' | 'br';
    readonly atMs?: number;
    readonly batchId?: string;
  } = {},
): Parameters<BatchIntake>[0] {
  const { providerId = 'carrier-1', encoding = 'gzip', atMs = SAMPLES_MS + 60_000 } = options;
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const bytes = encoding === 'gzip' ? gzipSync(text) : brotliCompressSync(text);
  const batchId = options.batchId ?? createHash('sha256').update(text).digest('hex').slice(0, 32);
  return {
    caller: { clientId: 'c', organizationId: providerId, kind: 'carrier', scopes: ['carrier'], name: providerId },
    request: { parameters: { 'ce-id': batchId, 'Idempotency-Key': batchId, 'Content-Encoding': encoding }, bytes },
    atMs,
  };
}

/** What was accepted and rejected, or the code of the problem. */
export function outcome(answer: PlatformAnswer): unknown {
  if (answer.kind === 'problem') return answer.code;
  const { accepted, rejected } = (answer as { value: { accepted: number; rejected: readonly { code: string }[] } })
    .value;
  return rejected.length === 0 ? accepted : [accepted, ...rejected.map(({ code }) => code)];
}

export function keptLog(): PlatformLog & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string, details?: unknown): void =>
    void lines.push(`${message} ${JSON.stringify(details ?? {})}`);
  return { lines, info: keep, warn: keep, error: keep };
}

export function openFeed(directory: string, log: PlatformLog = keptLog()): Promise<LiveFeed> {
  return LiveFeed.open({ context: { clock: MACHINE_CLOCK, log }, directory, keptMs: NINETY_DAYS_MS });
}

export function rememberingListener(
  settled?: () => Promise<boolean | void>,
): SettlingListener & { readonly heard: LiveRecord[] } {
  const heard: LiveRecord[] = [];
  return {
    heard,
    records: (records) => void heard.push(...records),
    report: () => undefined,
    ...(settled !== undefined && { settled }),
  };
}
