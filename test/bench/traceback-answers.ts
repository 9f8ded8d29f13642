import { generateKeyPairSync, createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogSigner } from '../../sdk/dist/log/index.js';
import {
  createLocalAnswerSigner,
  TracebackResponder,
  DEFAULT_TRACEBACK_POLICY,
  officeDeadline,
  EvidenceStore,
  storeKnowledge,
} from '../../sdk/dist/traceback/index.js';
import type { TracebackAnswer, TracebackRequest } from '../../sdk/src/contract/traceback-exchange.js';
import type { TracebackRequestArrival, TracebackRequestSource } from '../../sdk/src/platform/index.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { MACHINE_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import type { StreamClock } from '../../sdk/src/records/stream/stream-policy.js';
import type { AnswerTransport } from '../../sdk/src/traceback/index.js';
import { durations, type Figure, type Percentiles } from './bench.js';
import { trunksOf, UNSTATED_ZONE, type AskedCall } from './traceback-requests.js';
import { HOUR_US, OWN, type Ground } from './traceback-traffic.js';

// How long a request takes from its arrival to its signed answer, through everything that a carrier has: the record store, a trunk
// directory, the default policy, a journal and evidence on the disk, and a key. The platform alone is none: it takes at once whatever comes.

/** A request, and what the raw limit is measured by. */
type CarrierAsked = Pick<AskedCall, 'request' | 'instants' | 'calledTn'>;

/** What is answered, and how it is paced. */
export interface AnswersAsked {
  readonly store: RecordStore;
  readonly ground: Ground;
  /** Requests that are measured, in the order in which they come. */
  readonly asked: readonly CarrierAsked[];
  /** Requests before them that warm everything up, and after them that the raw limit is measured by. */
  readonly others: readonly CarrierAsked[];
  /** An empty folder on the disk of the store. */
  readonly directory: string;
  /** Requests a second. */
  readonly rate: number;
}

/** What became of the requests. */
export interface AnswersMeasured {
  /** From when a request was to come to when its signed answer was handed to the transport, of those that no person answered. */
  readonly answered: Percentiles;
  /** One look-up, one signature and one append that is on the disk. */
  readonly raw: Percentiles;
  readonly toReview: number;
  /** Neither answered nor in review: something went wrong. */
  readonly lost: number;
  /** What went wrong and was tried again. */
  readonly problems: readonly string[];
}

/** Has requests answered at a rate. */
export async function measureAnswers(parts: AnswersAsked): Promise<AnswersMeasured> {
  const { asked, others } = parts;
  const warming = others.slice(0, WARMING);
  const source = createPacedSource();
  const signed = new Map<string, number>();
  const problems: string[] = [];
  const carrier = await openCarrier(parts, {
    source,
    problems,
    onAnswer: ({ requestId, jws }) => {
      if (answerIn(jws).answeredBy.kind !== 'person') signed.set(requestId, performance.now());
    },
  });
  try {
    for (const { request } of warming) await source.arrive(request);
    await carrier.responder.settled();
    const times = durations();
    const due = await arrivals(source, parts);
    await carrier.responder.settled();
    for (const [requestId, dueMs] of due) {
      const atMs = signed.get(requestId);
      if (atMs !== undefined) times.record(atMs - dueMs);
    }
    const states = new Map(carrier.responder.list().map(({ requestId, state }) => [requestId, state]));
    const toReview = asked.filter(({ request }) => states.get(request.requestId) === 'review').length;
    const answered = times.percentiles();
    const lost = asked.length - toReview - answered.count;
    return { answered, toReview, lost, problems, raw: await rawTimes(parts, others.slice(WARMING)) };
  } finally {
    await carrier.close();
  }
}

/** The figure of {@link measureAnswers}. */
export function answerFigure({ answered, raw, toReview, lost }: AnswersMeasured, rate: number): Figure {
  const asked = answered.count + toReview + lost;
  const took = ({ p50, p99, max }: Percentiles): string =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${max.toFixed(0)} ms`;
  return {
    figure: 'answer-latency',
    value: answered.p99,
    unit: 'ms',
    baseline: 'one look-up, one ES256 signature, one fdatasync append',
    baselineValue: raw.p99,
    bar: { valueAtMost: 100 },
    note:
      `p99 from request to signed answer, of the ${answered.count} automatic of ${asked} at ${rate} requests/s: ${took(answered)}; ` +
      `${toReview} went to review${lost === 0 ? '' : `, ${lost} were lost`}; raw limit ${took(raw)}`,
  };
}

/** Requests that open the days, compile the code and start the journal. */
const WARMING = 40;

/** @returns when each was to come */
async function arrivals(source: PacedSource, { asked, rate }: AnswersAsked): Promise<ReadonlyMap<string, number>> {
  const due = new Map<string, number>();
  const taken: Promise<void>[] = [];
  const startMs = performance.now();
  for (const [at, { request }] of asked.entries()) {
    const dueMs = startMs + (at * 1_000) / rate;
    await sleep(Math.max(0, dueMs - performance.now()));
    // A late timer, or a loop that was busy, counts.
    due.set(request.requestId, dueMs);
    taken.push(source.arrive(request));
  }
  await Promise.all(taken);
  return due;
}

interface PacedSource extends TracebackRequestSource {
  /** Brings a request; resolves when it is in safe hands. */
  readonly arrive: (request: TracebackRequest) => Promise<void>;
}

/** Requests as a webhook receiver brings them, from this very process. */
function createPacedSource(): PacedSource {
  const waiting: TracebackRequestArrival[] = [];
  let wake = (): void => undefined;
  const stop = new AbortController();
  async function* brought(): AsyncGenerator<TracebackRequestArrival> {
    while (!stop.signal.aborted) {
      const arrival = waiting.shift();
      if (arrival !== undefined) yield arrival;
      else await new Promise<void>((resolve) => void (wake = resolve));
    }
  }
  const close = (): Promise<void> => {
    stop.abort();
    wake();
    return Promise.resolve();
  };
  return {
    [Symbol.asyncIterator]: brought,
    close,
    [Symbol.asyncDispose]: close,
    arrive: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({
          kind: 'request',
          request,
          receivedAtMs: CLOCK.nowMs(),
          via: 'webhook',
          acknowledge: () => Promise.resolve(resolve()),
          release: () => reject(new Error(`${request.requestId} was not taken`)),
        });
        wake();
      }),
  };
}

/** Some weeks after the calls, whatever the machine says: what is asked about lies in the past. */
const CLOCK: StreamClock = {
  ...MACHINE_CLOCK,
  nowMs: () => Date.UTC(2026, 10, 20, 18) + performance.now(),
};

interface Carrier {
  readonly responder: TracebackResponder;
  readonly close: () => Promise<void>;
}

async function openCarrier(
  { store, ground, directory }: AnswersAsked,
  {
    source,
    problems,
    onAnswer,
  }: {
    readonly source: TracebackRequestSource;
    readonly problems: string[];
    readonly onAnswer: (answer: Parameters<AnswerTransport['deliver']>[0]) => void;
  },
): Promise<Carrier> {
  const trunks = trunksOf(ground);
  const evidence = await EvidenceStore.open({
    directory: join(directory, 'evidence'),
    logId: 'bench.example/evidence',
    signer: createLogSigner(newKeyPem()),
  });
  const responder = await TracebackResponder.open({
    ...{ directory, provider: OWN, policy: DEFAULT_TRACEBACK_POLICY, trunks, requests: source, clock: CLOCK },
    ...storeKnowledge(store, { trunks, match: { defaultZone: UNSTATED_ZONE } }),
    deadlineOf: officeDeadline({ zone: UNSTATED_ZONE }),
    signer: await createLocalAnswerSigner({ privateKeyPem: newKeyPem(), keyId: 'answers-1' }),
    evidence,
    onProblem: ({ kind, detail }) => void problems.push(`${kind}: ${detail}`),
    platform: {
      transport: {
        deliver: (answer) => {
          onAnswer(answer);
          return Promise.resolve({ status: 'taken', receipt: `${answer.answerId} ${sha256(answer.jws)}` });
        },
      },
      verifyReceipt: (receipt) => {
        const [answerId = '', answerSha256 = ''] = receipt.split(' ');
        return Promise.resolve({ status: 'verified', answerId, answerSha256, receivedAt: '2026-11-20T18:00:00Z' });
      },
    },
  });
  const close = async (): Promise<void> => {
    await responder.close();
    await evidence.close();
  };
  return { responder, close };
}

/** What an answer cannot do without, one after the other: the records of the number around that time, a signature, and the disk. */
async function rawTimes({ store, directory }: AnswersAsked, asked: readonly CarrierAsked[]): Promise<Percentiles> {
  const folder = join(directory, 'raw');
  mkdirSync(folder);
  const file = await open(join(folder, 'journal'), 'a');
  const signer = await createLocalAnswerSigner({ privateKeyPem: newKeyPem(), keyId: 'raw' });
  const times = durations();
  try {
    for (const { instants, calledTn } of asked) {
      const [atUs = 0] = instants.map(({ fromUs }) => fromUs);
      const startMs = performance.now();
      const found = await store.find({ window: { fromUs: atUs - HOUR_US, toUs: atUs + HOUR_US }, calledTn });
      const text = JSON.stringify(found.records.slice(0, 1));
      await signer.sign(Buffer.from(text));
      await file.appendFile(text);
      await file.datasync();
      times.record(performance.now() - startMs);
    }
  } finally {
    await file.close();
  }
  return times.percentiles();
}

function newKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function answerIn(jws: string): TracebackAnswer {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as TracebackAnswer;
}
