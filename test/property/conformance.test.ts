import fc from 'fast-check';
import { conformanceRunOf, writeConformancePage, writeJunit } from '@hopback/harness/conformance';
import type { CaseResult, ConformanceRun } from '@hopback/harness/conformance';
import { expect, test } from 'vitest';
import { readSignedToken } from '../../harness/src/conformance/signing/signed-token.js';
import { readSigningAnswer, readVerificationAnswer } from '../../harness/src/conformance/targets/rest-target.js';
import {
  readDeviceVerdict,
  readRedirectVerdict,
  readSipMessage,
  stirReasons,
} from '../../harness/src/conformance/targets/sip-target.js';
import { forAll } from '../support/for-all.js';

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json());

test('whatever a service answers over HTTP is read as one thing or another', () => {
  forAll([anyText, fc.integer({ min: 100, max: 599 })], 100, (text, status) => {
    expect(readVerificationAnswer({ kind: 'answer', status, text })).toHaveProperty('said');
    expect(readSigningAnswer({ kind: 'answer', status, text })).toHaveProperty('said');
  });
});

test('whatever a device answers over SIP is read, or is no message', () => {
  const line = fc.tuple(fc.constantFrom('Reason', 'From', 'P-Asserted-Identity', 'Identity', 'y', 'CSeq'), anyText);
  forAll([fc.integer({ min: 0, max: 999 }), fc.array(line)], 100, (status, lines) => {
    const head = lines.map(([name, value]) => `${name}: ${value}`);
    const message = readSipMessage([`SIP/2.0 ${status} x`, ...head, '', ''].join('\r\n'));
    if (message === undefined) return;
    expect(readRedirectVerdict({ responses: [message] })).toHaveProperty('said');
    expect(readDeviceVerdict({ responses: [], delivered: message })).toHaveProperty('said');
  });
  forAll([anyText], 100, (text) => void readSipMessage(text));
  forAll([fc.array(anyText)], 100, (values) => void stirReasons(values));
});

test('whatever a signing service returns is a token or is not', () => {
  forAll([anyText], 100, (text) => {
    expect(['read', 'malformed']).toContain(readSignedToken(text).status);
  });
});

const result: fc.Arbitrary<CaseResult> = fc.record({
  ...{ number: fc.constant('V-001'), group: fc.constant('claims'), level: fc.constantFrom('must', 'should') },
  ...{ title: anyText, source: anyText, said: anyText, reason: anyText, durationMs: fc.nat() },
  status: fc.constantFrom('pass', 'fail', 'not-applicable'),
});

test('whatever was answered is text in the reports, and comes back out of the summary', () => {
  forAll([fc.array(result, { maxLength: 3 }), anyText], 100, (results, name) => {
    const run: ConformanceRun = {
      ...{ version: 1, target: { kind: 'atis', url: 'http://127.0.0.1', name }, startedAt: '', durationMs: 1 },
      ...{ isComplete: true, counts: { pass: 0, fail: 0, departs: 0, notApplicable: 0 }, results },
    };
    expect(conformanceRunOf(JSON.stringify(run))).toEqual(run);
    const tags = (text: string): number => text.split('<testcase ').length - 1;
    expect(tags(writeJunit(run))).toBe(results.length);
    const row = writeConformancePage(run).split('<tr class=').length - 1;
    expect(row).toBe(results.length + results.filter(({ status }) => status === 'fail').length);
  });
  forAll([anyText], 100, (text) => void conformanceRunOf(text));
});
