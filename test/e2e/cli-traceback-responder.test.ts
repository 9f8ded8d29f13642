import { afterAll, expect, test } from 'vitest';
import { createTestKey } from '@hopback/sdk/testing';
import { MACHINE_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import { TracebackResponder, DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/index.js';
import { waitingDecisions } from '../../sdk/src/traceback/responder/decision-inbox.js';
import type { TracebackResponderOptions } from '../../sdk/src/traceback/index.js';
import { startAnswerPlatform } from '../support/answer-platform.js';
import { argv, createCliLab, type CliRun } from '../support/cli-lab.js';
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
  TracebackResponder.open({
    ...{ directory, provider: US, policy: DEFAULT_TRACEBACK_POLICY, trunks: DIRECTORY },
    findMatch: ({ requestId }) => Promise.resolve(requestId === 'r-1' ? uniqueOf() : SEVERAL),
    sources: () => Promise.resolve(['sbc-1']),
    isHeld: () => Promise.resolve(false),
    deadlineOf: () => ({ deemedReceivedAtMs: NOW_MS, dueAtMs: NOW_MS + 7_200_000 }),
    signer: await answerSigner(),
    limits: { inboxPollMs: 10 },
    ...more,
  });

const BY = ['--by', 'duty engineer'];
const traceback = (args: readonly string[]): Promise<CliRun> => lab.run(['traceback', ...args]);
const ended = (exitCode: number, text: string): object => ({
  exitCode,
  stdout: expect.stringContaining(text) as string,
});

/** The clock stands, and timers run. */
const clock = { ...MACHINE_CLOCK, nowMs: () => NOW_MS };

test('the queue of a running responder is listed, shown and decided from another process', async () => {
  await using responder = await openResponder(folder, { clock });
  for (const requestId of ['r-1', 'r-2', 'r-3']) await responder.submit(aRequest({ requestId }));
  await responder.settled();
  const list = await traceback(argv`list --responder ${folder}`);
  expect(list.exitCode).toBe(0);
  expect(list.stdout).toContain('! r-2  review, queue traceback  close: due in 2 h 0 min (2026-11-02T19:41:10Z)');
  expect(list.stdout).toContain('it is not certain which call is meant: two calls of that minute');
  const open = await traceback(argv`list --responder ${folder} --state review --json`);
  expect(open.json()).toMatchObject({
    format: 'hopback.traceback-list.1',
    requests: [{ requestId: 'r-2' }, { requestId: 'r-3' }],
  });

  const { stdout } = await traceback(argv`show r-2 --responder ${folder} --trace`);
  for (const text of [
    'call 1: 2026-11-02T14:41:10Z, fits 100 %, 1 leg (0123456789abcdef0123456789abcdef)',
    'telephone numbers are masked',
    '! the provider it was sent to is unknown (--despite unknown-egress)',
    '? one-call: it is not certain which call is meant',
  ])
    expect(stdout).toContain(text);
  expect(stdout).not.toMatch(/5550[0-9]/);
  const full = await traceback(argv`show r-2 --responder ${folder} --show-numbers --json`);
  expect(full.json()).toMatchObject({ format: 'hopback.review.1', isMasked: false, requestId: 'r-2' });

  const answer = argv`answer r-2 --responder ${folder} ${BY} --arm received-from`;
  expect(await traceback(argv`${answer} --call 2`)).toMatchObject(ended(1, 'unknown-egress'));
  const kept = await traceback(argv`${answer} --call 1 --comment ${'by the SBC trace'} --wait 10`);
  expect(kept).toMatchObject(ended(0, 'received from Example Carrier Corp (OCN 0003)'));
  await responder.settled();
  expect(responder.entry('r-2')?.answers[0]?.answer).toMatchObject({
    answeredBy: { kind: 'person', name: 'duty engineer' },
    comment: 'by the SBC trace',
  });
  // Only one responder may use the folder.
  const second = await traceback(argv`${answer} --call 1 --amend x ${await sending()}`);
  expect([second.exitCode, second.stderr]).toEqual([4, expect.stringContaining('in use by another process')]);
  // The responder that holds the folder does not carry out what was refused.
  expect(await waitingDecisions(folder)).toEqual([]);
  expect(responder.entry('r-2')?.decisionIds).toHaveLength(1);
});

async function sending(url: string = platform.url): Promise<readonly string[]> {
  const key = await lab.put('answers.pem', ANSWER_KEY_PEM);
  const keys = await lab.put('platform-keys.json', platform.keys);
  const token = await lab.put('token', 'c2VjcmV0\n');
  return argv`--platform ${url} --token-file ${token} --key ${key} --key-id answers-1 --receipt-keys ${keys}`;
}

test('where no responder runs a decision waits for the next one, or is signed and sent by the command itself', async () => {
  platform.ask(aRequest({ requestId: 'r-3' }));
  const answer = argv`answer r-3 --responder ${folder} ${BY} --arm refused`;
  const counsel = ['--reason', 'as counsel advised'];
  expect((await traceback(answer)).exitCode).toBe(1);
  const timedOut = await traceback(argv`${answer} ${counsel} --wait 1`);
  expect(timedOut).toMatchObject(ended(3, 'nothing is signed until one runs'));
  const list = await traceback(argv`list --responder ${folder}`);
  expect(list.stdout).toMatch(
    /! r-3 .*\n(?: {4}.*\n){2} {4}! a decision of duty engineer waits for the responder to run: refused/,
  );
  const again = await traceback(argv`${answer} --reason otherwise --wait 1`);
  expect(again).toMatchObject(ended(1, 'inbox: a decision of duty engineer waits'));
  // A slip of the fingers takes nothing back.
  const slip = await traceback(argv`${answer} --reason x --replace --platform ${platform.url}`);
  expect([slip.exitCode, slip.stderr]).toEqual([2, expect.stringContaining('--platform needs --key')]);
  expect(await waitingDecisions(folder)).toMatchObject([{ reason: 'as counsel advised' }]);
  const sent = await traceback(argv`${answer} ${counsel} --replace ${await sending()}`);
  expect([sent.exitCode, sent.stderr]).toEqual([0, '']);
  expect(sent.stdout).toContain('the platform has it since');
  expect(sent.stdout).toContain('! it names no evidence pack');
  expect(await waitingDecisions(folder)).toEqual([]);
  const [jws] = platform.answers.get('r-3') ?? [];
  expect(answerIn(jws ?? '').finding).toEqual({ arm: 'refused', reason: 'as counsel advised' });
});

test('an answer that the command signs itself has evidence if its options say so, and reports that it was not delivered', async () => {
  const directory = lab.path('other');
  await using other = await openResponder(directory);
  await other.submit(aRequest({ requestId: 'r-8' }));
  await other.settled();
  await other.close();
  const log = await lab.put('log.pem', createTestKey('Ed25519').privateKeyPem);
  const choice = argv`--arm received-from --call ${SECOND_ID} --despite unknown-egress --despite another-fits-better`;
  const evidence = argv`--evidence-log example.com/evidence --evidence-key ${log}`;
  const nowhere = await sending('http://127.0.0.1:1');
  const sent = await traceback(argv`answer r-8 --responder ${directory} ${BY} ${choice} ${evidence} ${nowhere} --json`);
  // The same again would be another decision: what is signed waits.
  expect([sent.exitCode, sent.json()]).toMatchObject([
    3,
    { delivery: { state: 'waiting' }, evidence: { logId: 'example.com/evidence' } },
  ]);
  const list = await traceback(argv`list --responder ${directory}`);
  expect(list.stdout).toContain('signed, not delivered yet: received from Example Carrier Corp');
  const packs = await lab.run(['evidence', 'show', lab.path('other/evidence'), '--json']);
  expect(packs.json()).toMatchObject({ packs: [{ leafIndex: 0, answerLeafIndex: 1 }] });
});

test('a policy is tried on what was found for past requests', async () => {
  const trunks = [
    { trunk: 'in-1', provider: { name: 'Example Carrier Corp', ocn: '0003' } },
    { trunk: 'out-1', provider: { name: 'Example Wholesale Inc', ocn: '0002' } },
  ];
  const file = await lab.put('trunks.json', JSON.stringify({ directoryId: 'trunks-8', trunks }));
  const stricter = { policyId: 'stricter-1', automatic: { arms: ['not-found'] } };
  const policy = await lab.put('policy.json', JSON.stringify(stricter));
  const args = argv`policy try --responder ${folder} --trunks ${file}`;
  expect((await traceback([...args, '--json'])).json()).toMatchObject({
    ...{ format: 'hopback.traceback-policy-trial.1', policyId: 'hopback-traceback-1' },
    ...{ requests: 3, automatic: 1, review: 2, disagreements: 0 },
  });
  const tried = await traceback([...args, '--policy', policy]);
  expect(tried.stdout).toContain('policy stricter-1 on 3 past requests');
  expect(tried.stdout).toMatch(/arm: 3 held back, 1 by it alone/);
  expect((await traceback([...args, '--policy', file])).exitCode).toBe(2);
});

test('a missing responder, request or name is reported', async () => {
  const answer = argv`answer r-3 --responder ${folder} --arm`;
  for (const [args, exitCode] of [
    [argv`list`, 2],
    [argv`list --responder ${lab.directory}`, 4],
    [argv`show r-9 --responder ${folder}`, 2],
    [argv`${answer} ambiguous`, 2],
  ] as const)
    expect([args, (await traceback(args)).exitCode]).toEqual([args, exitCode]);
  const alone = await traceback(argv`${answer} received-from ${BY} --ocn 0003`);
  expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining('--ocn needs --provider')]);
  const other = await traceback(argv`${answer} received-from ${BY} --call ${SECOND_ID} --customer C-9`);
  expect(other).toMatchObject(ended(1, 'customer: it is no part of an answer'));
});
