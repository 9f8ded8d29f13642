import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { HopbackError, isHopbackError } from '../../sdk/src/errors.js';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import type { AppReport, DeliveryResult, TracebackRequestStatus } from '../../sdk/src/platform/index.js';
import { smallPdf, submissionAt } from './itg-demands.js';
import type { PlatformParties } from './itg-platform-victim-parties.js';
import { signAnswer } from './itg-reference.js';
import { from, openingOf } from './itg-tracebacks.js';
import { sharedRecord } from './shared-records.js';
import { sampleRecord } from './stream-lab.js';

/** What the platform acknowledged: it has to be there, once. */
export interface Acknowledged {
  /** `prv-a RECORD` */
  readonly records: Set<string>;
  readonly reports: Set<string>;
  /** By the campaign that only this one was opened for. */
  readonly tracebacks: Map<string, string>;
  readonly answers: Set<string>;
  /** Demands by their references. */
  readonly demands: Map<string, string>;
  readonly decisions: Map<string, 'approve' | 'reject'>;
}

const BATCH = 20;
/** Until a call is tried again: a platform that restarts is not asked without a pause. */
const RETRY_MS = 25;
/** Between calls of one that are large: demands with their documents, and tracebacks. */
const EASY_MS = 40;

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Carrier = PlatformParties['carriers'][number];

interface Loading {
  readonly parties: PlatformParties;
  readonly acknowledged: Acknowledged;
  /** Calls that were refused for good, which none may be. */
  readonly refusals: string[];
  isOver: boolean;
  /** Hear of each acknowledgement. */
  readonly listeners: Set<() => void>;
}

/** Clients that write to a platform without end. */
export type PlatformLoad = ReturnType<typeof startLoad>;

/** Begins to write without end: records, reports, tracebacks, answers, demands and decisions, each by clients of its own. */
export function startLoad(parties: PlatformParties) {
  const acknowledged: Acknowledged = {
    ...{ records: new Set(), reports: new Set(), tracebacks: new Map() },
    ...{ answers: new Set(), demands: new Map(), decisions: new Map() },
  };
  const load: Loading = { parties, acknowledged, refusals: [], isOver: false, listeners: new Set() };
  const forever = async (pauseMs: number, step: (number: number) => Promise<unknown>): Promise<void> => {
    for (let number = 0; !load.isOver && load.refusals.length === 0; number += 1) {
      await step(number);
      await rest(pauseMs);
    }
  };
  const workers = [
    ...parties.carriers.map((carrier) => forever(0, () => sendRecords(load, carrier))),
    forever(0, (number) => sendReport(load, number)),
    forever(EASY_MS, (number) => openTraceback(load, number)),
    ...parties.carriers.map((carrier) => forever(RETRY_MS, () => answerOpen(load, carrier))),
    forever(EASY_MS, () => submitDemand(load)),
    forever(EASY_MS, () => decideDemand(load)),
  ];
  return {
    acknowledged,
    refusals: load.refusals,
    /** Resolves when so many more calls were acknowledged, whatever they are of. */
    further: (calls: number): Promise<void> => {
      let left = calls;
      return heard(load, () => (left -= 1) <= 0);
    },
    /** Resolves when something of each kind was acknowledged. */
    ofEachKind: () => heard(load, () => Object.values(acknowledged).every(({ size }) => size > 0)),
    /** Begins nothing more, and waits for what is under way. */
    end: async (): Promise<void> => {
      load.isOver = true;
      await Promise.all(workers);
    },
  };
}

/** Waits for the acknowledgement after which something is so; a refusal ends it, as the test does then. */
function heard(load: Loading, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (load.refusals.length === 0 && !isSo()) return;
      load.listeners.delete(look);
      resolve();
    };
    load.listeners.add(look);
    if (load.refusals.length > 0) look();
  });
}

/** Makes a call until it is answered, each time the same, and notes the value. A refusal ends it, and so does the end of the load. */
async function untilAnswered<Result>(
  load: Loading,
  what: string,
  call: () => Promise<Result>,
  note: (value: Result) => unknown,
): Promise<void> {
  while (!load.isOver) {
    try {
      note(await call());
      break;
    } catch (error) {
      if (!isHopbackError(error)) throw error;
      const code = error.details['problemCode'];
      if (error.code === 'request-refused' && code !== 'idempotency-in-progress') {
        load.refusals.push(`${what}: ${String(code)}`);
        break;
      }
      await rest(RETRY_MS);
    }
  }
  for (const listener of load.listeners) listener();
}

let legs = 0;

async function sendRecords(load: Loading, { organizationId, transport }: Carrier): Promise<void> {
  const records = Array.from({ length: BATCH }, () => {
    legs += 1;
    return sharedRecord({ ...sampleRecord(legs), inviteAtUs: Date.now() * 1_000 + (legs % 1_000) }, 'all');
  });
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const id = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const batch = {
    ...{ id, source: `/${organizationId}`, type: RECORD_BATCH_TYPE, timeMs: Date.now(), count: BATCH },
    ...({ encoding: 'gzip', body: gzipSync(text) } as const),
  };
  const deliver = async (): Promise<DeliveryResult> => {
    const result = await transport.deliver(batch, AbortSignal.timeout(20_000));
    // A token that could not be had is asked for again.
    const isBarred = result.status === 'barred' && result.reason === 'unauthorized';
    if (result.status === 'unavailable' || isBarred) throw new HopbackError('unavailable', result.reason);
    return result;
  };
  await untilAnswered(load, 'records', deliver, (result) => {
    if (result.status !== 'acknowledged' || result.rejected.length > 0)
      load.refusals.push(`records: ${JSON.stringify(result)}`);
    else for (const { recordId } of records) load.acknowledged.records.add(`${organizationId} ${recordId}`);
  });
}

function sendReport(load: Loading, number: number): Promise<void> {
  const reportId = `report-${randomUUID()}`;
  const text = `This is notice ${number} about the warranty of your car, press one to speak to us.`;
  const said = { reportId, calledAt: new Date().toISOString(), transcript: { text } };
  const report: AppReport = { ...WIRE_EXAMPLES.AppReport[0].value, ...said };
  const create = () => load.parties.app.appReports.create(report);
  return untilAnswered(load, 'report', create, () => load.acknowledged.reports.add(reportId));
}

function openTraceback(load: Loading, number: number): Promise<void> {
  const campaignId = `kill-${randomUUID()}`;
  const { call, ...opening } = openingOf();
  // Another call each time: what is asked by two tracebacks is asked once, and these are to be counted.
  const called = `+1202555${String(number % 10_000).padStart(4, '0')}`;
  const body = { ...opening, call: { ...call, called }, campaign: { campaignId, name: 'Kill-Test-P1' } };
  const create = () => load.parties.staff.tracebacks.create(body, { idempotencyKey: campaignId });
  return untilAnswered(load, 'traceback', create, ({ tracebackId }) =>
    load.acknowledged.tracebacks.set(campaignId, tracebackId),
  );
}

/** Answers what a carrier is asked now: `prv-a` had the call from `prv-b`, at which it began. @returns how many there were */
async function answerOpen(load: Loading, carrier: Carrier): Promise<number> {
  const { tracebackRequests } = carrier.client;
  const finding = carrier.organizationId === 'prv-a' ? from('b') : ({ arm: 'origin', customer: {} } as const);
  let items: readonly TracebackRequestStatus[] = [];
  const list = () => tracebackRequests.list({ state: 'open', limit: 50 });
  await untilAnswered(load, 'requests', list, (page) => (items = page.items));
  for (const { request } of items) {
    const { requestId } = request;
    const answerId = `${requestId}.1`;
    const answer = await signAnswer(carrier, request, { finding, answerId });
    const send = () => tracebackRequests.answer({ requestId, answer });
    await untilAnswered(load, 'answer', send, () => load.acknowledged.answers.add(answerId));
  }
  return items.length;
}

/** Answers until nobody is asked any more: tracebacks go on where they stood. */
export async function answerAll(parties: PlatformParties, acknowledged: Acknowledged): Promise<readonly string[]> {
  const load: Loading = { parties, acknowledged, refusals: [], isOver: false, listeners: new Set() };
  for (let asked = 1; asked > 0 && load.refusals.length === 0;) {
    asked = 0;
    for (const carrier of parties.carriers) asked += await answerOpen(load, carrier);
  }
  return load.refusals;
}

async function submitDemand(load: Loading): Promise<void> {
  const { documentSha256: _sha256, ...submission } = submissionAt(Date.now());
  const reference = `CID-${randomUUID()}`;
  const demand = { ...submission, reference, document: documentOf(reference) };
  const create = () => load.parties.agency.demands.create(demand, { idempotencyKey: reference });
  await untilAnswered(load, 'demand', create, ({ demandId }) => load.acknowledged.demands.set(reference, demandId));
}

/** The PDF of a demand. */
export const documentOf = (reference: string): Uint8Array => smallPdf(`/Reference (${reference})`);

async function decideDemand(load: Loading): Promise<void> {
  const { demands, decisions } = load.acknowledged;
  const demandId = [...demands.values()].find((one) => !decisions.has(one));
  if (demandId === undefined) return;
  const decision = decisions.size % 2 === 0 ? 'reject' : 'approve';
  const order = { demandId, decision, reason: 'As it was reviewed.' } as const;
  const decide = () => load.parties.staff.demands.decide(order, { idempotencyKey: `decision-${demandId}` });
  await untilAnswered(load, 'decision', decide, () => decisions.set(demandId, decision));
}
