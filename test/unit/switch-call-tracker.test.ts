import { createMemoryRecordStore, rawEvidence, type CallRecord } from '@hopback/sdk/records';
import type { SigningOutcome } from '@hopback/sdk/stir';
import { ManualClock, createPassport } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { CallTracker, trunkPolicy, verifyIdentity } from '../../sdk/src/switch/index.js';
import type { CallTrackerOptions, TrackedCall } from '../../sdk/src/switch/index.js';
import type { BranchOptions } from '../../sdk/src/switch/calls/tracked-call.js';
import { Answer, came, Dialog, keepingSink, telling, type Telling } from '../support/tracked-calls.js';
import { createVerificationLab } from '../support/verification-lab.js';

function laboratory(options: Partial<CallTrackerOptions> = {}) {
  const clock = new ManualClock();
  const sink = keepingSink();
  const tracker = new CallTracker({
    source: { id: 'app-1', providers: { 'trunk-1': 'Upstream', '192.0.2.9': 'Downstream' } },
    ...{ sink, clock, trunkOf: () => 'trunk-1', ...options },
  });
  const begin = (request = telling()) => {
    const answer = new Answer();
    const call = tracker.begin(request, answer);
    /** A branch that was sent. */
    const sent = (address?: string, branch: BranchOptions = {}): Telling => {
      const next = telling({}, address);
      call.branch(branch).cbRequest(null, next);
      return next;
    };
    return { request, answer, call, sent };
  };
  return { clock, tracker, begin, records: sink.records };
}

/** A laboratory in which a call has begun. */
function begun(options: Partial<CallTrackerOptions> = {}) {
  const made = laboratory(options);
  return { ...made, ...made.begin() };
}

/** A record without what is the same in all of them. */
function told({ recordId: _id, source: _source, format: _format, legId: _leg, time: _time, ...rest }: CallRecord) {
  return rest;
}

test('a call that is joined and hung up by the callee is one record with both its sides', () => {
  const { clock, records, request, answer, call, sent } = begun();
  const next = sent('192.0.2.9', { trunk: 'trunk-2' });
  clock.advance(2_000);
  next.emit('response', came(180));
  next.emit('response', came(200));
  answer.send(200);
  const dialogs = { uas: new Dialog(request), uac: new Dialog(next) };
  expect(call.connected(dialogs)).toBe(dialogs);
  clock.advance(60_000);
  dialogs.uac.byeCame('network', 'Reason: Q.850;cause=16;text="done"');
  expect(records).toEqual([]);
  dialogs.uas.destroyed();
  const beganUs = (clock.nowMs() - 62_000) * 1_000;
  expect(records.map(told)).toEqual([
    {
      callGroupId: dialogs.uas.sip.callId,
      ...{ inviteAtUs: beganUs, answeredAtUs: beganUs + 2_000_000, endedAtUs: beganUs + 62_000_000 },
      calling: { asWritten: 'sip:+12025550101@originating.example;user=phone', tn: '12025550101' },
      called: { asWritten: 'sip:+12025550199@terminating.example;user=phone', tn: '12025550199' },
      ingress: {
        ...{ trunk: 'trunk-1', provider: 'Upstream', address: '192.0.2.7:5060', callId: dialogs.uas.sip.callId },
      },
      egress: {
        ...{ trunk: 'trunk-2', provider: 'Downstream', address: '192.0.2.9:5060', callId: dialogs.uac.sip.callId },
      },
      disposition: 'answered',
      release: { q850Cause: 16, cause: 'done', party: 'called' },
    },
  ]);
});

test.each<readonly [string, (dialog: Dialog) => void, object]>([
  ['the caller hangs up', (dialog) => dialog.byeCame(), { party: 'calling' }],
  ['the application hangs up', (dialog) => dialog.destroyed(), { party: 'network' }],
  [
    'the server hangs up',
    (dialog) => dialog.byeCame('application', 'Reason: SIP;cause=408;text="ACK timeout"'),
    { party: 'network', cause: 'ACK timeout' },
  ],
])('%s', (_what, hangUp, release) => {
  const { records, request, answer, call } = begun();
  answer.send(200);
  const uas = new Dialog(request);
  call.connected({ uas });
  uas.removeAllListeners('info');
  hangUp(uas);
  expect(records).toMatchObject([{ disposition: 'answered', release, egress: {} }]);
});

test('a dialog whose listeners were removed is still watched', async () => {
  const { records, request, call } = begun();
  const uas = new Dialog(request);
  call.connected({ uas });
  uas.removeAllListeners('destroy');
  await Promise.resolve();
  uas.byeCame();
  expect(records).toMatchObject([{ release: { party: 'calling' } }]);
});

test('a dialog that was over before it was connected ends its call', () => {
  const { records, request, call } = begun();
  const uas = new Dialog(request);
  uas.byeCame();
  call.connected({ uas });
  expect(records).toMatchObject([{ disposition: 'answered', release: { party: 'calling' } }]);
});

test('each branch of a fork has a record, and what became of it', () => {
  const { records, request, answer, call, sent } = begun();
  const [busy, won, lost] = [sent(), sent(), sent()];
  sent();
  call.branch().cbRequest(new Error('can not send request to myself'));
  busy.emit('response', came(486, 'Reason: Q.850;cause=17'));
  won.emit('response', came(200));
  answer.send(200);
  const uas = new Dialog(request);
  call.connected({ uas, uac: new Dialog(won) });
  lost.emit('response', came(487));
  uas.byeCame();
  expect(records.map(({ disposition, release }) => ({ disposition, ...release }))).toEqual([
    { disposition: 'busy', sipStatus: 486, q850Cause: 17 },
    { disposition: 'answered', party: 'calling' },
    { disposition: 'cancelled', sipStatus: 487 },
    { disposition: 'cancelled', party: 'calling' },
    { disposition: 'failed', party: 'network', cause: 'the INVITE could not be sent' },
  ]);
  expect(new Set(records.map(({ callGroupId }) => callGroupId)).size).toBe(1);
});

test('a redirection that is followed is a branch of its own', () => {
  const { records, answer, call } = begun();
  const [first, second] = [telling(), telling()];
  const { cbRequest } = call.branch({ trunk: 'trunk-2' });
  cbRequest(null, first);
  first.emit('response', came(302));
  cbRequest(null, second);
  second.emit('response', came(480));
  answer.send(480);
  expect(records.map(({ release, egress }) => [release?.sipStatus, egress.trunk])).toEqual([
    [302, 'trunk-2'],
    [480, 'trunk-2'],
  ]);
});

type Begun = ReturnType<typeof begun>;

test.each<readonly [string, (begun: Begun) => void, object]>([
  ['nobody is sent to', ({ answer }) => answer.send(404), { disposition: 'failed', release: { sipStatus: 404 } }],
  ['busy', ({ answer }) => answer.send(486), { disposition: 'busy', release: { sipStatus: 486 } }],
  ['no answer', ({ answer }) => answer.send(408), { disposition: 'no-answer', release: { sipStatus: 408 } }],
  ['a refusal', ({ answer }) => answer.send(603, 'Decline'), { disposition: 'rejected', release: { sipStatus: 603 } }],
  ['607 of the subscriber', ({ answer }) => answer.send(607), { disposition: 'blocked', blockedBy: /607/ }],
  [
    'an analytics block',
    ({ answer }) => answer.send(603, 'Network Blocked'),
    { disposition: 'blocked', blockedBy: /603 Network Blocked/, release: { sipStatus: 603 } },
  ],
  [
    'the application refuses it',
    ({ call, answer }) => {
      call.blocked('rule 7');
      answer.send(603, 'Decline');
    },
    { disposition: 'blocked', blockedBy: /^rule 7$/ },
  ],
  [
    'the application refuses it after others had',
    ({ call, answer, sent }) => {
      sent().emit('response', came(503));
      call.blocked('rule 7');
      answer.send(603);
    },
    { disposition: 'blocked', blockedBy: /^rule 7$/ },
  ],
])('a call that goes nowhere is one record: %s', (_what, happens, { blockedBy, ...rest }: { blockedBy?: RegExp }) => {
  const call = begun();
  happens(call);
  expect(call.records.at(-1)).toMatchObject({ ...rest, egress: {} });
  if (blockedBy !== undefined) expect(call.records.at(-1)?.blockedBy).toMatch(blockedBy);
});

test('a caller who gives up has cancelled, on every branch', () => {
  const { records, request, answer, sent } = begun();
  sent();
  request.emit('cancel', { raw: 'CANCEL sip:a@b.example SIP/2.0\r\n\r\n' });
  answer.send(487);
  expect(records).toMatchObject([{ disposition: 'cancelled', release: { party: 'calling' } }]);
});

test('an answer of the application itself is on record beside branches that failed', () => {
  const { records, request, answer, call, sent } = begun();
  answer.send(200);
  sent().emit('response', came(486));
  const uas = new Dialog(request);
  call.connected({ uas });
  uas.byeCame();
  expect(records.map(({ disposition }) => disposition)).toEqual(['busy', 'answered']);
});

test('a call that the application places is over with its legs, and has a customer', () => {
  const { tracker, records } = laboratory();
  const call = tracker.place({ customerId: 'customer-9' });
  const [first, second] = [telling(), telling()];
  call.branch().cbRequest(null, first);
  first.emit('response', came(480));
  expect(records).toEqual([]);
  call.branch().cbRequest(null, second);
  second.emit('response', came(200));
  const uac = new Dialog(second);
  call.connected({ uac });
  uac.byeCame();
  expect(records).toMatchObject([
    { disposition: 'no-answer', ingress: {}, customerId: 'customer-9', release: { sipStatus: 480 } },
    { disposition: 'answered', ingress: {}, calling: { tn: '12025550101' }, release: { party: 'called' } },
  ]);
});

test('what the signatures were worth, and what was signed, is on record', async () => {
  const lab = await createVerificationLab();
  const iatSeconds = Math.floor(lab.clock.nowMs() / 1_000);
  const { identityHeader } = createPassport({ signer: lab.provider, x5u: lab.x5u, iatSeconds });
  const { tracker, records } = laboratory();
  const verify = verifyIdentity({
    service: lab.service,
    policyOf: () => trunkPolicy({ role: 'terminating', failureAction: 'reject_request' }),
  });
  const offer = async (origTn: string) => {
    const request = telling({ identityHeaders: [identityHeader], origTn });
    const answer = new Answer();
    await new Promise<void>((resolve) => {
      answer.once('end', () => resolve());
      tracker.middleware(request, answer, () => verify(request, answer, resolve));
    });
    return { answer, call: (request as unknown as { locals: { call: TrackedCall } }).locals.call };
  };
  const { answer, call } = await offer('12025550101');
  const signing = {
    ...{ status: 'signed', claims: { attestation: 'B', origId: 'our-id' }, record: { basis: 'customer known' } },
  } as unknown as SigningOutcome;
  const next = telling();
  call.branch({ signing }).cbRequest(null, next);
  next.emit('response', came(486));
  answer.send(486);
  await offer('12025550166');
  expect(records).toMatchObject([
    {
      disposition: 'busy',
      received: {
        ...{ verstat: 'TN-Validation-Passed', attestation: 'A', iatSeconds, spc: '1234' },
        evidence: { format: 'hopback.verdict-evidence.1' },
      },
      signed: { attestation: 'B', origId: 'our-id', basis: 'customer known' },
    },
    {
      ...{ disposition: 'blocked', blockedBy: 'policy of the trunk (failed)', release: { sipStatus: 438 } },
      received: { verstat: 'No-TN-Validation', attestation: 'A' },
    },
  ]);
});

test('claims that nobody verified are on record without a verstat', async () => {
  const lab = await createVerificationLab();
  const { identityHeader } = createPassport({ signer: lab.provider, x5u: lab.x5u });
  const { begin, records } = laboratory();
  begin(telling({ identityHeaders: [identityHeader] })).answer.send(486);
  expect(records[0]?.received).toMatchObject({ attestation: 'A' });
  expect(records[0]?.received).not.toHaveProperty('verstat');
});

test('messages are kept where the source says so, and match their hash', () => {
  const { records, answer, sent } = begun({ source: { id: 'app-1', keepRaw: true } });
  sent().emit('response', came(486));
  answer.send(486);
  const evidence = rawEvidence(records[0]!);
  expect(evidence).toMatchObject({ status: 'kept', matches: true });
  expect(evidence.status === 'kept' && evidence.rows.length).toBe(3);
});

test('the oldest call goes out without an end where there are too many, or it is too old', async () => {
  const { begin, clock, records, tracker } = laboratory({ maxOpenCalls: 2, maxCallAgeMs: 1_000 });
  const [first] = [begin(), begin(), begin()];
  expect(records).toMatchObject([{ disposition: 'no-answer' }]);
  expect(records[0]).not.toHaveProperty('endedAtUs');
  first.answer.send(486);
  expect(records).toHaveLength(1);
  clock.advance(1_001);
  begin();
  expect(tracker.statistics()).toMatchObject({ calls: 4, open: 1, givenUp: 3, records: 3 });
  await tracker.close();
  await tracker.close();
  expect(tracker.statistics()).toMatchObject({ open: 0, givenUp: 4, records: 4, lost: 0 });
});

test('a re-INVITE is not a call, and one request is one call', () => {
  const { tracker, records } = laboratory();
  const again = telling();
  Object.assign(again, { raw: again.raw.replace(/^(To: .*)$/m, '$1;tag=there') });
  tracker.begin(again, {}).end();
  const request = telling();
  expect(tracker.begin(request, {})).toBe(tracker.begin(request, {}));
  expect([records.length, tracker.statistics().calls]).toEqual([0, 1]);
});

test('a store gets records some at a time, and a disk that refuses costs none', async () => {
  const clock = new ManualClock();
  const store = createMemoryRecordStore({ clock });
  const later: (() => void)[] = [];
  let isRefusing = true;
  const troubles: unknown[] = [];
  const tracker = new CallTracker({
    ...{ source: { id: 'app-1' }, clock, onTrouble: (error: unknown) => troubles.push(error) },
    sink: { insert: (records) => (isRefusing ? Promise.reject(new Error('disk')) : store.insert(records)) },
    schedule: (callback) => {
      later.push(callback);
      return () => undefined;
    },
  });
  for (let call = 0; call < 3; call += 1) {
    const answer = new Answer();
    tracker.begin(telling(), answer);
    answer.send(486);
  }
  expect(tracker.statistics()).toMatchObject({ records: 3, pending: 3 });
  later.shift()!();
  await expect.poll(() => troubles.length).toBe(1);
  isRefusing = false;
  await tracker.close();
  expect(tracker.statistics()).toMatchObject({ pending: 0, lost: 0, troubles: 1 });
  expect((await store.statistics()).records).toBe(3);
});

test('a sink that refuses, or fails, is counted and disturbs no call', () => {
  let isFailing = false;
  const { begin, tracker } = laboratory({
    sink: {
      record: () => {
        if (isFailing) throw new Error('away');
        return { accepted: false };
      },
    },
    trunkOf: () => {
      throw new Error('no such trunk');
    },
  });
  begin().answer.send(486);
  isFailing = true;
  begin().answer.send(486);
  expect(tracker.statistics()).toMatchObject({ records: 2, lost: 2, troubles: 3 });
});

test.each<readonly [string, (call: TrackedCall) => unknown, object]>([
  ['who blocked it', (call) => call.blocked(new Error('no') as never), { blockedBy: 'the application' }],
  ['a trunk', (call) => call.branch({ trunk: 7 as never }), { egress: {} }],
  ['no options', (call) => call.branch(null as never), { egress: {} }],
  ['a cause', (call) => call.end({ cause: 5 as never }), { disposition: 'no-answer' }],
  ['a party', (call) => call.end({ party: 'caller' as never }), { disposition: 'no-answer' }],
])('a wrong value of an application is left out, and the record kept: %s', (_what, say, rest) => {
  const { records, answer, call } = begun();
  say(call);
  answer.emit('end', { status: 9_999 });
  expect(records).toMatchObject([rest]);
});

test('a text of a record is cut at 256 characters, and not within a character', () => {
  const { records, answer, call } = begun();
  call.blocked(`${'x'.repeat(255)}${'\u{1f4de}'.repeat(9_999)}`);
  answer.send(603);
  expect(records[0]?.blockedBy).toBe(`${'x'.repeat(255)}\ufffd`);
});

test('a header field that cannot be read makes no other status of a response', () => {
  const { records, answer, sent } = begun();
  sent().emit('response', { ...came(486, 'X-A: \u0007'), status: 486 });
  answer.send(486);
  expect(records).toMatchObject([{ disposition: 'busy', release: { sipStatus: 486 } }]);
});

test('a call says whether its caller has given up', () => {
  const { request, call } = begun();
  expect(call.isCancelled()).toBe(false);
  request.emit('cancel', {});
  expect(call.isCancelled()).toBe(true);
});
