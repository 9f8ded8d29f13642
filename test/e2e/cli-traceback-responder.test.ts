import { afterAll, expect, test } from 'vitest';
import { createTestKey } from '@hopback/sdk/testing';
import { MACHINE_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import { createTracebackResponder, DEFAULT_TRACEBACK_POLICY, waitingDecisions } from '../../sdk/src/traceback/index.js';
import type { TracebackResponderOptions } from '../../sdk/src/traceback/index.js';
import { startAnswerPlatform } from '../support/answer-platform.js';
import { createCliLab } from '../support/cli-lab.js';
import { ANSWER_KEY_PEM, answerIn, answerSigner } from '../support/responder-lab.js';
import {
  aCandidate,
  aRequest,
  CALL_US,
  DIRECTORY,
  SECOND_ID,
  several,
  uniqueOf,
  US,
} from '../support/traceback-cases.js';

const NOW_MS = CALL_US / 1_000 + 3 * 3_600_000;
const SECOND = { recordId: SECOND_ID, callGroupId: 'g-2', inviteAtUs: CALL_US + 20_000_000 };
const SEVERAL = several([aCandidate(), aCandidate({ leg: SECOND, score: 0.9, downstream: 'unknown-egress' })]);

const lab = await createCliLab(NOW_MS);
const platform = await startAnswerPlatform();
const folder = lab.path('tracebacks');
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

const openResponder = async (directory: string, more: Partial<TracebackResponderOptions> = {}) =>
  createTracebackResponder({
    ...{ directory, provider: US, policy: DEFAULT_TRACEBACK_POLICY, trunks: DIRECTORY },
    findMatch: ({ requestId }) => Promise.resolve(requestId === 'r-1' ? uniqueOf() : SEVERAL),
    sources: () => Promise.resolve(['sbc-1']),
    isHeld: () => Promise.resolve(false),
    deadlineOf: () => ({ deemedReceivedAtMs: NOW_MS, dueAtMs: NOW_MS + 7_200_000 }),
    signer: await answerSigner(),
    limits: { inboxPollMs: 10 },
    ...more,
  });

/** The clock stands, and timers run. */
const clock = { ...MACHINE_CLOCK, nowMs: () => NOW_MS };

test('the queue of a running responder is listed, shown and decided from another process', async () => {
  await using responder = await openResponder(folder, { clock });
  for (const requestId of ['r-1', 'r-2', 'r-3']) await responder.submit(aRequest({ requestId }));
  await responder.settled();
  const list = await lab.run(['traceback', 'list', '--responder', folder]);
  expect(list.exitCode).toBe(0);
  expect(list.stdout).toContain('! r-2  review, queue traceback  close: due in 2 h 0 min (2026-11-02T19:41:10Z)');
  expect(list.stdout).toContain('several calls may be meant: two calls of that minute');
  const open = await lab.run(['traceback', 'list', '--responder', folder, '--state', 'review', '--json']);
  expect(open.json()).toMatchObject({
    format: 'hopback.traceback-list.1',
    requests: [{ requestId: 'r-2' }, { requestId: 'r-3' }],
  });

  const shown = await lab.run(['traceback', 'show', 'r-2', '--responder', folder, '--trace']);
  expect(shown.stdout).toContain('call 1: 2026-11-02T14:41:10Z, fits 100 %, 1 leg (0123456789abcdef0123456789abcdef)');
  expect(shown.stdout).toContain('telephone numbers are masked');
  expect(shown.stdout).toContain('! to whom it was sent is not known (--despite unknown-egress)');
  expect(shown.stdout).toContain('? one-call: several calls may be meant');
  expect(shown.stdout).not.toMatch(/5550[0-9]/);
  const full = await lab.run(['traceback', 'show', 'r-2', '--responder', folder, '--show-numbers', '--json']);
  expect(full.json()).toMatchObject({ format: 'hopback.review.1', isMasked: false, requestId: 'r-2' });

  const answer = [
    'traceback',
    'answer',
    'r-2',
    '--responder',
    folder,
    '--by',
    'duty engineer',
    '--arm',
    'received-from',
  ];
  const unconfirmed = await lab.run([...answer, '--call', '2']);
  expect([unconfirmed.exitCode, unconfirmed.stdout]).toEqual([1, expect.stringContaining('unknown-egress')]);
  const kept = await lab.run([...answer, '--call', '1', '--comment', 'by the SBC trace', '--wait', '10']);
  expect([kept.exitCode, kept.stdout]).toEqual([
    0,
    expect.stringContaining('received from Example Carrier Corp (OCN 0003)'),
  ]);
  await responder.settled();
  expect(responder.entry('r-2')?.answers[0]?.answer).toMatchObject({
    answeredBy: { kind: 'person', name: 'duty engineer' },
    comment: 'by the SBC trace',
  });
  // Only one responder may use the folder.
  const second = await lab.run([...answer, '--call', '1', '--amend', 'x', ...(await sending())]);
  expect([second.exitCode, second.stderr]).toEqual([4, expect.stringContaining('in use by another process')]);
  // The responder that holds the folder does not carry out what was refused.
  expect(await waitingDecisions(folder)).toEqual([]);
  expect(responder.entry('r-2')?.decisionIds).toHaveLength(1);
});

async function sending(url: string = platform.url): Promise<readonly string[]> {
  return [
    ...['--platform', url, '--token-file', await lab.put('token', 'c2VjcmV0\n')],
    ...['--key', await lab.put('answers.pem', ANSWER_KEY_PEM), '--key-id', 'answers-1'],
    ...['--receipt-keys', await lab.put('platform-keys.json', platform.keys)],
  ];
}

test('where no responder runs a decision waits for the next one, or is signed and sent by the command itself', async () => {
  platform.ask(aRequest({ requestId: 'r-3' }));
  const answer = ['traceback', 'answer', 'r-3', '--responder', folder, '--by', 'duty engineer', '--arm', 'refused'];
  expect((await lab.run(answer)).exitCode).toBe(1);
  const timedOut = await lab.run([...answer, '--reason', 'as counsel advised', '--wait', '1']);
  expect([timedOut.exitCode, timedOut.stdout]).toEqual([
    3,
    expect.stringContaining('nothing is signed until one runs'),
  ]);
  const list = await lab.run(['traceback', 'list', '--responder', folder]);
  expect(list.stdout).toMatch(
    /! r-3 .*\n(?: {4}.*\n){2} {4}! a decision of duty engineer waits for the responder to run: refused/,
  );
  const again = await lab.run([...answer, '--reason', 'otherwise', '--wait', '1']);
  expect([again.exitCode, again.stdout]).toEqual([
    1,
    expect.stringContaining('inbox: a decision of duty engineer waits'),
  ]);
  // A slip of the fingers takes nothing back.
  const slip = await lab.run([...answer, '--reason', 'x', '--replace', '--platform', platform.url]);
  expect([slip.exitCode, slip.stderr]).toEqual([2, expect.stringContaining('--platform needs --key')]);
  expect(await waitingDecisions(folder)).toMatchObject([{ reason: 'as counsel advised' }]);
  const sent = await lab.run([...answer, '--reason', 'as counsel advised', '--replace', ...(await sending())]);
  expect([sent.exitCode, sent.stderr]).toEqual([0, '']);
  expect(sent.stdout).toContain('the platform has it since');
  expect(sent.stdout).toContain('! it names no evidence pack');
  expect(await waitingDecisions(folder)).toEqual([]);
  const [jws] = platform.answers.get('r-3') ?? [];
  expect(answerIn(jws ?? '').finding).toEqual({ arm: 'refused', reason: 'as counsel advised' });
});

test('an answer that the command signs itself has evidence if its options say so, and reports that it was not delivered', async () => {
  await using other = await openResponder(lab.path('other'));
  await other.submit(aRequest({ requestId: 'r-8' }));
  await other.settled();
  await other.close();
  const answer = ['traceback', 'answer', 'r-8', '--responder', lab.path('other'), '--by', 'duty engineer'];
  const { privateKeyPem } = createTestKey('Ed25519');
  const evidence = [
    '--evidence-log',
    'example.com/evidence',
    '--evidence-key',
    await lab.put('log.pem', privateKeyPem),
  ];
  const args = [...answer, '--arm', 'received-from', '--call', SECOND_ID, '--despite', 'unknown-egress'];
  const confirmed = [...args, '--despite', 'another-fits-better', ...evidence];
  const sent = await lab.run([...confirmed, ...(await sending('http://127.0.0.1:1')), '--json']);
  // The same again would be another decision: what is signed waits.
  expect([sent.exitCode, sent.json()]).toMatchObject([
    3,
    { delivery: { state: 'waiting' }, evidence: { logId: 'example.com/evidence' } },
  ]);
  const list = await lab.run(['traceback', 'list', '--responder', lab.path('other')]);
  expect(list.stdout).toContain('signed, not delivered yet: received from Example Carrier Corp');
  const packs = await lab.run(['evidence', 'show', lab.path('other/evidence'), '--json']);
  expect(packs.json()).toMatchObject({ packs: [{ leafIndex: 0, answerLeafIndex: 1 }] });
});

test('a policy is tried on what was found for past requests', async () => {
  const trunks = await lab.put(
    'trunks.json',
    JSON.stringify({
      directoryId: 'trunks-8',
      trunks: [
        { trunk: 'in-1', provider: { name: 'Example Carrier Corp', ocn: '0003' } },
        { trunk: 'out-1', provider: { name: 'Example Wholesale Inc', ocn: '0002' } },
      ],
    }),
  );
  const policy = await lab.put(
    'policy.json',
    JSON.stringify({ policyId: 'stricter-1', automatic: { arms: ['not-found'] } }),
  );
  const args = ['traceback', 'policy', 'try', '--responder', folder, '--trunks', trunks];
  const own = await lab.run([...args, '--json']);
  expect(own.json()).toMatchObject({
    format: 'hopback.traceback-policy-trial.1',
    policyId: 'hopback-traceback-1',
    requests: 3,
    automatic: 1,
    review: 2,
    disagreements: 0,
  });
  const tried = await lab.run([...args, '--policy', policy]);
  expect(tried.stdout).toContain('policy stricter-1 on 3 past requests');
  expect(tried.stdout).toMatch(/arm: 3 held back, 1 by it alone/);
  expect((await lab.run([...args, '--policy', trunks])).exitCode).toBe(2);
});

test('a missing responder, request or name is reported', async () => {
  expect((await lab.run(['traceback', 'list'])).exitCode).toBe(2);
  expect((await lab.run(['traceback', 'list', '--responder', lab.directory])).exitCode).toBe(4);
  expect((await lab.run(['traceback', 'show', 'r-9', '--responder', folder])).exitCode).toBe(2);
  const answer = ['traceback', 'answer', 'r-3', '--responder', folder, '--arm'];
  expect((await lab.run([...answer, 'ambiguous'])).exitCode).toBe(2);
  const by = ['--by', 'duty engineer'];
  const alone = await lab.run([...answer, 'received-from', ...by, '--ocn', '0003']);
  expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining('--ocn needs --provider')]);
  const other = await lab.run([...answer, 'received-from', ...by, '--call', SECOND_ID, '--customer', 'C-9']);
  expect([other.exitCode, other.stdout]).toEqual([1, expect.stringContaining('customer: it is no part of an answer')]);
});
