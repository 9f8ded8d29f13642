import { createHash, generateKeyPairSync } from 'node:crypto';
import type { LogFiles } from '../../sdk/src/log/index.js';
import type { StreamClock } from '../../sdk/src/records/index.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import {
  createLocalAnswerSigner,
  createTracebackResponder,
  DEFAULT_TRACEBACK_POLICY,
} from '../../sdk/src/traceback/index.js';
import type {
  AnswerDelivery,
  AnswerSigner,
  AnswerToDeliver,
  AnswerTransport,
  ResponderEvent,
  ResponderProblem,
  TracebackAnswer,
  TracebackResponder,
  TracebackResponderOptions,
  VerifyReceipt,
} from '../../sdk/src/traceback/index.js';
import { createSimulatedLogFiles } from './simulated-log-files.js';
import { CALL_US, DIRECTORY, uniqueOf, US } from './traceback-cases.js';

/** A platform in memory: each answer once by its key, and every byte that ever came. */
export interface AnswerDesk {
  readonly transport: AnswerTransport;
  readonly verifyReceipt: VerifyReceipt;
  /** By idempotency key: what was taken. */
  readonly taken: ReadonlyMap<string, AnswerToDeliver>;
  readonly deliveries: readonly AnswerToDeliver[];
  /** In place of what it would say; called before anything is taken. */
  readonly setFault: (fault: ((answer: AnswerToDeliver) => AnswerDelivery | undefined) | undefined) => void;
  /** Requests of which answers with different bytes or keys have come. */
  readonly contradictions: () => number;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function createAnswerDesk(): AnswerDesk {
  const taken = new Map<string, AnswerToDeliver>();
  const deliveries: AnswerToDeliver[] = [];
  let fault: ((answer: AnswerToDeliver) => AnswerDelivery | undefined) | undefined;
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
  const { nowMs, schedule, advance } = createManualClock(CALL_US / 1_000 + 3 * 3_600_000);
  return { nowMs, schedule, advance, monotonicMs: nowMs };
}

/** A responder with everything that it rests on in memory. */
export interface ResponderLab {
  readonly responder: TracebackResponder;
  readonly clock: ResponderClock;
  readonly desk: AnswerDesk;
  readonly events: readonly ResponderEvent[];
  readonly problems: readonly ResponderProblem[];
}

export async function openResponder(
  more: Partial<TracebackResponderOptions> & { readonly desk?: AnswerDesk; readonly clock?: ResponderClock } = {},
): Promise<ResponderLab> {
  const { desk = createAnswerDesk(), clock = createResponderClock(), ...options } = more;
  const files: LogFiles = options.files ?? createSimulatedLogFiles();
  const events: ResponderEvent[] = [];
  const problems: ResponderProblem[] = [];
  const responder = await createTracebackResponder({
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
  return { responder, clock, desk, events, problems };
}
