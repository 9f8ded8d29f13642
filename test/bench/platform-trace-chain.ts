import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { createMemoryRecordStore } from '../../sdk/dist/records/index.js';
import { createTestKey, sampleCallRecord } from '../../sdk/dist/testing/index.js';
import { createCarrierResponder, DEFAULT_TRACEBACK_POLICY } from '../../sdk/dist/traceback/index.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { TracebackResponder } from '../../sdk/dist/traceback/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { whileListening } from '../support/http-server.js';
import { askedCall, idOf, referenceTo, startTracePlatform, type TracePlatform } from './platform-trace-lines.js';

// Carriers in a row, each with the responder of the SDK, over HTTP: a traceback that goes from the one that delivered the call to the one
// where it began, by itself.

/** Carriers that the call went over. */
export const CHAIN_HOPS = 10;
/** Tracebacks that open connections, have tokens made and code compiled. */
const WARMING = 3;
/** No traceback takes so long. */
const LOST_MS = 120_000;

/** Traces calls one after the other. */
export async function traceChain(place: { readonly postgresUrl?: string }, tracebacks: number) {
  await using directory = await createTemporaryDirectory();
  const over = new EventEmitter();
  await using platform = await startTracePlatform(
    { directory: join(directory.path, 'platform'), ...place },
    { asked: () => undefined, concluded: (tracebackId) => void over.emit('concluded', tracebackId) },
  );
  const calls = Array.from({ length: WARMING + tracebacks }, (_none, index) => callOf(index));
  const responders = await startResponders(platform, { directory: directory.path, calls });
  try {
    const tracedMs: number[] = [];
    let cpuMs = 0;
    for (const [index, { called, at }] of calls.entries()) {
      if (index === WARMING) ({ cpuMs } = await platform.figures());
      const startMs = performance.now();
      // One at a time: what is concluded next is this one.
      const concluded = once(over, 'concluded', { signal: AbortSignal.timeout(LOST_MS) });
      const opened = await platform.call('openTraceback', 'itg', {
        body: {
          ...{ direction: 'back', call: askedCall(`+${called}`, at), firstProvider: referenceTo(0) },
        },
      });
      if (opened.kind !== 'json') throw new Error(JSON.stringify(opened));
      const { tracebackId } = opened.value as { readonly tracebackId: string };
      await concluded;
      tracedMs.push(performance.now() - startMs);
      await checked(platform, tracebackId);
    }
    const { cpuMs: afterMs } = await platform.figures();
    return { tracedMs: tracedMs.slice(WARMING), platformCpuMs: (afterMs - cpuMs) / tracebacks };
  } finally {
    await Promise.all(responders.map((responder) => responder.close()));
  }
}

type ChainCall = Awaited<ReturnType<typeof callOf>>;

/** An hour ago, a minute apart, so that no call is another. */
function callOf(index: number) {
  const atMs = Date.now() - 3_600_000 - index * 60_000;
  return { called: `1202555${String(1_000 + index)}`, at: new Date(atMs).toISOString(), atMs };
}

async function checked(platform: TracePlatform, tracebackId: string): Promise<void> {
  const shown = await platform.call('fetchTraceback', 'itg', { parameters: { tracebackId } });
  const { outcome, hops } = (shown.kind === 'json' ? shown.value : {}) as {
    readonly outcome?: string;
    readonly hops?: readonly unknown[];
  };
  if (outcome !== 'origin' || hops?.length !== CHAIN_HOPS)
    throw new Error(`a traceback came to ${String(outcome)} after ${String(hops?.length)} hops`);
}

async function startResponders(
  platform: TracePlatform,
  { directory, calls }: { readonly directory: string; readonly calls: readonly ChainCall[] },
): Promise<readonly TracebackResponder[]> {
  const carriers = Array.from({ length: CHAIN_HOPS }, (_none, carrier) => {
    const key = createTestKey();
    const jwk = { ...key.publicKeyJwk, kid: `key-${String(carrier)}` };
    return { carrier, key, jwk, ocn: `000${String(carrier)}` };
  });
  await platform.register(
    carriers.map(({ carrier, jwk, ocn }) => ({
      ...{ ...referenceTo(carrier), ocn, clientJwk: jwk },
      answerJwk: { ...jwk, alg: 'ES256' },
    })),
  );
  return Promise.all(
    carriers.map(async ({ carrier, key: { privateKeyPem }, jwk: { kid } }) => {
      const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
      await store.insert(calls.map((call) => recordOf(call, carrier)));
      await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
      return createCarrierResponder({
        ...{ directory: join(directory, `carrier-${String(carrier)}`), store, zone: 'America/New_York' },
        provider: referenceTo(carrier),
        trunks: { directoryId: 'chain', trunks: trunksOf(carrier) },
        policy: POLICY,
        answerKey: { privateKeyPem, keyId: kid },
        platform: {
          ...{ baseUrl: platform.url, receiptKeys: platform.receiptKeys },
          ...{ clientId: `client-${idOf(carrier)}`, key: privateKeyPem, keyId: kid },
        },
      });
    }),
  );
}

/** As by default, and that the carrier where a call began names its customer without a person. */
const POLICY: typeof DEFAULT_TRACEBACK_POLICY = {
  ...DEFAULT_TRACEBACK_POLICY,
  policyId: 'bench-traceback-1',
  automatic: {
    ...DEFAULT_TRACEBACK_POLICY.automatic,
    arms: [...DEFAULT_TRACEBACK_POLICY.automatic.arms, 'origin'],
  },
  customers: { ...DEFAULT_TRACEBACK_POLICY.customers, basisRequired: false },
};

function trunksOf(carrier: number): readonly object[] {
  const up =
    carrier === CHAIN_HOPS - 1
      ? { trunk: 'in', customer: { customerId: 'C-1' } }
      : { trunk: 'in', provider: referenceTo(carrier + 1) };
  const down = carrier === 0 ? { trunk: 'out', customer: {} } : { trunk: 'out', provider: referenceTo(carrier - 1) };
  return [up, down];
}

/** The call as a carrier of the row has it: a tenth of a second earlier than the one after it, and a Call-ID of each hand-over. */
function recordOf({ called, atMs }: ChainCall, carrier: number): CallRecord {
  return sampleCallRecord({
    ...{ inviteAtUs: (atMs - 100 * carrier) * 1_000, legId: `leg-${called}-${String(carrier)}` },
    called: { asWritten: called, tn: called },
    calling: { asWritten: '13035550199', tn: '13035550199' },
    ingress: { trunk: 'in', callId: `${called}-${String(carrier + 1)}@example` },
    egress: { trunk: 'out', callId: `${called}-${String(carrier)}@example` },
  });
}

/** What ten hops cannot do without: ten answers that are signed, sent, verified, and answered by a signed receipt, one after the other. */
export async function signedRoundTrips(rounds: number): Promise<readonly number[]> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = (octets: Buffer): Buffer => sign('sha256', octets, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const isSigned = (octets: Buffer, signature: Buffer): boolean =>
    verify('sha256', octets, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isGood = isSigned(body.subarray(64), body.subarray(0, 64));
      response.writeHead(isGood ? 200 : 422).end(signed(body.subarray(0, 64)));
    });
  });
  const answer = Buffer.alloc(1_500, 'a');
  const took: number[] = [];
  await whileListening(server, async (port) => {
    for (let round = 0; round < rounds + 1; round += 1) {
      const startMs = performance.now();
      for (let hop = 0; hop < CHAIN_HOPS; hop += 1) {
        const response = await fetch(`http://127.0.0.1:${port}/`, {
          method: 'POST',
          body: Buffer.concat([signed(answer), answer]),
        });
        if (response.status !== 200) throw new Error('a signature of our own does not verify');
        await response.arrayBuffer();
      }
      took.push(performance.now() - startMs);
    }
  });
  // The first round connects.
  return took.slice(1);
}
