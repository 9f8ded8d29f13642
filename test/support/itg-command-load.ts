import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { createTestKey } from '@hopback/sdk/testing';
import { FIRST_OPERATOR_CLIENT } from '../../harness/src/platform/index.js';
import type { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import type { RequestAuthorization } from '../../sdk/src/platform/retry.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import { freePort } from './free-port.js';
import { startPlatformCommand } from './itg-command.js';
import { liveCall } from './itg-live-calls.js';

const CARRIER = 'carrier-1';
const KEY_ID = 'key-1';
const LOOK_MS = 10;
/** Clock ticks of Linux in a second, as `/proc` counts them. */
const TICKS = 100;
const BATCH = 500;
/** Batches on their way at once. */
const SENDERS = 3;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 } };
const RETRY_MS = 100;

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts `hopback-harness platform` on a folder, at a port, and waits until it answers.
 * @param asked - 0 for one that is free now
 * @throws Error where it ends before
 */
export async function startCommandPlatform(directory: string, asked: number, nodeOptions?: string) {
  const port = asked === 0 ? await freePort() : asked;
  const startedMs = performance.now();
  const process = startPlatformCommand(['--directory', directory, '--port', String(port)], {
    ...(nodeOptions !== undefined && { NODE_OPTIONS: nodeOptions }),
  });
  const url = `http://127.0.0.1:${port}`;
  let isOver = false;
  void process.ended.then(() => (isOver = true));
  for (;;) {
    const answered = await fetch(`${url}/livez`).catch(() => undefined);
    if (answered?.status === 200) break;
    if (isOver) throw new Error(`the platform ended: ${process.errors()}`);
    await rest(LOOK_MS);
  }
  const { pid } = process;
  return {
    ...process,
    ...{ url, port },
    /** From the start of the process to the first answer over HTTP, milliseconds. */
    answeredMs: performance.now() - startedMs,
    rssMb: (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024,
    /** Processor time of all its threads, seconds. */
    cpuSeconds: (): number => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS;
    },
  };
}

/** A platform as its command starts it, in a folder, and what the system says of its process. */
export type CommandPlatform = Awaited<ReturnType<typeof startCommandPlatform>>;

/** Registers a carrier as an operator does. @returns the credential that it sends records with */
export async function registerCarrier(directory: string, { url }: Pick<CommandPlatform, 'url'>) {
  const tokenUrl = `${url}/oauth/token`;
  const operator = await privateKeyJwt({
    ...{ tokenUrl, clientId: FIRST_OPERATOR_CLIENT, keyId: 'operator-1' },
    key: readFileSync(join(directory, 'keys', 'operator.pem'), 'utf8'),
  });
  const fields = await operator.fields({ method: 'POST', url }, AbortSignal.timeout(60_000));
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { ...fields, 'content-type': 'application/json' };
    const { status } = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (status !== 201) throw new Error(`${path} was answered with ${status}`);
  };
  const { privateKeyPem: key, publicKeyJwk } = createTestKey();
  const clientId = `${CARRIER}-1`;
  await post('/v1/organizations', { organizationId: CARRIER, kind: 'carrier', name: 'Example' });
  await post('/v1/clients', {
    ...{ clientId, organizationId: CARRIER, name: 'Switch' },
    keys: [{ jwk: { ...publicKeyJwk, kid: KEY_ID } }],
  });
  return privateKeyJwt({ tokenUrl, clientId, keyId: KEY_ID, key });
}

/** Ordinary calls: as many calling numbers as calls, half of which come again; hundreds of trunks and signers. */
function ordinaryRecord(at: number, atMs: number): SharedRecord {
  const spread = Math.imul(at % 3 === 0 ? at : at >>> 1, 0x9e37_79b1) >>> 0;
  const { record } = liveCall({
    ...{ at, atMs, isSuspected: false, trunk: `trunk-${String(at % 150)}`, upstream: `Provider ${String(at % 90)}` },
    ...{ spc: `${String(100 + (at % 400))}A`, attestation: 'B', seconds: (at * 7) % 200 },
    calling: `1${String(200 + (spread % 700))}${String(2_000_000 + ((spread >>> 8) % 7_000_000))}`,
    called: `1${String(200 + (at % 700))}${String(2_000_000 + ((at * 7_919) % 7_000_000))}`,
  });
  return { ...record, callGroupId: `call-${String(at)}@192.0.2.10` };
}

/**
 * Sends ordinary records to a platform, as a carrier does that has them waiting: their calls are of the last minutes.
 * @param onSent - is told from time to time how many are acknowledged
 */
export async function sendOrdinaryRecords(
  { url }: Pick<CommandPlatform, 'url'>,
  authorization: RequestAuthorization,
  by: {
    readonly from: number;
    readonly to: number;
    readonly overMs: number;
    readonly onSent?: (count: number) => void;
  },
): Promise<void> {
  const transport = createHttpsRecordTransport({ url: `${url}/v1/record-batches`, authorization });
  const beganMs = Date.now() - by.overMs;
  const stepMs = by.overMs / (by.to - by.from);
  let next = by.from;
  const send = async (): Promise<void> => {
    while (next < by.to) {
      const from = next;
      const to = Math.min(by.to, (next += BATCH));
      let lines = '';
      for (let at = from; at < to; at += 1)
        lines += `${JSON.stringify(ordinaryRecord(at, Math.floor(beganMs + (at - by.from) * stepMs)))}\n`;
      const id = hash('sha256', lines, 'hex').slice(0, 32);
      const batch = {
        ...{ id, source: `/${CARRIER}`, type: RECORD_BATCH_TYPE, timeMs: Date.now(), count: to - from },
        ...({ encoding: 'br', body: brotliCompressSync(lines, BROTLI) } as const),
      };
      for (;;) {
        const result = await transport.deliver(batch, AbortSignal.timeout(60_000));
        if (result.status === 'acknowledged' && result.rejected.length === 0) break;
        if (result.status !== 'unavailable') throw new Error(`a batch was refused: ${JSON.stringify(result)}`);
        await rest(RETRY_MS);
      }
      by.onSent?.(to);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await transport.close();
}

/** Waits until readiness no longer says that the detector is warming. @returns milliseconds */
export async function detectorReady({ url }: Pick<CommandPlatform, 'url'>): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const answered = await fetch(`${url}/readyz`);
    const text = await answered.text();
    if (answered.status === 200 && !text.includes('detector: warming')) return performance.now() - startedMs;
    await rest(LOOK_MS);
  }
}
