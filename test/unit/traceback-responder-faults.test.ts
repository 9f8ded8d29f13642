import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HopbackError } from '../../sdk/src/errors.js';
import {
  TracebackResponder,
  TrunkDirectory,
  DEFAULT_TRACEBACK_POLICY,
  officeDeadline,
} from '../../sdk/src/traceback/index.js';
import { decisionResult, postDecision } from '../../sdk/src/traceback/responder/decision-inbox.js';
import type { ResponderEvent } from '../../sdk/src/traceback/index.js';
import { createKeyedWork } from '../../sdk/src/traceback/responder/responder-core.js';
import { canonicalJson } from '../../sdk/src/traceback/evidence/evidence-manifest.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import {
  answerIn,
  answerSigner,
  askedResponder,
  createResponderClock,
  evidenceWriter,
  never,
  notice,
  openResponder,
  PACK,
  pass,
  PLACE,
  PORTS,
  receiptOf,
  requests,
  throughPort,
  turns,
  until,
} from '../support/responder-lab.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';
import {
  aCandidate,
  aDecision,
  aRequest,
  SECOND_ID,
  several,
  SEVERAL_CALLS,
  uniqueOf,
} from '../support/traceback-cases.js';

const HOUR_MS = 3_600_000;

const refuseSync = (operation: string): 'EIO' | undefined => (operation === 'datasync' ? 'EIO' : undefined);

test('a decision and a cancellation that the disk refused are carried out once they come again', async () => {
  const files = createSimulatedLogFiles();
  await using lab = await openResponder({ files, findMatch: async () => SEVERAL_CALLS });
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
});

test('a decision that the disk took late is carried out, and an escalation that it refused is made once it is back', async () => {
  const files = createSimulatedLogFiles();
  await using lab = await askedResponder({ files, findMatch: async () => SEVERAL_CALLS });
  await pass(lab, 19 * HOUR_MS);
  files.setFault(refuseSync);
  lab.clock.advance(HOUR_MS);
  await turns();
  files.setFault(undefined);
  await pass(lab, HOUR_MS);
  const steps = lab.events.flatMap((event) => (event.kind === 'escalation' ? [event.step] : []));
  expect(steps).toEqual([1]);
  files.setFault(refuseSync);
  await expect(lab.responder.decide(aDecision())).rejects.toMatchObject({ code: 'storage-failed' });
  files.setFault(undefined);
  await pass(lab, 2 * HOUR_MS);
  expect(lab.responder.list()[0]?.state).toBe('acknowledged');
});

test('an answer to a notice that comes during a notification is not forgotten', async () => {
  let goOn = (): void => undefined;
  const told: ResponderEvent[] = [];
  await using lab = await openResponder({
    notify: (event) => {
      told.push(event);
      return new Promise((resolve) => (goOn = resolve));
    },
  });
  const { responder, clock } = lab;
  await responder.trackNotice(notice(clock.nowMs()));
  clock.advance(44 * HOUR_MS);
  await turns();
  expect(told).toHaveLength(1);
  await responder.noticeAnswered('n-1', 'mitigation');
  goOn();
  await turns();
  expect(responder.notices()[0]?.mitigation).toMatchObject({ doneAtMs: clock.nowMs(), escalated: 1 });
});

test.each(PORTS)('a call of %s that hangs is given up, and does not hold up other requests', async (port, kind) => {
  let isHanging = false;
  const hangOnce = <Value>(act: () => Promise<Value>): Promise<Value> => {
    if (isHanging) return act();
    isHanging = true;
    return never();
  };
  await using lab = await openResponder({ ...(await throughPort(port, hangOnce)), limits: { concurrency: 1 } });
  const { responder, clock } = lab;
  for (const request of requests(2)) await responder.submit(request);
  await until(() => isHanging);
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
});

test.each(PORTS)('a call of %s that fails is tried again, and the request is answered once', async (port, kind) => {
  let attempts = 0;
  const failThrice = <Value>(act: () => Promise<Value>): Promise<Value> => {
    attempts += 1;
    return attempts <= 3 ? Promise.reject(new Error('not now')) : act();
  };
  await using lab = await openResponder(await throughPort(port, failThrice));
  await lab.responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect([lab.responder.statistics().failures[kind], attempts]).toEqual([3, 4]);
  expect(lab.responder.list()[0]?.state).toBe('acknowledged');
  expect(lab.desk.deliveries).toHaveLength(1);
});

const HALF = '\ud83d';

test('half surrogate pairs in texts are replaced, so that evidence and answer can be written', async () => {
  const written: unknown[] = [];
  const evidence = evidenceWriter({
    write: async (material) => {
      await Promise.resolve();
      written.push(JSON.parse(canonicalJson({ ...material, received: { ...material.received, bytes: '' } })));
      return PACK;
    },
  });
  await using lab = await openResponder({
    evidence,
    findMatch: async () =>
      several([aCandidate({ leg: { legId: `leg${HALF}` } }), aCandidate({ leg: { recordId: SECOND_ID } })]),
  });
  const { responder, desk } = lab;
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
});

test.each([
  ['evidence', 'evidence', 'invalid-argument'],
  ['signer', 'signing', 'signer-failed'],
] as const)(
  'a person decides anew about an answer that %s can never give, and sees the reason',
  async (port, kind, code) => {
    let attempts = 0;
    let isBroken = true;
    const fail = async <Value>(otherwise: () => Promise<Value>): Promise<Value> => {
      attempts += 1;
      if (isBroken) throw new HopbackError(code, 'it cannot hold that');
      return otherwise();
    };
    await using lab = await openResponder(await throughPort(port, fail));
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
    // The same with an amendment: the first answer stands, and a person has to look.
    isBroken = true;
    await responder.decide(aDecision({ decisionId: 'd-3', amendReason: 'wrong trunk' }));
    await responder.settled();
    expect(responder.list()[0]).toMatchObject({ state: 'review', revisions: 1 });
    expect(lab.events.at(-1)).toMatchObject({ kind: 'review-wanted' });
  },
);

test('an answer that the journal has no room for goes to a person, and is not signed again and again', async () => {
  let signatures = 0;
  const count = <Value>(sign: () => Promise<Value>): Promise<Value> => {
    signatures += 1;
    return sign();
  };
  await using lab = await askedResponder(await throughPort('signer', count));
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

test('a receipt goes into the evidence once, whatever fails in between', async () => {
  const files = createSimulatedLogFiles();
  const attached: unknown[] = [];
  let failures = 0;
  const evidence = evidenceWriter({
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
  // It is acknowledged and people are notified: only the evidence is left.
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

test('a receipt that the evidence refuses is not offered again and again', async () => {
  let asked = 0;
  const evidence = evidenceWriter({
    attachAnswer: () => {
      asked += 1;
      return Promise.reject(new HopbackError('invalid-argument', 'there is no pack of that name'));
    },
  });
  await using lab = await openResponder({ evidence });
  await lab.responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(asked).toBe(2);
  expect(lab.responder.entry('r-1')?.answers[0]?.filed).toMatchObject({ state: 'refused' });
  expect(lab.responder.list()).toMatchObject([{ state: 'acknowledged', isUnfiled: false }]);
});

test('where the platform proves that it has other bytes a person sees both digests, and nothing is sent again', async () => {
  await using lab = await openResponder({
    fault: ({ answerId }) => ({
      status: 'taken',
      receipt: receiptOf({ requestId: 'r-1', answerId, jws: 'x', idempotencyKey: 'x' }),
    }),
  });
  const { responder, desk } = lab;
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
});

test('a request that the platform reports as cancelled is over, and nothing is sent again', async () => {
  await using lab = await openResponder({ fault: () => ({ status: 'cancelled', detail: 'no answer is wanted' }) });
  await lab.responder.submit(aRequest());
  await pass(lab, 2 * HOUR_MS);
  expect(lab.desk.deliveries).toHaveLength(1);
  expect(lab.responder.list()[0]?.state).toBe('cancelled');
  expect(lab.events.map(({ kind }) => kind)).toEqual(['request-cancelled']);
  expect(lab.responder.statistics()).toMatchObject({ cancelled: 1, backlog: 0 });
  expect(await lab.responder.decide(aDecision({ amendReason: 'x' }))).toMatchObject({ status: 'refused' });
});

test('more revisions than steps in a row all arrive, in their order', async () => {
  await using lab = await askedResponder({ fault: () => ({ status: 'unavailable', detail: 'down' }) });
  for (let revision = 2; revision <= 20; revision += 1) {
    const amended = aDecision({ decisionId: `d-${String(revision)}`, amendReason: 'looked again' });
    expect(await lab.responder.decide(amended)).toMatchObject({ status: 'accepted', revision });
    await lab.responder.settled();
  }
  lab.desk.setFault(undefined);
  // One attempt closes the breaker, and the other revisions have to follow it.
  lab.clock.advance(600_000);
  for (let turn = 0; turn < 5; turn += 1) await lab.responder.settled();
  const taken = [...lab.desk.taken.values()].map(({ jws }) => answerIn(jws).revision);
  expect(taken).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(lab.responder.list()[0]?.state).toBe('acknowledged');
});

test('a source knows which requests are open', async () => {
  let standing: { readonly open: () => readonly string[] } = { open: () => [] };
  await using lab = await openResponder({
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
  const { responder, desk } = lab;
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
});

test('what in the inbox cannot be read is put aside with a reason, and the others are carried out', async () => {
  await using directory = await createTemporaryDirectory();
  const inbox = join(directory.path, 'inbox');
  await mkdir(join(inbox, 'a-folder.decision.json'), { recursive: true });
  await symlink('a-loop.decision.json', join(inbox, 'a-loop.decision.json'));
  await writeFile(join(inbox, 'a-scrap.decision.json'), '{');
  const clock = createResponderClock();
  const problems: string[] = [];
  const responder = await TracebackResponder.open({
    directory: directory.path,
    provider: { name: 'Example Telecom LLC' },
    policy: DEFAULT_TRACEBACK_POLICY,
    trunks: new TrunkDirectory({ directoryId: 'd', providers: [], entries: [] }),
    findMatch: async () => SEVERAL_CALLS,
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

test('a notifier that never answers holds up no answer, and is asked again about each', async () => {
  let asked = 0;
  await using lab = await openResponder({
    limits: { concurrency: 1 },
    notify: () => {
      asked += 1;
      return never();
    },
  });
  for (const request of requests(50)) await lab.responder.submit(request);
  await until(() => lab.desk.taken.size === 50);
  expect(lab.desk.taken.size).toBe(50);
  expect(asked).toBeLessThan(50);
  for (let round = 0; round < 10; round += 1) {
    lab.clock.advance(30_000);
    await until(() => lab.responder.statistics().failures.notify >= Math.min(50, 16 * (round + 1)));
  }
  expect(asked).toBeGreaterThanOrEqual(50);
});

test('a cancellation that comes while a call is looked up is heard before anything is sent', async () => {
  let found = (): void => undefined;
  await using lab = await openResponder({
    isHeld: async () => {
      await new Promise<void>((resolve) => (found = resolve));
      return false;
    },
  });
  await lab.responder.submit(aRequest());
  await until(() => found.name !== 'found');
  const cancelled = lab.responder.cancel('r-1');
  found();
  await cancelled;
  expect(lab.desk.deliveries).toEqual([]);
  expect(lab.responder.list()).toMatchObject([{ isCancelled: true }]);
});

test('one answer that the platform bars while it takes the others keeps none of them waiting for long', async () => {
  await using lab = await openResponder({
    fault: ({ requestId }) => (requestId === 'r-1' ? { status: 'barred', detail: 'forbidden' } : undefined),
  });
  const { responder, clock } = lab;
  const waits: number[] = [];
  for (const request of requests(100)) {
    await responder.submit(request);
    for (let minute = 0; minute < 5; minute += 1) {
      await responder.settled();
      clock.advance(60_000);
    }
  }
  await responder.settled();
  for (const { requestId, receivedAtMs } of responder.list()) {
    const delivery = responder.entry(requestId)?.answers[0]?.delivery;
    if (delivery?.state === 'acknowledged') waits.push(delivery.atMs - receivedAtMs);
  }
  expect(waits).toHaveLength(99);
  // The first of the others: until it arrives the platform might be the reason.
  expect(waits.filter((ms) => ms > 0)).toHaveLength(1);
});

test('work that waits for its turn at a key takes no place in its lane', async () => {
  const done: string[] = [];
  let goOn = (): void => undefined;
  const work = createKeyedWork({
    one: { concurrency: 1, isExclusive: true, run: async (key) => void done.push(key) },
  });
  const held = work.exclusively('a', () => new Promise<void>((resolve) => (goOn = resolve)));
  await Promise.resolve();
  work.enqueue('a', 'one');
  work.enqueue('b', 'one');
  await until(() => done.length > 0);
  expect(done).toEqual(['b']);
  goOn();
  await held;
  await work.idle();
  expect(done).toEqual(['b', 'a']);
  await work.stop();
});
