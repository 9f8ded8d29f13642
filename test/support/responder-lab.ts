import { createHash, generateKeyPairSync } from 'node:crypto';
import type { FccNotice } from '../../sdk/src/contract/alert.js';
import type { LogFiles } from '../../sdk/src/log/index.js';
import type { StreamClock } from '../../sdk/src/records/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import {
  createLocalAnswerSigner,
  TracebackResponder,
  DEFAULT_TRACEBACK_POLICY,
} from '../../sdk/src/traceback/index.js';
import type {
  AnswerDelivery,
  AnswerSigner,
  AnswerTransport,
  EvidenceStore,
  ResponderEvent,
  ResponderProblem,
  TracebackAnswer,
  TracebackRequest,
  TracebackResponderOptions,
  VerifyReceipt,
} from '../../sdk/src/traceback/index.js';
import { createSimulatedLogFiles } from './simulated-log-files.js';
import { aRequest, CALL_US, DIRECTORY, uniqueOf, UPSTREAM, US } from './traceback-cases.js';

type AnswerToDeliver = Parameters<AnswerTransport['deliver']>[0];
type DeskFault = (answer: AnswerToDeliver) => AnswerDelivery | undefined;

/** A platform in memory: each answer once by its key, and every byte that ever came. */
export interface AnswerDesk {
  readonly transport: AnswerTransport;
  readonly verifyReceipt: VerifyReceipt;
  /** By idempotency key: what was taken. */
  readonly taken: ReadonlyMap<string, AnswerToDeliver>;
  readonly deliveries: readonly AnswerToDeliver[];
  /** In place of what it would say; called before anything is taken. */
  readonly setFault: (fault: DeskFault | undefined) => void;
  /** How many answers came with other bytes than before. */
  readonly contradictions: () => number;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function createAnswerDesk(): AnswerDesk {
  const taken = new Map<string, AnswerToDeliver>();
  const deliveries: AnswerToDeliver[] = [];
  let fault: DeskFault | undefined;
  return {
    taken,
    deliveries,
    setFault: (next) => {
      fault = next;
    },
    contradictions: () =>
      deliveries.filter((one) => deliveries.some((other) => other.answerId === one.answerId && other.jws !== one.jws))
        .length,
    transport: {
      deliver: async (answer) => {
        await Promise.resolve();
        deliveries.push(answer);
        const said = fault?.(answer);
        if (said !== undefined) return said;
        const before = taken.get(answer.idempotencyKey);
        if (before !== undefined && before.jws !== answer.jws)
          return { status: 'refused', reason: 'conflict', detail: 'another answer under this key' };
        taken.set(answer.idempotencyKey, answer);
        return { status: 'taken', receipt: receiptOf(answer) };
      },
    },
    verifyReceipt: async (receipt) => {
      await Promise.resolve();
      const [answerId = '', answerSha256 = ''] = receipt.split(' ');
      return answerSha256 === ''
        ? { status: 'rejected', reason: 'signature' }
        : { status: 'verified', answerId, answerSha256, receivedAt: '2026-11-02T18:00:00Z' };
    },
  };
}

export const receiptOf = ({ answerId, jws }: AnswerToDeliver): string => `${answerId} ${sha256(jws)}`;

/** What an answer says, unverified. */
export const answerIn = (jws: string): TracebackAnswer =>
  JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as TracebackAnswer;

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const ANSWER_KEY_PEM: string = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const answerSigner = (): Promise<AnswerSigner> =>
  createLocalAnswerSigner({ privateKeyPem: ANSWER_KEY_PEM, keyId: 'answers-1' });

/** Time that a test moves: three hours after the call of the cases. */
export interface ResponderClock extends StreamClock {
  readonly advance: (ms: number) => void;
}

export function createResponderClock(): ResponderClock {
  const clock = new ManualClock(CALL_US / 1_000 + 3 * 3_600_000);
  const { nowMs, schedule } = clock;
  return { nowMs, schedule, advance: (ms) => clock.advance(ms), monotonicMs: nowMs };
}

/** A responder with everything that it rests on in memory. */
export interface ResponderLab extends AsyncDisposable {
  readonly responder: TracebackResponder;
  readonly clock: ResponderClock;
  readonly desk: AnswerDesk;
  readonly events: readonly ResponderEvent[];
  readonly problems: readonly ResponderProblem[];
}

export async function openResponder(
  more: Partial<TracebackResponderOptions> & {
    readonly desk?: AnswerDesk;
    readonly clock?: ResponderClock;
    readonly fault?: DeskFault;
  } = {},
): Promise<ResponderLab> {
  const { desk = createAnswerDesk(), clock = createResponderClock(), fault, ...options } = more;
  if (fault !== undefined) desk.setFault(fault);
  const files: LogFiles = options.files ?? createSimulatedLogFiles();
  const events: ResponderEvent[] = [];
  const problems: ResponderProblem[] = [];
  const responder = await TracebackResponder.open({
    directory: 'responder',
    provider: US,
    policy: DEFAULT_TRACEBACK_POLICY,
    trunks: DIRECTORY,
    findMatch: () => Promise.resolve(uniqueOf()),
    sources: () => Promise.resolve(['sbc-1']),
    isHeld: () => Promise.resolve(false),
    deadlineOf: (_request, receivedAtMs) => ({
      deemedReceivedAtMs: receivedAtMs,
      dueAtMs: receivedAtMs + 86_400_000,
    }),
    signer: await answerSigner(),
    platform: { transport: desk.transport, verifyReceipt: desk.verifyReceipt },
    notify: (event) => void events.push(event),
    onProblem: (problem) => void problems.push(problem),
    random: () => 0.5,
    ...options,
    files,
    clock,
  });
  return { responder, clock, desk, events, problems, [Symbol.asyncDispose]: () => responder.close() };
}

/** Opens a responder, hands in the request of the cases, and waits until it has done what it can. */
export async function askedResponder(more: Parameters<typeof openResponder>[0] = {}): Promise<ResponderLab> {
  const lab = await openResponder(more);
  await lab.responder.submit(aRequest());
  await lab.responder.settled();
  return lab;
}

/** So many requests, `r-1` and on. */
export const requests = (count: number): readonly TracebackRequest[] =>
  Array.from({ length: count }, (_, index) => aRequest({ requestId: `r-${String(index + 1)}` }));

export type EvidenceKeeper = Pick<EvidenceStore, 'write' | 'attachAnswer'>;

/** Evidence that is written, unless a test does something else. */
export const evidenceWriter = (more: Partial<EvidenceKeeper> = {}): EvidenceKeeper => ({
  write: ({ answer }) => Promise.resolve({ ...PACK, packId: `p-${answer.requestId}` }),
  attachAnswer: () => Promise.resolve(PLACE),
  ...more,
});
/** Where an answer stands in the log of evidence. */
export const PLACE = { packId: 'p-1', answerSha256: '', logId: 'l-1', leafIndex: 8 } as const;
export const PACK = { packId: 'p-1', manifestSha256: 'a'.repeat(64), logId: 'l-1', leafIndex: 7 } as const;

/** What a responder calls, and the failure that counts if a call does not succeed. */
export const PORTS = [
  ['findMatch', 'match'],
  ['sources', 'match'],
  ['isHeld', 'match'],
  ['evidence', 'evidence'],
  ['signer', 'signing'],
  ['transport', 'delivery'],
  ['notify', 'notify'],
] as const;

/** Options by which the calls of one port go through `ask`. */
export async function throughPort(
  port: (typeof PORTS)[number][0],
  ask: <Value>(act: () => Promise<Value>) => Promise<Value>,
): Promise<Parameters<typeof openResponder>[0]> {
  const signer = await answerSigner();
  const desk = createAnswerDesk();
  const { transport, verifyReceipt } = desk;
  const sign: AnswerSigner['sign'] = (...input) => ask(() => signer.sign(...input));
  const deliver: AnswerTransport['deliver'] = (...answer) => ask(() => transport.deliver(...answer));
  return {
    findMatch: { findMatch: () => ask(() => Promise.resolve(uniqueOf())) },
    sources: { sources: () => ask(() => Promise.resolve(['sbc-1'])) },
    isHeld: { isHeld: () => ask(() => Promise.resolve(false)) },
    evidence: { evidence: evidenceWriter({ write: () => ask(() => Promise.resolve(PACK)) }) },
    signer: { signer: { ...signer, sign } },
    transport: { desk, platform: { verifyReceipt, transport: { deliver } } },
    notify: { notify: () => ask(() => Promise.resolve()) },
  }[port];
}

export const never = <Value>(): Promise<Value> => new Promise(() => undefined);

export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Signatures are made by other threads: so many turns are enough on any machine. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 100_000 && !isSo(); round += 1) await turns(1);
}

/** Lets time pass in steps, and waits until everything that falls due is done. */
export async function pass({ clock, responder }: Pick<ResponderLab, 'clock' | 'responder'>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 600_000) {
    clock.advance(600_000);
    for (let turn = 0; turn < 5; turn += 1) await responder.settled();
    await turns(4);
  }
}

/** A notice of the Commission, with so many hours for mitigation and report. */
export const notice = (nowMs: number, mitigationHours = 48, reportHours = 336): FccNotice => ({
  format: 'hopback.fcc-notice.1',
  noticeId: 'n-1',
  state: 'open',
  reference: 'EB-1',
  provider: UPSTREAM,
  issuedAt: new Date(nowMs).toISOString(),
  mitigationDueAt: new Date(nowMs + mitigationHours * 3_600_000).toISOString(),
  reportDueAt: new Date(nowMs + reportHours * 3_600_000).toISOString(),
  description: 'x',
  calls: [],
  tracebackIds: [],
  responses: [],
});
