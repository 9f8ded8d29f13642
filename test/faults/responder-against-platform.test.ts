import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryRecordStore } from '../../sdk/src/records/index.js';
import { sampleCallRecord, TestPlatform, TEST_TRUNKS } from '../../sdk/src/testing/index.js';
import type { EventFaultRule, PlatformFault } from '../../sdk/src/testing/index.js';
import { createCarrierResponder, type TracebackResponder } from '../../sdk/src/traceback/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

/** Each takes a second, or some where it is long. */
const RUNS = Number(process.env['HOPBACK_RESPONDER_RUNS'] ?? 4);
const US = 'prv-birch';

const fault: fc.Arbitrary<PlatformFault> = fc.constantFrom<PlatformFault>(
  { kind: 'rate-limited', retryAfterSeconds: 1 },
  { kind: 'server-error', status: 500 },
  { kind: 'server-error', status: 503, isCarriedOut: true },
  { kind: 'connection-reset' },
  { kind: 'connection-reset', isCarriedOut: true },
  { kind: 'slow', delayMs: 300 },
  { kind: 'truncated' },
  { kind: 'unknown-members' },
  { kind: 'missing-member' },
  { kind: 'expired-token' },
  { kind: 'forged-receipt' },
);
const eventFault: fc.Arbitrary<EventFaultRule['fault']> = fc.constantFrom('duplicate', 'late', 'lost');
type Step =
  | { readonly kind: 'ask' | 'cancel' | 'remind' | 'drop' | 'restart' | 'wait' }
  | { readonly kind: 'fault'; readonly fault: PlatformFault; readonly times: number }
  | { readonly kind: 'event-fault'; readonly fault: EventFaultRule['fault']; readonly times: number };
const plain = (kind: 'ask' | 'cancel' | 'remind' | 'drop' | 'restart' | 'wait'): fc.Arbitrary<Step> =>
  fc.constant({ kind });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: plain('ask') },
  { weight: 2, arbitrary: plain('cancel') },
  { weight: 1, arbitrary: plain('remind') },
  { weight: 1, arbitrary: plain('drop') },
  { weight: 2, arbitrary: plain('restart') },
  { weight: 2, arbitrary: plain('wait') },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('fault' as const), fault, times: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('event-fault' as const),
      fault: eventFault,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

test(
  'whatever fails in between, each request that is asked has one answer at the platform, and none that was cancelled before',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await run(steps);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  RUNS * 45_000,
);

async function run(steps: readonly Step[]): Promise<void> {
  await using folder = await createTemporaryDirectory();
  const directory = folder.path;
  await using platform = await TestPlatform.start();
  await using store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
  await store.insert([sampleCallRecord()]);
  await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
  const { client, answerKey } = platform.credentials(US);
  const problems: string[] = [];
  const open = (): Promise<TracebackResponder> =>
    createCarrierResponder({
      ...{ directory, store, answerKey, zone: 'America/New_York', trunks: TEST_TRUNKS },
      provider: { providerId: US, name: 'Birch Carrier Services Inc.' },
      platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
      onProblem: ({ kind, detail }) => void problems.push(`${kind}: ${detail}`),
    });
  let responder = await open();
  const asked: { requestId: string; tracebackId: string; cancelledUnanswered?: boolean }[] = [];
  try {
    for (const one of steps) {
      const last = asked.at(-1);
      if (one.kind === 'ask') {
        const tracebackId = platform.openTraceback();
        const { requestId } = await platform.requestTo(US, tracebackId);
        asked.push({ requestId, tracebackId });
      } else if (one.kind === 'cancel' && last !== undefined) {
        last.cancelledUnanswered ??= platform.request(last.requestId).state !== 'answered';
        platform.cancelTraceback(last.tracebackId);
      } else if (one.kind === 'remind' && last !== undefined) platform.remind(last.requestId);
      else if (one.kind === 'drop') platform.dropStreams();
      else if (one.kind === 'restart') {
        await responder.close();
        responder = await open();
      } else if (one.kind === 'wait') await sleep(30);
      else if (one.kind === 'fault') platform.injectFault({ fault: one.fault, times: one.times });
      else if (one.kind === 'event-fault') platform.injectEventFault({ fault: one.fault, times: one.times });
    }
    platform.releaseEvents();
    const isDone = ({ requestId, cancelledUnanswered }: (typeof asked)[number]): boolean =>
      cancelledUnanswered === true || platform.request(requestId).state === 'answered';
    // A restart is what a person would do; waits between attempts begin anew.
    for (let round = 0; round < 120 && !asked.every(isDone); round += 1) {
      await sleep(250);
      if (round % 8 !== 7) continue;
      await responder.close();
      responder = await open();
    }
    const undone = asked
      .filter((one) => !isDone(one))
      .map(({ requestId }) => ({
        requestId,
        state: [
          responder.entry(requestId)?.answers[0]?.delivery,
          responder.list().find((x) => x.requestId === requestId)?.state,
        ],
      }));
    expect({ undone, problems: undone.length > 0 ? problems : [] }).toEqual({ undone: [], problems: [] });
    await responder.settled();
    for (const call of asked) {
      const { requestId } = call;
      const entry = responder.entry(requestId);
      expect(entry?.answers.length ?? 0).toBeLessThanOrEqual(1);
      const jws = entry?.answers[0]?.jws;
      if (call.cancelledUnanswered === true) expect(platform.request(requestId).state).toBe('cancelled');
      else expect((await platform.answered(requestId)).jws).toBe(jws);
    }
    // A fault has the platform break its contract.
    platform.takeViolations();
  } finally {
    await responder.close();
  }
}
