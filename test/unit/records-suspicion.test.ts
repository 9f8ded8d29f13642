import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { SuspicionTracker } from '../../sdk/src/records/suspicion/suspicion-tracker.js';
import { DEFAULT_SUSPICION_POLICY, explainSuspicion } from '../../sdk/src/records/suspicion/suspicion-policy.js';
import { northAmericanNumber, northAmericanPrefix } from '../../sdk/src/records/suspicion/suspicion.js';
import type { Suspicion, SuspicionSignalName } from '../../sdk/src/records/suspicion/suspicion.js';
import type { SuspicionPolicy } from '../../sdk/src/records/suspicion/suspicion-policy.js';
import { sparseRecord } from '../support/stored-records.js';

const START_US = 1_790_000_000_000_000;

/** Numbers of samples are all that stand here, so that they have to count as any others. */
const SAMPLES: SuspicionPolicy = { ...DEFAULT_SUSPICION_POLICY, fictionalNumbers: 'accepted' };

interface Call {
  readonly calling?: string;
  readonly called?: string;
  readonly trunk?: string;
  readonly atSeconds?: number;
  /** From answer to end; unanswered where absent. */
  readonly seconds?: number;
  readonly group?: string;
  readonly received?: CallRecord['received'];
}

let made = 0;

function call({
  calling = '13035550101',
  called = '12025550147',
  trunk = 't1',
  atSeconds = 0,
  ...rest
}: Call = {}): CallRecord {
  made += 1;
  const inviteAtUs = START_US + atSeconds * 1_000_000;
  const { seconds, received, group = String(made) } = rest;
  return sparseRecord(String(made), inviteAtUs, {
    callGroupId: group,
    calling: /^[0-9]+$/.test(calling) ? { asWritten: calling, tn: calling } : { asWritten: calling },
    called: { asWritten: called, tn: called },
    ingress: { trunk },
    ...(seconds !== undefined && { disposition: 'answered', answeredAtUs: inviteAtUs }),
    ...(seconds !== undefined && { endedAtUs: inviteAtUs + seconds * 1_000_000 }),
    ...(received !== undefined && { received }),
  });
}

const calls = (count: number, of: (at: number) => Call): readonly CallRecord[] =>
  Array.from({ length: count }, (_, at) => call(of(at)));

const tracker = (policy: Partial<SuspicionPolicy> = {}) => new SuspicionTracker({ policy: { ...SAMPLES, ...policy } });

const signal = (suspicion: Suspicion | undefined, name: SuspicionSignalName) =>
  suspicion?.signals.find((one) => one.name === name);

const why = (suspicion: Suspicion | undefined, name: SuspicionSignalName) =>
  suspicion?.notJudged.find((one) => one.name === name)?.why;

function judgeAll(judging: SuspicionTracker, all: readonly CallRecord[]): Suspicion | undefined {
  let last: Suspicion | undefined;
  for (const one of all) last = judging.judge(one);
  return last;
}

/** 1NPA55501XX, many of them. */
const sample = (index: number): string =>
  `1${String(2 + (Math.floor(index / 700) % 8))}0${String(Math.floor(index / 100) % 7)}55501${String(index % 100).padStart(2, '0')}`;

test('an allocation list says of area codes and exchanges which are in use', () => {
  const allocated = new Set(['292', '293234']);
  expect(northAmericanNumber('12922345550', allocated).kind).toBe('geographic');
  expect(northAmericanNumber('12932345550', allocated).kind).toBe('geographic');
  expect(northAmericanNumber('12932355550', allocated).fault).toBe('not-in-allocation-list');
  // It does not make a number of what cannot be one.
  expect(northAmericanNumber('12920345550', new Set(['292', '292034'])).kind).toBe('invalid');
});

test('of a veiled number area code and exchange are judged, and no more', () => {
  expect(northAmericanPrefix('202911').fault).toBe('exchange-n11');
  expect(northAmericanPrefix('888234').kind).toBe('toll-free');
  expect(northAmericanPrefix('202555').kind).toBe('geographic');
});

test('a call from a number on the do-not-originate list is suspicious by that alone', () => {
  const judging = new SuspicionTracker({ policy: SAMPLES, doNotOriginate: new Set(['13035550101']) });
  const suspicion = judging.judge(call({ seconds: 90 }));
  expect(suspicion.level).toBe('suspicious');
  expect(signal(suspicion, 'do-not-originate')).toMatchObject({ about: 'call', observed: 'listed' });
});

test('an invalid calling number makes a call suspicious, a fictional one too where the policy says so', () => {
  expect(tracker().judge(call({ calling: '19115550101' })).level).toBe('suspicious');
  expect(tracker({ fictionalNumbers: 'invalid' }).judge(call()).level).toBe('suspicious');
  expect(tracker().judge(call()).level).toBe('none');
});

test('the asserted number is looked at beside the claimed one', () => {
  const record = { ...call(), asserted: { asWritten: '19115550101', tn: '19115550101' } };
  expect(signal(tracker().judge(record), 'invalid-calling-number')?.observed).toBe('area-code-n11');
});

test('a caller who asked not to be named is judged for nothing that a name would tell', () => {
  const suspicion = tracker().judge(call({ calling: 'sip:anonymous@anonymous.invalid' }));
  expect(suspicion.level).toBe('none');
  expect(why(suspicion, 'invalid-calling-number')).toBe('caller-anonymous');
  expect(why(suspicion, 'fan-out')).toBe('caller-anonymous');
});

test('one number that calls hundreds of others fans out, one that calls the same again does not', () => {
  const many = calls(300, (at) => ({ called: sample(at), seconds: 30 }));
  const fanOut = signal(judgeAll(tracker(), many), 'fan-out');
  expect(fanOut?.about).toBe('calling-number');
  expect(Math.abs(Number(fanOut?.observed) - 300)).toBeLessThan(60);
  const few = calls(300, (at) => ({ called: sample(at % 5), seconds: 30 }));
  expect(signal(judgeAll(tracker(), few), 'fan-out')).toBeUndefined();
});

test('calls of yesterday do not count', () => {
  const judging = tracker();
  judgeAll(
    judging,
    calls(300, (at) => ({ called: sample(at), seconds: 30 })),
  );
  const later = judging.judge(call({ atSeconds: 86_400, called: sample(301) }));
  expect(signal(later, 'fan-out')).toBeUndefined();
});

test('called numbers in a row are found though several lines share the work, gaps of two included', () => {
  const lines = [10, 13, 11, 14, 17, 12, 19, 21];
  const row = lines.map((line, at) =>
    call({ called: `12025550${String(100 + line)}`, atSeconds: at * 20, calling: sample(at) }),
  );
  const suspicion = judgeAll(tracker(), row);
  expect(signal(suspicion, 'sequential-dialling')).toMatchObject({ about: 'trunk', observed: 8, threshold: 6 });
});

test('called numbers in a row are found upward, downward and all in one second, in whatever order the records come', () => {
  const row = (atSeconds: (line: number) => number) =>
    calls(12, (line) => ({ called: `12025550${110 + line}`, atSeconds: atSeconds(line), calling: sample(line) }));
  for (const one of [row((line) => line * 8), row((line) => 100 - line * 8), row(() => 5)]) {
    for (const order of [one, one.toReversed()])
      expect(signal(judgeAll(tracker(), order), 'sequential-dialling')).toMatchObject({ observed: 12 });
  }
});

test('calls at random to a hospital with a hundred adjacent numbers are not a row', () => {
  const random = new SeededRandom(7, 'hospital');
  const judging = tracker();
  const counts = { calls: 0, rows: 0, suspicious: 0 };
  for (let at = 0; at < 3_000; at += 1) {
    const called = `1202555${String(1_000 + random.int(100))}`;
    const suspicion = judging.judge(call({ called, atSeconds: at * 1.2, calling: sample(at), seconds: 30 }));
    counts.calls += 1;
    if (signal(suspicion, 'sequential-dialling') !== undefined) counts.rows += 1;
    if (suspicion.level === 'suspicious') counts.suspicious += 1;
  }
  expect(counts.rows).toBeLessThan(counts.calls * 0.08);
  expect(counts.suspicious).toBeLessThan(counts.calls * 0.03);
});

test('a number that calls more numbers than can be counted is said to have called that many or more', () => {
  const many = calls(900, (at) => ({ called: sample(at), seconds: 30 }));
  const suspicion = judgeAll(tracker(), many);
  expect(signal(suspicion, 'fan-out')).toMatchObject({ observed: 400 });
  const text = suspicion === undefined ? '' : explainSuspicion(suspicion).join(' ');
  expect(text).toContain('400 or more different numbers (900 calls since 2026-09-21');
});

test('called numbers in a row over two trunks, or minutes apart, are no row', () => {
  const apart = calls(12, (at) => ({ called: `12025550${110 + at}`, atSeconds: at * 130 }));
  const trunks = calls(12, (at) => ({ called: `12025550${110 + at}`, atSeconds: at, trunk: `t${at % 5}` }));
  for (const row of [apart, trunks]) expect(signal(judgeAll(tracker(), row), 'sequential-dialling')).toBeUndefined();
});

/** A trunk of callers from everywhere, of which every third shows a neighbour's number. */
const neighbours = calls(150, (at) => ({
  calling: at % 3 === 0 ? `120255501${String(at % 100).padStart(2, '0')}` : sample(at * 7 + 201),
}));

test('a neighbour from a trunk of everywhere is spoofed, from a trunk of the place it is not', () => {
  const spoofed = judgeAll(tracker(), [...neighbours, call({ calling: '12025550111' })]);
  expect(signal(spoofed, 'neighbour-spoofing')).toMatchObject({ about: 'call', strength: 1 });
  const local = new SuspicionTracker({ policy: SAMPLES, trunkAreas: { t1: ['202'] } });
  expect(
    signal(judgeAll(local, [...neighbours, call({ calling: '12025550111' })]), 'neighbour-spoofing'),
  ).toBeUndefined();
});

test('where a trunk belongs is learned from callers who are no neighbours', () => {
  const judging = tracker();
  judgeAll(
    judging,
    calls(200, (at) => ({ called: sample(at), calling: '14045550111' })),
  );
  const spoofedOnly = calls(60, () => ({ called: '14045550147', calling: '14045550122' }));
  expect(signal(judgeAll(judging, spoofedOnly), 'neighbour-spoofing')).toBeUndefined();
  // Sixty neighbours of another area make the trunk no trunk of that area.
  const elsewhere = calls(60, () => ({ called: '15055550147', calling: '15055550122' }));
  expect(signal(judgeAll(judging, elsewhere), 'neighbour-spoofing')?.strength).toBeGreaterThan(0.5);
});

test('a neighbour on a trunk of which nothing is known yet is not judged', () => {
  const suspicion = tracker().judge(call({ calling: '12025550111' }));
  expect(why(suspicion, 'neighbour-spoofing')).toBe('too-few-calls');
});

/** Four hundred numbers, one call each, three in four to nothing, by one trunk. */
const snowshoe = calls(400, (at) => ({
  ...{ calling: sample(at), called: sample(at * 3 + 50), atSeconds: at * 60 },
  ...(at % 10 < 3 && { seconds: at % 10 === 0 ? 20 : 2 }),
}));

test('many numbers with few calls each that come to nothing are a snowshoe campaign', () => {
  const suspicion = judgeAll(tracker(), [...snowshoe, call({ calling: sample(3_000), atSeconds: 24_000, seconds: 2 })]);
  expect(suspicion?.level).toBe('suspicious');
  expect(signal(suspicion, 'snowshoe')).toMatchObject({ about: 'trunk' });
  expect(signal(suspicion, 'short-call-share')).toMatchObject({ about: 'trunk' });
});

test('a conversation, or a number that had one, is not held to what its trunk does', () => {
  const judging = tracker();
  judgeAll(judging, snowshoe);
  const calling = '15055550111';
  const conversation = judging.judge(call({ calling, atSeconds: 24_000, seconds: 300 }));
  const next = judging.judge(call({ calling, atSeconds: 24_100 }));
  for (const suspicion of [conversation, next]) expect(suspicion.signals).toEqual([]);
});

test('a number that people talk with may be hung up on by others', () => {
  const of = (talked: number) => calls(40, (at) => ({ called: sample(at), seconds: at % 10 < talked ? 200 : 2 }));
  expect(signal(judgeAll(tracker(), of(1)), 'short-call-share')).toMatchObject({ about: 'calling-number' });
  expect(signal(judgeAll(tracker(), of(3)), 'short-call-share')).toBeUndefined();
});

test('legs of one call are counted once, and answered when one of them is', () => {
  const judging = tracker();
  const calling = '13035550101';
  for (let at = 0; at < 12; at += 1) {
    const forked = { calling, called: sample(at), group: `fork-${String(at)}` };
    for (let leg = 0; leg < 4; leg += 1) judging.judge(call(forked));
    judging.judge(call({ ...forked, seconds: 30 }));
  }
  // Counted leg by leg, one call in five would have been answered.
  const suspicion = judging.judge(call({ calling, called: sample(50), seconds: 30 }));
  expect(signal(suspicion, 'low-answer-ratio')).toBeUndefined();
  const unanswered = calls(12, () => ({ calling: '14045550111' }));
  const evidence = { counts: expect.objectContaining({ calls: 12, matching: 0 }) };
  expect(signal(judgeAll(judging, unanswered), 'low-answer-ratio')).toMatchObject({
    about: 'calling-number',
    evidence,
  });
});

test('calls that the carrier itself refused say nothing of answers', () => {
  const blocked = Array.from({ length: 50 }, () => ({ ...call(), disposition: 'blocked' as const }));
  const suspicion = judgeAll(tracker(), blocked);
  expect(why(suspicion, 'low-answer-ratio')).toBe('too-few-calls');
});

const passed = { verstat: 'TN-Validation-Passed', spc: '709J' } as const;

test('full attestation is no proof of innocence: it changes no score', () => {
  const [full, partial] = [tracker(), tracker()];
  for (const record of snowshoe) {
    const [one, other] = (['A', 'B'] as const).map((attestation) => ({
      ...record,
      received: { ...passed, attestation },
    }));
    expect(full.judge(one!)).toEqual(partial.judge(other!));
  }
});

test('a failed signature counts, with its reason, and its claims are not believed', () => {
  const verstat = 'TN-Validation-Failed';
  const exception = { step: 'iat', result: 'failed', reason: 'iat-stale', expected: 60, actual: 90 } as const;
  const received: CallRecord['received'] = {
    ...{ verstat, attestation: 'C', spc: '709J' },
    evidence: {
      ...{ format: 'hopback.verdict-evidence.1', checkedAtMs: 0, profile: 'shaken', freshnessSeconds: 60, verstat },
      ...{
        request: {},
        passports: [{ index: 0, status: 'failed', passed: [], exceptions: [exception] }],
        seenCount: 9,
      },
    },
  };
  const suspicion = tracker().judge(call({ received }));
  expect(signal(suspicion, 'failed-verification')?.observed).toBe('iat-stale');
  expect(signal(suspicion, 'replayed-passport')).toMatchObject({ observed: 9, threshold: 4 });
  expect(signal(suspicion, 'gateway-attestation')).toBeUndefined();
  expect(why(suspicion, 'signer-concentration')).toBe('no-verified-signer');
});

test('gateway attestation says more of a domestic number than of a foreign one', () => {
  const received = { ...passed, attestation: 'C' as const };
  const of = (calling: string) => signal(tracker().judge(call({ calling, received })), 'gateway-attestation')?.strength;
  expect(of('13035550101')).toBeGreaterThan(of('442079460123') ?? 1);
  expect(tracker().judge(call({ received })).level).toBe('none');
});

test('a signer whose calls are cut short more often than those of others stands out', () => {
  const judging = tracker();
  const of = (spc: string, index: number, seconds: number) =>
    call({
      ...{ calling: sample(index), called: sample(index + 9), trunk: `t-${spc}`, seconds },
      received: { ...passed, spc },
    });
  for (let at = 0; at < 200; at += 1) {
    judging.judge(of('101A', at, at % 20 === 0 ? 2 : 30));
    judging.judge(of('707S', at + 300, at % 3 === 0 ? 2 : 30));
  }
  expect(signal(judging.judge(of('707S', 900, 30)), 'signer-concentration')).toMatchObject({ about: 'signer' });
  expect(signal(judging.judge(of('101A', 901, 30)), 'signer-concentration')).toBeUndefined();
});

test('trunks and pseudonyms of different reporters have nothing in common', () => {
  const judging = tracker();
  for (const one of snowshoe) judging.judge(one, 'carrier-1');
  expect(judging.judge(call({ calling: sample(3_000) }), 'carrier-1').signals.length).toBeGreaterThan(0);
  expect(judging.judge(call({ calling: sample(3_001) }), 'carrier-2').signals).toEqual([]);
});

test('every signal is explained in a sentence with the observed value and the threshold', () => {
  const suspicion = judgeAll(tracker(), [...snowshoe, call({ calling: '19115550101', atSeconds: 24_000, seconds: 2 })]);
  const sentences = explainSuspicion(suspicion as Suspicion);
  expect(sentences[0]).toMatch(/^The call looks like a robocall \(score 0\.\d\d, policy hopback-suspicion-1\)\.$/);
  expect(sentences).toContain('No telephone has the calling number: area code n11.');
  expect(sentences).toContain('The call was answered and ended after 2 s; up to 6 s count as very short.');
  expect(sentences).toContain('Not judged, do-not-originate: no list was given.');
  expect(sentences.join(' ')).not.toMatch(/1911555|3035550/);
});

test('refuses policies that are out of their bounds, and says where', () => {
  const limits = { ...SAMPLES.limits, numbers: 1.5 };
  for (const [change, member] of [
    [{ id: '' }, 'id'],
    [{ windowHours: 0 }, 'windowHours'],
    [{ levels: { watch: 0.8, suspicious: 0.7 } }, 'levels.suspicious'],
    [{ lowAnswerRatio: { from: 0.1, full: 0.3 } }, 'lowAnswerRatio.from'],
    [{ fanOut: { from: 10, full: 100_000 } }, 'fanOut.full'],
    [{ limits }, 'limits.numbers'],
  ] as [Partial<SuspicionPolicy>, string][]) {
    expect(() => tracker(change)).toThrow(
      expect.objectContaining({ code: 'invalid-configuration', details: expect.objectContaining({ member }) }),
    );
  }
});

test('a number that calls more often than a place of the table counts is judged as before', () => {
  const judging = tracker();
  const robocall = (at: number): CallRecord => {
    const called = `1202555${String(at % 10_000).padStart(4, '0')}`;
    return call({ called, trunk: `t${at % 7}`, atSeconds: (at * 900) / 70_000, ...(at % 2 === 0 && { seconds: 3 }) });
  };
  let last: Suspicion | undefined;
  let before: Suspicion | undefined;
  for (let at = 0; at <= 70_000; at += 1) {
    last = judging.judge(robocall(at));
    if (at === 60_000) before = last;
  }
  expect(before?.level).not.toBe('none');
  expect(last?.signals.map(({ name, strength }) => [name, strength])).toEqual(
    before?.signals.map(({ name, strength }) => [name, strength]),
  );
});
