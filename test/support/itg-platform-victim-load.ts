import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { isHopbackError } from '../../sdk/src/errors.js';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import type { AppReport, DeliveryResult, TracebackRequestStatus } from '../../sdk/src/platform/index.js';
import { smallPdf, submissionAt } from './itg-demands.js';
import type { PlatformParties } from './itg-platform-victim-parties.js';
import { answerFor, CALLED, CALLING, from, signed } from './itg-tracebacks.js';
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

/** Clients that write to a platform without end. */
export interface PlatformLoad {
  readonly acknowledged: Acknowledged;
  /** Calls that were refused for good, which none may be. */
  readonly refusals: readonly string[];
  /** Resolves when so many more calls were acknowledged, whatever they are of. */
  readonly further: (calls: number) => Promise<void>;
  /** Resolves when something of each kind was acknowledged. */
  readonly ofEachKind: () => Promise<void>;
  /** Begins nothing more, and waits for what is under way. */
  readonly end: () => Promise<void>;
}

const BATCH = 20;
/** Until a call is tried again: a platform that restarts is not asked without a pause. */
const RETRY_MS = 25;
/** Between calls of one that are large: demands with their documents, and tracebacks. */
const EASY_MS = 40;

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Loading {
  readonly parties: PlatformParties;
  readonly acknowledged: Acknowledged;
  readonly refusals: string[];
  isOver: boolean;
  /** Hear of each acknowledgement. */
  readonly listeners: Set<() => void>;
}

/** Begins to write: records, reports, tracebacks, answers, demands and decisions, each by clients of its own. */
export function startLoad(parties: PlatformParties): PlatformLoad {
  const acknowledged: Acknowledged = {
    ...{ records: new Set(), reports: new Set(), tracebacks: new Map() },
    ...{ answers: new Set(), demands: new Map(), decisions: new Map() },
  };
  const load: Loading = { parties, acknowledged, refusals: [], isOver: false, listeners: new Set() };
  const workers = [
    sendRecords(load, 0),
    sendRecords(load, 1),
    sendReports(load),
    openTracebacks(load),
    answerRequests(load, 'prv-a'),
    answerRequests(load, 'prv-b'),
    submitDemands(load),
    decideDemands(load),
  ];
  return {
    acknowledged,
    refusals: load.refusals,
    further: (calls) => {
      let left = calls;
      return heard(load, () => (left -= 1) <= 0);
    },
    ofEachKind: () => heard(load, () => Object.values(acknowledged).every(({ size }) => size > 0)),
    end: async () => {
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
  });
}

function noted({ listeners }: Loading): void {
  for (const listener of listeners) listener();
}

/** Makes a call until it is answered, each time the same, and notes the value. A refusal ends it, and so does the end of the load. */
async function untilAnswered<Result>(
  load: Loading,
  what: string,
  call: () => Promise<Result>,
  note: (value: Result) => unknown,
): Promise<boolean> {
  while (!load.isOver) {
    try {
      note(await call());
      noted(load);
      return true;
    } catch (error) {
      if (!isHopbackError(error)) throw error;
      const isInProgress = error.details['problemCode'] === 'idempotency-in-progress';
      if (error.code === 'request-refused' && !isInProgress) {
        load.refusals.push(`${what}: ${String(error.details['problemCode'])}`);
        noted(load);
        return false;
      }
      await rest(RETRY_MS);
    }
  }
  return false;
}

let legs = 0;

async function sendRecords(load: Loading, carrier: 0 | 1): Promise<void> {
  const transport = load.parties.transports[carrier];
  if (transport === undefined) return;
  const provider = carrier === 0 ? 'prv-a' : 'prv-b';
  while (!load.isOver) {
    const records = Array.from({ length: BATCH }, () => {
      legs += 1;
      return sharedRecord({ ...sampleRecord(legs), inviteAtUs: Date.now() * 1_000 + (legs % 1_000) }, 'all');
    });
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    const id = createHash('sha256').update(text).digest('hex').slice(0, 32);
    const batch = {
      ...{ id, source: `/${provider}`, type: RECORD_BATCH_TYPE, timeMs: Date.now(), count: BATCH },
      ...({ encoding: 'gzip', body: gzipSync(text) } as const),
    };
    let result = await transport.deliver(batch, AbortSignal.timeout(20_000));
    while (isPassing(result) && !load.isOver) {
      await rest(RETRY_MS);
      result = await transport.deliver(batch, AbortSignal.timeout(20_000));
    }
    if (result.status === 'acknowledged' && result.rejected.length === 0)
      for (const { recordId } of records) load.acknowledged.records.add(`${provider} ${recordId}`);
    else if (!isPassing(result)) load.refusals.push(`records: ${JSON.stringify(result)}`);
    noted(load);
    if (load.refusals.length > 0) return;
  }
}

/** A token that could not be had is asked for again. */
const isPassing = (result: DeliveryResult): boolean =>
  result.status === 'unavailable' || (result.status === 'barred' && result.reason === 'unauthorized');

async function sendReports(load: Loading): Promise<void> {
  for (let number = 0; !load.isOver; number += 1) {
    const report: AppReport = {
      ...{ format: 'hopback.app-report.1', reportId: `report-${randomUUID()}`, app: { name: 'Example Blocker' } },
      ...{ calledAt: new Date().toISOString(), called: { shown: 'number', tn: '12025550143' } },
      ...{ calling: '13035550199', action: 'blocked', reason: 'content', durationSeconds: 12 },
      transcript: { text: `This is notice ${number} about the warranty of your car, press one to speak to us.` },
    };
    const create = () => load.parties.app.appReports.create(report);
    await untilAnswered(load, 'report', create, () => load.acknowledged.reports.add(report.reportId));
  }
}

async function openTracebacks(load: Loading): Promise<void> {
  for (let number = 0; !load.isOver; number += 1) {
    const campaignId = `kill-${randomUUID()}`;
    const at = { asWritten: '9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' } as const;
    const opening = {
      direction: 'back',
      // Another call each time: what is asked by two tracebacks is asked once, and these are to be counted.
      call: { called: `+1202555${String(number % 10_000).padStart(4, '0')}`, calling: CALLING, at },
      ...{ campaign: { campaignId, name: 'Kill-Test-P1' } },
      firstProvider: { providerId: 'prv-a', name: 'Example a' },
    } as const;
    const create = () => load.parties.staff.tracebacks.create(opening, { idempotencyKey: campaignId });
    await untilAnswered(load, 'traceback', create, ({ tracebackId }) =>
      load.acknowledged.tracebacks.set(campaignId, tracebackId),
    );
    await rest(EASY_MS);
  }
}

async function answerRequests(load: Loading, provider: 'prv-a' | 'prv-b'): Promise<void> {
  while (!load.isOver) {
    await answerOpen(load, provider);
    await rest(RETRY_MS);
  }
}

/** Answers what a carrier is asked now: `prv-a` had the call from `prv-b`, at which it began. @returns how many there were */
async function answerOpen(load: Loading, provider: 'prv-a' | 'prv-b'): Promise<number> {
  const client = load.parties.carriers[provider];
  const [letter, finding] =
    provider === 'prv-a' ? (['a', from('b')] as const) : (['b', { arm: 'origin', customer: {} }] as const);
  let items: readonly TracebackRequestStatus[] = [];
  const list = () => client.tracebackRequests.list({ state: 'open', limit: 50 });
  await untilAnswered(load, 'requests', list, (page) => (items = page.items));
  for (const { request } of items) {
    const answer = answerFor(request, finding, { call: answeredCall(request.call.called ?? CALLED, request.hop) });
    const jws = await signed(answer, letter);
    const { requestId } = request;
    const send = () => client.tracebackRequests.answer({ requestId, answer: jws });
    await untilAnswered(load, 'answer', send, () => load.acknowledged.answers.add(answer.answerId));
  }
  return items.length;
}

const answeredCall = (called: string, hop: number) => ({
  ...{ startedAt: '2026-02-02T09:30:12.250Z', called, calling: CALLING, disposition: 'answered' as const },
  ingressCallId: `in-${hop}@example`,
});

/** Answers until nobody is asked any more: tracebacks go on where they stood. */
export async function answerAll(parties: PlatformParties, acknowledged: Acknowledged): Promise<readonly string[]> {
  const load: Loading = { parties, acknowledged, refusals: [], isOver: false, listeners: new Set() };
  for (let asked = 1; asked > 0 && load.refusals.length === 0;)
    asked = (await answerOpen(load, 'prv-a')) + (await answerOpen(load, 'prv-b'));
  return load.refusals;
}

async function submitDemands(load: Loading): Promise<void> {
  const { documentSha256: _sha256, ...submission } = submissionAt(Date.now());
  while (!load.isOver) {
    const reference = `CID-${randomUUID()}`;
    const demand = { ...submission, reference, document: documentOf(reference) };
    const create = () => load.parties.agency.demands.create(demand, { idempotencyKey: reference });
    await untilAnswered(load, 'demand', create, ({ demandId }) => load.acknowledged.demands.set(reference, demandId));
    await rest(EASY_MS);
  }
}

/** The PDF of a demand. */
export const documentOf = (reference: string): Uint8Array => smallPdf(`/Reference (${reference})`);

async function decideDemands(load: Loading): Promise<void> {
  const { demands, decisions } = load.acknowledged;
  while (!load.isOver) {
    const demandId = [...demands.values()].find((one) => !decisions.has(one));
    if (demandId === undefined) {
      await rest(EASY_MS);
      continue;
    }
    const decision = decisions.size % 2 === 0 ? 'reject' : 'approve';
    const order = { demandId, decision, reason: 'As it was reviewed.' } as const;
    const decide = () => load.parties.staff.demands.decide(order, { idempotencyKey: `decision-${demandId}` });
    if (!(await untilAnswered(load, 'decision', decide, () => decisions.set(demandId, decision)))) return;
  }
}
