// eslint-disable-next-line import/no-unassigned-import -- matchers are there when it is loaded
import '@hopback/harness/vitest';
import { expect, test } from 'vitest';
import type { SeenCall } from '../../harness/src/oracle/index.js';
import { toldRun } from '../support/told-run.js';

const told = await toldRun();

function callOf(index: number): SeenCall {
  const call = told.facts.calls.find((one) => one.index === index);
  if (call === undefined) throw new Error(`no call ${index}`);
  return call;
}

/** What a matcher says when it fails. */
function complaint(check: () => void): string {
  try {
    check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('nothing failed');
}

test('a call is held against verstat, attestation and its end, at the callee or at a provider', () => {
  expect(callOf(0)).toHaveVerstat('TN-Validation-Passed');
  expect(callOf(4)).toHaveVerstat('No-TN-Validation');
  expect(callOf(4)).toHaveVerstat('TN-Validation-Passed', 'birch');
  expect(callOf(4)).not.toHaveVerstat('TN-Validation-Passed');
  expect(callOf(0)).toHaveAttestation('C');
  expect(callOf(1)).toHaveAttestation('A', 'birch');
  expect(callOf(6)).toEndWith(503);
  expect(callOf(0)).not.toEndWith(486);
});

test('a run is held against its thresholds and against whom its tracebacks named', () => {
  expect(told).not.toPassThresholds();
  expect(told).toTraceTo('dune');
  expect(told).not.toTraceTo('elm');
  expect(told).not.toAccuseNobodyElse();
  const nothing = { ...told.oracle, findings: [], findingsInAll: 0 };
  const honest = { ...told, verdict: 'passed' as const, thresholds: [], oracle: nothing };
  expect(honest).toPassThresholds();
  for (const verdict of ['failed', 'incomplete', 'timeout', 'no-calls'] as const)
    expect({ ...honest, verdict }).not.toPassThresholds();
  expect(honest).toAccuseNobodyElse();
});

test('what fails says what there was in its place, hop by hop', () => {
  expect(complaint(() => expect(callOf(4)).toHaveVerstat('TN-Validation-Passed'))).toBe(
    [
      'call 4 should have come to TN-Validation-Passed at alder; it came to No-TN-Validation',
      '  fern: not asked',
      '  elm: not asked',
      '  birch: TN-Validation-Passed (C)',
      '  alder: No-TN-Validation (C)',
    ].join('\n'),
  );
  expect(complaint(() => expect(callOf(6)).toEndWith(486))).toContain('call 6 should end with 486; it ended with 503');
  expect(complaint(() => expect(told).toPassThresholds())).toContain('wrong_accusations count==0: it was 1');
  expect(complaint(() => expect(told).toTraceTo('elm'))).toContain('tracebacks should lead to elm; they named dune');
  expect(complaint(() => expect(told).toAccuseNobodyElse())).toContain('call 0: dune is innocent');
});
