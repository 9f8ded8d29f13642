import { isHopbackError } from '@hopback/sdk/errors';
import { createManualClock, createTestPki } from '@hopback/sdk/testing';
import type { ManualClock, TestPki } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import { certificateAlarms, readSigningCertificate, watchCertificateExpiry } from '../../sdk/src/stir/signing/index.js';
import type { CertificateAlarm, CertificateSource, SigningCertificate } from '../../sdk/src/stir/signing/index.js';
import { X5U } from './signing-scenarios.js';

const DAY_MS = 86_400_000;
let pki: TestPki;

beforeAll(async () => {
  pki = await createTestPki();
});

function signingCertificate(daysLeft: number): SigningCertificate {
  const { chainPem } = pki.issueServiceProvider({ spc: '1234', notAfterMs: pki.nowMs + daysLeft * DAY_MS });
  const result = readSigningCertificate({ chainPem, x5u: X5U });
  if (result.status === 'read') return result.signingCertificate;
  throw new Error(result.detail);
}

interface Watched {
  readonly clock: ManualClock;
  readonly alarms: CertificateAlarm[];
  readonly days: () => number[];
  readonly rotate: (next: SigningCertificate | undefined) => void;
  readonly close: () => void;
}

function watch(first: SigningCertificate | undefined): Watched {
  const clock = createManualClock();
  const alarms: CertificateAlarm[] = [];
  const listeners = new Set<(certificate: SigningCertificate) => void>();
  let current = first;
  const source: CertificateSource = {
    current: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const onAlarm = (alarm: CertificateAlarm): void => void alarms.push(alarm);
  const watching = watchCertificateExpiry({ source, clock, onAlarm, schedule: clock.schedule });
  const rotate = (next: SigningCertificate | undefined): void => {
    current = next;
    if (next !== undefined) for (const listener of listeners) listener(next);
  };
  return { clock, alarms, days: () => alarms.map(({ days }) => days), rotate, close: watching.close };
}

test.each([
  [31, { level: 'none' }],
  [30.01, { level: 'none' }],
  [30, { level: 'expiring', days: 30 }],
  [14.5, { level: 'expiring', days: 30 }],
  [14, { level: 'expiring', days: 14 }],
  [7, { level: 'expiring', days: 7 }],
  [3, { level: 'expiring', days: 3 }],
  [1, { level: 'expiring', days: 1 }],
  [0, { level: 'expiring', days: 1 }],
  [-0.001, { level: 'expired' }],
])('with %d days left the alarm is %o', (daysLeft, expected) => {
  const notAfterMs = 1_800_000_000_000;
  const nowMs = notAfterMs - daysLeft * DAY_MS;
  expect(certificateAlarms({ notAfterMs, nowMs })).toEqual({ ...expected, msLeft: notAfterMs - nowMs });
});

test('reports each threshold once while the days go by, and the end', () => {
  const watched = watch(signingCertificate(40));
  watched.clock.advance(9 * DAY_MS);
  expect(watched.days()).toEqual([]);
  watched.clock.advance(50 * DAY_MS);
  expect(watched.days()).toEqual([30, 14, 7, 3, 1, 0]);
  expect(watched.alarms.at(-1)).toMatchObject({ level: 'expired', chainIndex: 0, x5u: X5U });
  watched.close();
  expect(watched.clock.pendingTimers()).toBe(0);
});

test('reports the closest threshold alone when it starts late', () => {
  const watched = watch(signingCertificate(5));
  expect(watched.days()).toEqual([7]);
  watched.close();
});

test('starts anew with another certificate, and stays silent over a fresh one', () => {
  const watched = watch(signingCertificate(2));
  watched.rotate(signingCertificate(365));
  watched.clock.advance(10 * DAY_MS);
  expect(watched.days()).toEqual([3]);
  watched.rotate(signingCertificate(12));
  expect(watched.days()).toEqual([3, 3]);
  expect(new Set(watched.alarms.map(({ certificateSha256 }) => certificateSha256)).size).toBe(2);
  watched.close();
});

test('watches the certificates above as well', () => {
  const issuer = pki.issueCa({ notAfterMs: pki.nowMs + 6 * DAY_MS });
  const { chainPem } = pki.issueServiceProvider({ spc: '1234', issuer });
  const result = readSigningCertificate({ chainPem, x5u: X5U });
  const watched = watch(result.status === 'read' ? result.signingCertificate : undefined);
  expect(watched.alarms).toMatchObject([{ days: 7, chainIndex: 1, certificateSha256: issuer.sha256 }]);
  watched.close();
});

test('has nothing to say while there is no certificate, nor after it was closed', () => {
  const watched = watch(undefined);
  watched.clock.advance(DAY_MS);
  watched.close();
  watched.rotate(signingCertificate(2));
  watched.clock.advance(DAY_MS);
  expect(watched.alarms).toEqual([]);
});

test('goes on when an alarm cannot be delivered', () => {
  const clock = createManualClock();
  let calls = 0;
  const onAlarm = (): void => {
    calls += 1;
    throw new Error('pager');
  };
  const current = signingCertificate(20);
  const watching = watchCertificateExpiry({
    source: { current: () => current },
    clock,
    onAlarm,
    schedule: clock.schedule,
  });
  clock.advance(15 * DAY_MS);
  watching.close();
  expect(calls).toBe(3);
});

test('looks again although source or clock failed, and repeats no alarm after it', () => {
  const clock = createManualClock();
  const certificate = signingCertificate(20);
  let answer: () => SigningCertificate | undefined = () => certificate;
  let isClockBroken = false;
  const days: number[] = [];
  const watching = watchCertificateExpiry({
    source: { current: () => answer() },
    clock: { nowMs: () => (isClockBroken ? Number.NaN : clock.nowMs()) },
    onAlarm: (alarm) => void days.push(alarm.days),
    schedule: clock.schedule,
  });
  answer = () => {
    throw new Error('store');
  };
  clock.advance(DAY_MS);
  answer = () => undefined;
  clock.advance(DAY_MS);
  answer = () => certificate;
  isClockBroken = true;
  clock.advance(DAY_MS);
  isClockBroken = false;
  clock.advance(DAY_MS);
  expect(days).toEqual([30]);
  clock.advance(3 * DAY_MS);
  expect(days).toEqual([30, 14]);
  watching.close();
  expect(clock.pendingTimers()).toBe(0);
});

test('starts to watch although the source fails at first', () => {
  const clock = createManualClock();
  const certificate = signingCertificate(20);
  let isUp = false;
  const days: number[] = [];
  const current = (): SigningCertificate => {
    if (isUp) return certificate;
    throw new Error('store');
  };
  const onAlarm = (alarm: CertificateAlarm): void => void days.push(alarm.days);
  const watching = watchCertificateExpiry({ source: { current }, clock, onAlarm, schedule: clock.schedule });
  isUp = true;
  clock.advance(DAY_MS);
  watching.close();
  expect(days).toEqual([30]);
});

test('refuses thresholds that are no days', () => {
  const clock = createManualClock();
  const options = { source: { current: () => undefined }, clock, onAlarm: () => undefined, schedule: clock.schedule };
  let code = 'none';
  try {
    watchCertificateExpiry({ ...options, days: [30, 0] });
  } catch (error) {
    if (isHopbackError(error)) code = error.code;
  }
  expect(code).toBe('invalid-argument');
});
