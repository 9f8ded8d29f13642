import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HopbackError } from '../../sdk/src/errors.js';
import type { FccNotice } from '../../sdk/src/contract/alert.js';
import {
  createTracebackResponder,
  createTrunkDirectory,
  decisionResult,
  DEFAULT_TRACEBACK_POLICY,
  officeDeadline,
  postDecision,
} from '../../sdk/src/traceback/index.js';
import type {
  EvidenceWriter,
  ResponderEvent,
  StandingRequests,
  TracebackResponder,
} from '../../sdk/src/traceback/index.js';
import { canonicalJson } from '../../sdk/src/traceback/evidence/evidence-manifest.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import {
  answerIn,
  answerSigner,
  createAnswerDesk,
  createResponderClock,
  openResponder,
  receiptOf,
} from '../support/responder-lab.js';
import type { ResponderClock } from '../support/responder-lab.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';
import {
  aCandidate,
  aDecision,
  aRequest,
  SECOND_ID,
  SEVERAL_CALLS,
  uniqueOf,
  UPSTREAM,
} from '../support/traceback-cases.js';

const HOUR_MS = 3_600_000;
const never = <Value>(): Promise<Value> => new Promise(() => undefined);

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Signatures are made by other threads: so many turns are enough on any machine. */
async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 100_000 && !isSo(); round += 1) await turns(1);
}

/** Lets time pass in steps, and what falls due be done. */
async function pass({ clock, responder }: { clock: ResponderClock; responder: TracebackResponder }, ms: number) {
  for (let passed = 0; passed < ms; passed += 600_000) {
    clock.advance(600_000);
    for (let turn = 0; turn < 5; turn += 1) await responder.settled();
  }
}

const refuseSync = (operation: string): 'EIO' | undefined => (operation === 'datasync' ? 'EIO' : undefined);

test('a decision and a cancellation that the disk refused are carried out once they come again', async () => {
  const files = createSimulatedLogFiles();
  const lab = await openResponder({ files, findMatch: () => Promise.resolve(SEVERAL_CALLS) });
  const { responder, desk } = lab;
  await responder.submit(aRequest());
  await responder.submit(aRequest({ requestId: 'r-2' }));
  await responder.settled();
  files.setFault(refuseSync);
  const refused = await Promise.allSettled([responder.decide(aDecision()), responder.cancel('r-2')]);
  expect(refused).toMatchObject([{ reason: { code: 'storage-failed' } }, { reason: { code: 'storage-failed' } }]);
  files.setFault(undefined);
  await turns();
  lab.clock.advance(60_000);
  expect(await responder.decide(aDecision())).toEqual({ status: 'repeated' });
  await responder.cancel('r-2');
  await responder.settled();
  expect(desk.deliveries.map(({ jws }) => answerIn(jws).requestId)).toEqual(['r-1']);
  expect(lab.events.filter(({ kind }) => kind === 'request-cancelled')).toHaveLength(1);
  await responder.close();
});

test('what the disk took late is carried on though nobody comes again', async () => {
  const files = createSimulatedLogFiles();
  const lab = await openResponder({ files, findMatch: () => Promise.resolve(SEVERAL_CALLS) });
  await lab.responder.submit(aRequest());
  await lab.responder.settled();
  files.setFault(refuseSync);
  await expect(lab.responder.decide(aDecision())).rejects.toMatchObject({ code: 'storage-failed' });
  files.setFault(undefined);
  await pass(lab, 2 * HOUR_MS);
  expect(lab.responder.list()[0]?.state).toBe('acknowledged');
  await lab.responder.close();
});

test('an escalation whose save the disk refused is told once the disk is back', async () => {
  const files = createSimulatedLogFiles();
  const lab = await openResponder({ files, findMatch: () => Promise.resolve(SEVERAL_CALLS) });
  await lab.responder.submit(aRequest());
  await lab.responder.settled();
  await pass(lab, 19 * HOUR_MS);
  files.setFault(refuseSync);
  lab.clock.advance(HOUR_MS);
  await turns();
  files.setFault(undefined);
  await pass(lab, HOUR_MS);
  const steps = lab.events.flatMap((event) => (event.kind === 'escalation' ? [event.step] : []));
  expect(steps).toEqual([1]);
  await lab.responder.close();
});

test('that nobody has answered is told too where the records cannot be read', async () => {
  const lab = await openResponder({ findMatch: () => Promise.reject(new Error('no store')) });
  await lab.responder.submit(aRequest());
  await pass(lab, 25 * HOUR_MS);
  const steps = lab.events.flatMap((event) => (event.kind === 'escalation' ? [event.step] : []));
  expect(steps).toEqual([1, 2, 3]);
  await lab.responder.close();
});

const notice = (nowMs: number): FccNotice => ({
  format: 'hopback.fcc-notice.1',
  noticeId: 'n-1',
  state: 'open',
  reference: 'EB-1',
  provider: UPSTREAM,
  issuedAt: new Date(nowMs).toISOString(),
  mitigationDueAt: new Date(nowMs + 48 * HOUR_MS).toISOString(),
  reportDueAt: new Date(nowMs + 336 * HOUR_MS).toISOString(),
  description: 'x',
  calls: [],
  tracebackIds: [],
  responses: [],
});

test('an answer to a notice that comes while people are being told is not forgotten', async () => {
  let goOn = (): void => undefined;
  const told: ResponderEvent[] = [];
  const { responder, clock } = await openResponder({
    notify: (event) => {
      told.push(event);
      return new Promise((resolve) => (goOn = resolve));
    },
  });
  await responder.trackNotice(notice(clock.nowMs()));
  clock.advance(44 * HOUR_MS);
  await turns();
  expect(told).toHaveLength(1);
  await responder.noticeAnswered('n-1', 'mitigation');
  goOn();
  await turns();
  expect(responder.notices()[0]?.mitigation).toMatchObject({ doneAtMs: clock.nowMs(), escalated: 1 });
  await responder.close();
});

test('a notifier that hangs over one request tells of the others, and of notices', async () => {
  const told: string[] = [];
  const { responder, clock } = await openResponder({
    findMatch: () => Promise.resolve(SEVERAL_CALLS),
    limits: { concurrency: 1 },
    notify: ({ eventId }) => {
      if (eventId.startsWith('r-1/')) return never();
      told.push(eventId);
      return undefined;
    },
  });
  await responder.submit(aRequest());
  await responder.submit(aRequest({ requestId: 'r-2' }));
  await responder.trackNotice(notice(clock.nowMs()));
  await turns();
  clock.advance(44 * HOUR_MS);
  await until(() => told.length >= 3);
  expect(told).toEqual(expect.arrayContaining(['r-2/review-wanted/0', 'n-1/mitigation/1']));
  await responder.close();
});

const PACK = { packId: 'p-1', manifestSha256: 'a'.repeat(64), logId: 'l-1', leafIndex: 7 };
const PLACE = { packId: 'p-1', answerSha256: '', logId: 'l-1', leafIndex: 8 };
const writerOf = (more: Partial<EvidenceWriter>): EvidenceWriter => ({
  write: ({ answer }) => Promise.resolve({ ...PACK, packId: `p-${answer.requestId}` }),
  attachAnswer: () => Promise.resolve(PLACE),
  ...more,
});

/** What hangs the first time that it is asked. */
function hangsOnce() {
  let isHanging = false;
  const ask = <Value>(otherwise: () => Promise<Value>): Promise<Value> => {
    if (isHanging) return otherwise();
    isHanging = true;
    return never();
  };
  return { ask, isHanging: () => isHanging };
}

test.each([
  ['sources', 'match'],
  ['isHeld', 'match'],
  ['evidence', 'evidence'],
  ['signer', 'signing'],
  ['transport', 'delivery'],
  ['notify', 'notify'],
] as const)('what hangs is given up, and holds nothing up: %s', async (port, kind) => {
  const desk = createAnswerDesk();
  const signer = await answerSigner();
  const { ask, isHanging } = hangsOnce();
  const { transport, verifyReceipt } = desk;
  const { responder, clock } = await openResponder({
    ...(port === 'sources' ? { sources: () => ask(() => Promise.resolve(['sbc-1'])) } : {}),
    ...(port === 'isHeld' ? { isHeld: () => ask(() => Promise.resolve(false)) } : {}),
    ...(port === 'evidence' ? { evidence: writerOf({ write: () => ask(() => Promise.resolve(PACK)) }) } : {}),
    ...(port === 'signer' ? { signer: { ...signer, sign: (input) => ask(() => signer.sign(input)) } } : {}),
    ...(port === 'notify' ? { notify: () => ask(() => Promise.resolve()) } : {}),
    ...(port === 'transport'
      ? { platform: { verifyReceipt, transport: { deliver: (...answer) => ask(() => transport.deliver(...answer)) } } }
      : { platform: { verifyReceipt, transport } }),
    limits: { concurrency: 1 },
  });
  for (const requestId of ['r-1', 'r-2']) await responder.submit(aRequest({ requestId }));
  await until(isHanging);
  const stateOf = (id: string): unknown => responder.list().find(({ requestId }) => requestId === id)?.state;
  // Platform and people hold up only their own; the one place at the store is taken until it is given up.
  if (kind !== 'delivery' && kind !== 'notify') {
    expect(stateOf('r-2')).toBe('received');
    clock.advance(120_000);
  }
  await until(() => stateOf('r-2') === 'acknowledged');
  expect(stateOf('r-2')).toBe('acknowledged');
  clock.advance(120_000);
  await until(() => responder.statistics().failures[kind] > 0);
  expect(responder.statistics().failures[kind]).toBe(1);
  clock.advance(600_000);
  await until(() => stateOf('r-1') === 'acknowledged');
  expect(stateOf('r-1')).toBe('acknowledged');
  await responder.close();
});

const HALF = '\ud83d';

test('texts that are not well-formed are answered with: half a character is replaced, and nothing is tried for ever', async () => {
  const written: unknown[] = [];
  const evidence = writerOf({
    write: async (material) => {
      await Promise.resolve();
      written.push(JSON.parse(canonicalJson({ ...material, received: { ...material.received, bytes: '' } })));
      return PACK;
    },
  });
  const { responder, desk } = await openResponder({
    evidence,
    findMatch: () =>
      Promise.resolve({
        ...SEVERAL_CALLS,
        candidates: [aCandidate({ leg: { legId: `leg${HALF}` } }), aCandidate({ leg: { recordId: SECOND_ID } })],
      }),
  });
  await responder.submit(aRequest({ campaign: { name: `SSA ${HALF}` } }), { via: `paste ${HALF}` });
  await responder.settled();
  await responder.decide(aDecision({ by: `duty ${HALF}`, comment: `as ${HALF}` }));
  await responder.settled();
  expect(responder.statistics().failures.evidence).toBe(0);
  expect(responder.list()[0]?.state).toBe('acknowledged');
  expect(written).toHaveLength(1);
  expect(answerIn(desk.deliveries[0]?.jws ?? '')).toMatchObject({
    answeredBy: { name: 'duty \ufffd' },
    comment: 'as \ufffd',
  });
  expect(responder.entry('r-1')?.request.campaign?.name).toBe('SSA \ufffd');
  await responder.close();
});

test.each([
  ['evidence', 'invalid-argument'],
  ['signing', 'signer-failed'],
] as const)('what can never be given goes to a person with the reason, who may decide anew: %s', async (kind, code) => {
  let attempts = 0;
  let isBroken = true;
  const fail = async <Value>(otherwise: () => Promise<Value>): Promise<Value> => {
    attempts += 1;
    if (isBroken) throw new HopbackError(code, 'it cannot hold that');
    return otherwise();
  };
  const signer = await answerSigner();
  const lab = await openResponder(
    kind === 'evidence'
      ? { evidence: writerOf({ write: () => fail(() => Promise.resolve(PACK)) }) }
      : { signer: { ...signer, sign: (input) => fail(() => signer.sign(input)) } },
  );
  const { responder } = lab;
  await responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(attempts).toBe(1);
  expect(responder.list()).toMatchObject([{ state: 'review', queue: 'traceback' }]);
  expect(responder.review('r-1')?.reasons).toEqual([
    `the answer could not be given (${kind}): ${code}: it cannot hold that`,
  ]);
  expect(responder.review('r-1')?.proposed?.finding).toMatchObject({ arm: 'received-from' });
  expect(lab.events.map(({ kind: event }) => event)).toEqual(['review-wanted']);
  await responder.decide(aDecision());
  await responder.settled();
  expect(responder.list()[0]?.state).toBe('review');
  expect(lab.events).toHaveLength(2);
  isBroken = false;
  await responder.decide(aDecision({ decisionId: 'd-2' }));
  await responder.settled();
  expect(responder.list()[0]?.state).toBe('acknowledged');
  // The same with an amendment: what stands is the first, and somebody has to look.
  isBroken = true;
  await responder.decide(aDecision({ decisionId: 'd-3', amendReason: 'wrong trunk' }));
  await responder.settled();
  expect(responder.list()[0]).toMatchObject({ state: 'review', revisions: 1 });
  expect(lab.events.at(-1)).toMatchObject({ kind: 'review-wanted' });
  await responder.close();
});

test('an answer that the journal has no room for goes to a person, and is not signed again and again', async () => {
  let signatures = 0;
  const signer = await answerSigner();
  const lab = await openResponder({
    signer: {
      ...signer,
      sign: (input) => {
        signatures += 1;
        return signer.sign(input);
      },
    },
  });
  await lab.responder.submit(aRequest());
  await lab.responder.settled();
  let amendments = 0;
  while (lab.responder.list()[0]?.state === 'acknowledged' && amendments < 10) {
    amendments += 1;
    // Five such answers and one that is about to be signed fit, six do not.
    const comment = 'x'.repeat(75_000);
    await lab.responder.decide(aDecision({ decisionId: `d-${String(amendments)}`, amendReason: 'again', comment }));
    await lab.responder.settled();
  }
  await pass(lab, HOUR_MS);
  expect(lab.responder.list()).toMatchObject([{ state: 'review', revisions: 6 }]);
  expect(lab.responder.review('r-1')?.reasons[0]).toMatch(
    /^the answer could not be given \(storage\): invalid-argument/,
  );
  expect(signatures).toBe(7);
  await lab.responder.close();
});

test('a responder whose source cannot be made leaves nothing open', async () => {
  const files = createSimulatedLogFiles();
  const make = (): never => {
    throw new HopbackError('invalid-argument', 'no such source');
  };
  await expect(openResponder({ files, requests: make })).rejects.toMatchObject({ code: 'invalid-argument' });
  const { responder } = await openResponder({ files });
  expect(await responder.submit(aRequest())).toMatchObject({ status: 'accepted' });
  await responder.close();
});

test('a signer that is away for a while is waited for', async () => {
  const signer = await answerSigner();
  let failures = 0;
  const lab = await openResponder({
    signer: {
      ...signer,
      sign: (input) => {
        failures += 1;
        return failures <= 3 ? Promise.reject(new Error('away')) : signer.sign(input);
      },
    },
  });
  await lab.responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(lab.responder.list()[0]?.state).toBe('acknowledged');
  await lab.responder.close();
});

test('a receipt goes into the evidence once, whatever fails in between', async () => {
  const files = createSimulatedLogFiles();
  const attached: unknown[] = [];
  let failures = 0;
  const evidence = writerOf({
    attachAnswer: (packId, { answerJws, receiptJws }) => {
      if (receiptJws !== undefined) failures += 1;
      if (receiptJws !== undefined && failures <= 2) return Promise.reject(new Error('no disk'));
      attached.push([packId, answerIn(answerJws).requestId, receiptJws]);
      return Promise.resolve(PLACE);
    },
  });
  const first = await openResponder({ files, evidence });
  await first.responder.submit(aRequest());
  await first.responder.settled();
  // It is acknowledged, and people are told: the evidence is what is left.
  expect(first.responder.list()).toMatchObject([{ state: 'acknowledged', isUnfiled: true }]);
  expect(first.events.map(({ kind }) => kind)).toEqual(['answer-sent']);
  await first.responder.close();
  const second = await openResponder({ files, evidence, desk: first.desk, clock: first.clock });
  await second.responder.settled();
  await pass(second, HOUR_MS);
  const receipt = receiptOf(first.desk.deliveries[0] ?? { requestId: '', answerId: '', jws: '', idempotencyKey: '' });
  expect(attached).toEqual([
    ['p-r-1', 'r-1', undefined],
    ['p-r-1', 'r-1', receipt],
  ]);
  expect(second.responder.list()).toMatchObject([{ state: 'acknowledged', isUnfiled: false }]);
  await second.responder.close();
  const third = await openResponder({ files, evidence, desk: first.desk, clock: first.clock });
  await third.responder.settled();
  expect(attached).toHaveLength(2);
  expect(third.responder.entry('r-1')?.answers[0]?.filed).toMatchObject({ state: 'kept' });
  await third.responder.close();
});

test('evidence that will never have a receipt is not asked for ever', async () => {
  let asked = 0;
  const evidence = writerOf({
    attachAnswer: () => {
      asked += 1;
      return Promise.reject(new HopbackError('invalid-argument', 'there is no pack of that name'));
    },
  });
  const lab = await openResponder({ evidence });
  await lab.responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(asked).toBe(2);
  expect(lab.responder.entry('r-1')?.answers[0]?.filed).toMatchObject({ state: 'refused' });
  expect(lab.responder.list()).toMatchObject([{ state: 'acknowledged', isUnfiled: false }]);
  await lab.responder.close();
});

test('where the platform proves that it has other bytes a person sees both digests, and nothing is sent again', async () => {
  const desk = createAnswerDesk();
  desk.setFault(({ answerId }) => ({
    status: 'taken',
    receipt: receiptOf({ requestId: 'r-1', answerId, jws: 'x', idempotencyKey: 'x' }),
  }));
  const lab = await openResponder({ desk });
  const { responder } = lab;
  await responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(desk.deliveries).toHaveLength(1);
  expect(responder.list()[0]?.state).toBe('blocked');
  expect(lab.events.map(({ kind }) => kind)).toEqual(['answer-refused']);
  const [given] = responder.review('r-1')?.given ?? [];
  const [, theirs] = receiptOf({ requestId: 'r-1', answerId: '', jws: 'x', idempotencyKey: 'x' }).split(' ');
  const [, ours] = receiptOf(desk.deliveries[0] ?? { requestId: '', answerId: '', jws: '', idempotencyKey: '' }).split(
    ' ',
  );
  expect(given).toMatchObject({ delivery: 'refused' });
  expect(given?.detail).toContain(theirs);
  expect(given?.detail).toContain(ours);
  await responder.close();
});

test('a request of which the platform says that it is cancelled is over: nothing is sent again', async () => {
  const desk = createAnswerDesk();
  desk.setFault(() => ({ status: 'cancelled', detail: 'no answer is wanted' }));
  const lab = await openResponder({ desk });
  await lab.responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(desk.deliveries).toHaveLength(1);
  expect(lab.responder.list()[0]?.state).toBe('cancelled');
  expect(lab.events.map(({ kind }) => kind)).toEqual(['request-cancelled']);
  expect(lab.responder.statistics()).toMatchObject({ cancelled: 1, backlog: 0 });
  expect(await lab.responder.decide(aDecision({ amendReason: 'x' }))).toMatchObject({ status: 'refused' });
  await lab.responder.close();
});

test('more revisions than steps in a row all arrive, in their order', async () => {
  const desk = createAnswerDesk();
  desk.setFault(() => ({ status: 'unavailable', detail: 'down' }));
  const lab = await openResponder({ desk });
  await lab.responder.submit(aRequest());
  await lab.responder.settled();
  for (let revision = 2; revision <= 20; revision += 1) {
    const amended = aDecision({ decisionId: `d-${String(revision)}`, amendReason: 'looked again' });
    expect(await lab.responder.decide(amended)).toMatchObject({ status: 'accepted', revision });
    await lab.responder.settled();
  }
  desk.setFault(undefined);
  clearBreaker(lab.clock);
  for (let turn = 0; turn < 5; turn += 1) await lab.responder.settled();
  const taken = [...desk.taken.values()].map(({ jws }) => answerIn(jws).revision);
  expect(taken).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(lab.responder.list()[0]?.state).toBe('acknowledged');
  await lab.responder.close();
});

/** A single attempt is permitted: whatever is left after it has nobody who calls it. */
function clearBreaker(clock: ResponderClock): void {
  clock.advance(600_000);
}

test('a source is told which requests stand open', async () => {
  let standing: StandingRequests = { open: () => [] };
  const { responder, desk } = await openResponder({
    findMatch: ({ requestId }) => Promise.resolve(requestId === 'r-1' ? uniqueOf() : SEVERAL_CALLS),
    requests: (given) => {
      standing = given;
      return {
        [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
        close: () => Promise.resolve(),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  });
  for (const requestId of ['r-1', 'r-2', 'r-3']) await responder.submit(aRequest({ requestId }));
  await responder.settled();
  expect(standing.open()).toEqual(['r-2', 'r-3']);
  await responder.cancel('r-2');
  await responder.settled();
  expect(standing.open()).toEqual(['r-3']);
  // One that is signed goes out all the same; whether it is asked is known.
  desk.setFault(() => ({ status: 'unavailable', detail: 'down' }));
  await responder.decide(aDecision({ requestId: 'r-3' }));
  await responder.settled();
  expect(standing.open()).toEqual(['r-3']);
  await responder.cancel('r-3');
  expect([responder.list()[0]?.state, standing.open()]).toEqual(['signed', []]);
  await responder.close();
});

test('what in the inbox cannot be read is put aside with a reason, and the others are carried out', async () => {
  await using directory = await createTemporaryDirectory();
  const inbox = join(directory.path, 'inbox');
  await mkdir(join(inbox, 'a-folder.decision.json'), { recursive: true });
  await symlink('a-loop.decision.json', join(inbox, 'a-loop.decision.json'));
  await writeFile(join(inbox, 'a-scrap.decision.json'), '{');
  const clock = createResponderClock();
  const problems: string[] = [];
  const responder = await createTracebackResponder({
    directory: directory.path,
    provider: { name: 'Example Telecom LLC' },
    policy: DEFAULT_TRACEBACK_POLICY,
    trunks: createTrunkDirectory({ directoryId: 'd', providers: [], entries: [] }),
    findMatch: () => Promise.resolve(SEVERAL_CALLS),
    deadlineOf: officeDeadline({ zone: 'America/New_York' }),
    signer: await answerSigner(),
    clock,
    onProblem: ({ kind }) => void problems.push(kind),
  });
  await responder.submit(aRequest());
  await responder.settled();
  const { candidate: _none, ...refusal } = aDecision({ arm: 'refused', reason: 'as counsel advised' });
  await postDecision(directory.path, refusal);
  for (let round = 0; round < 1_000; round += 1) {
    if ((await decisionResult(directory.path, 'd-1')) !== undefined) break;
    clock.advance(1_000);
    // The disk takes its time, which the clock of the test knows nothing of.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await decisionResult(directory.path, 'd-1')).toMatchObject({ status: 'accepted' });
  for (const name of ['a-folder', 'a-loop', 'a-scrap'])
    expect(await decisionResult(directory.path, name)).toMatchObject({ status: 'unreadable' });
  expect(await readFile(join(inbox, 'a-folder.decision.aside')).catch((error: unknown) => error)).toMatchObject({
    code: 'EISDIR',
  });
  expect(problems).toEqual(['inbox', 'inbox']);
  await responder.close();
});
