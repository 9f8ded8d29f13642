import { ManualClock, TestPki } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import { certificateAlarms, CertificateWatch } from '../../sdk/src/stir/signing/certificate-alarms.js';
import { readSigningCertificate } from '../../sdk/src/stir/signing/certificate-source.js';
import type { CertificateAlarm } from '../../sdk/src/stir/signing/certificate-alarms.js';
import type { CertificateSource, SigningCertificate } from '../../sdk/src/stir/signing/certificate-source.js';
import { X5U } from './signing-scenarios.js';

const DAY_MS = 86_400_000;
const pki = new TestPki();

function signingCertificate(daysLeft: number): SigningCertificate {
  const { chainPem } = pki.issueServiceProvider({ spc: '1234', notAfterMs: pki.nowMs + daysLeft * DAY_MS });
  const result = readSigningCertificate({ chainPem, x5u: X5U });
  if (result.status === 'read') return result.signingCertificate;
  throw new Error(result.detail);
}

type Failure = 'source' | 'empty' | 'clock' | undefined;

function watch(first: SigningCertificate | undefined, deliver: () => void = () => undefined, firstFailure?: Failure) {
  const clock = new ManualClock();
  const alarms: CertificateAlarm[] = [];
  const listeners = new Set<(certificate: SigningCertificate) => void>();
  let current = first;
  let failure = firstFailure;
  const source: CertificateSource = {
    current: () => {
      if (failure === 'source') throw new Error('store');
      return failure === 'empty' ? undefined : current;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const onAlarm = (alarm: CertificateAlarm): void => {
    alarms.push(alarm);
    deliver();
  };
  const nowMs = (): number => (failure === 'clock' ? Number.NaN : clock.nowMs());
  const watching = new CertificateWatch({ source, clock: { nowMs }, onAlarm, schedule: clock.schedule });
  const rotate = (next: SigningCertificate): void => {
    current = next;
    for (const listener of listeners) listener(next);
  };
  const fail = (next: Failure): void => {
    failure = next;
  };
  return { clock, alarms, days: () => alarms.map(({ days }) => days), rotate, fail, close: () => watching.close() };
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

test('raises no alarm while there is no certificate, nor after it was closed', () => {
  const watched = watch(undefined);
  watched.clock.advance(DAY_MS);
  watched.close();
  watched.rotate(signingCertificate(2));
  watched.clock.advance(DAY_MS);
  expect(watched.alarms).toEqual([]);
});

test('goes on when an alarm cannot be delivered', () => {
  const watched = watch(signingCertificate(20), () => {
    throw new Error('pager');
  });
  watched.clock.advance(15 * DAY_MS);
  watched.close();
  expect(watched.days()).toEqual([30, 14, 7]);
});

test('looks again although source or clock failed, and repeats no alarm after it', () => {
  const watched = watch(signingCertificate(20));
  for (const failure of ['source', 'empty', 'clock', undefined] as const) {
    watched.fail(failure);
    watched.clock.advance(DAY_MS);
  }
  expect(watched.days()).toEqual([30]);
  watched.clock.advance(3 * DAY_MS);
  expect(watched.days()).toEqual([30, 14]);
  watched.close();
  expect(watched.clock.pendingTimers()).toBe(0);
});

test('starts to watch although the source fails at first', () => {
  const watched = watch(signingCertificate(20), undefined, 'source');
  watched.fail(undefined);
  watched.clock.advance(DAY_MS);
  watched.close();
  expect(watched.days()).toEqual([30]);
});

test('refuses thresholds that are no days', () => {
  const clock = new ManualClock();
  const options = { source: { current: () => undefined }, clock, onAlarm: () => undefined, schedule: clock.schedule };
  expect(() => new CertificateWatch({ ...options, days: [30, 0] })).toThrow(withCode('invalid-argument'));
});
