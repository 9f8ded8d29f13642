import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeVerdict, explainEvidence } from '../../sdk/src/stir/verification/explain.js';
import { FAILURE_REASONS, FAILURE_REASON_NAMES } from '../../sdk/src/stir/verification/step.js';
import type { FailureReason } from '../../sdk/src/stir/verification/step.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { VERIFICATION_STEPS } from '../../sdk/src/stir/verification/steps.js';
import type { VerdictEvidence } from '../../sdk/src/core/verdict-evidence.js';
import { asExpectation, loadVectors, runVector, VECTOR_FOLDER } from '../support/vectors.js';
import type { Vector } from '../support/vectors.js';
import { buildVectors } from '../vectors/source/all-vectors.js';

const VECTORS = loadVectors();
const verdicts = new Map<Vector, CallVerdict>();

function verdictOf(vector: Vector): CallVerdict {
  const verdict = verdicts.get(vector) ?? runVector(vector).verdict;
  verdicts.set(vector, verdict);
  return verdict;
}

const byName = VECTORS.map((vector) => [vector.name, vector] as const);

/** The error table of ATIS-1000082, written down once more and independently of the product: row, code, text, verstat. */
const TABLE: readonly (readonly [number, number, string, string])[] = [
  [3, 403, 'Stale Date', 'No-TN-Validation'],
  [4, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [5, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [6, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [7, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [8, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [9, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [10, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [11, 437, 'Unsupported Credential', 'No-TN-Validation'],
  [12, 437, 'Unsupported Credential', 'No-TN-Validation'],
  [13, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [14, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [15, 403, 'Stale Date', 'No-TN-Validation'],
  [16, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [17, 437, 'Unsupported Credential', 'TN-Validation-Failed'],
  [18, 438, 'Invalid Identity Header', 'TN-Validation-Failed'],
  [19, 438, 'Invalid Identity Header', 'No-TN-Validation'],
];

test.each(byName)('gives the verdict of vector %s', (_name, vector) => {
  expect(asExpectation(verdictOf(vector))).toEqual(vector.expected);
});

test.each(byName)('explains every step of vector %s, also from evidence that was kept as JSON', (_name, vector) => {
  const { evidence } = verdictOf(vector);
  const explained = explainEvidence(evidence);
  const kept = JSON.parse(JSON.stringify(evidence)) as VerdictEvidence;
  expect(kept).toEqual(evidence);
  expect(explainEvidence(kept)).toEqual(explained);
  expect(explained.map(({ index }) => index)).toEqual(vector.expected.headers.map((_header, index) => index));
  for (const { steps } of explained) {
    expect(steps.map(({ step }) => step)).toEqual(VERIFICATION_STEPS.map(({ name }) => name));
    expect(JSON.stringify(steps)).not.toMatch(/undefined|NaN|\[object/);
  }
});

test.each(byName)('describes vector %s to a person without a gap', (_name, vector) => {
  const lines = describeVerdict(verdictOf(vector));
  expect(lines.length).toBeGreaterThan(vector.expected.headers.length);
  expect(lines.join('\n')).not.toMatch(/undefined|NaN|\[object|Invalid Date/);
});

test.each(byName)('explains why each header of vector %s did not pass', (_name, vector) => {
  const explained = explainEvidence(verdictOf(vector).evidence);
  vector.expected.headers.forEach(({ status, reasons, notes }, index) => {
    const steps = explained[index]?.steps ?? [];
    const told = (result: string): readonly string[] =>
      steps.filter((step) => step.result === result).flatMap((step) => step.reasons.map(({ reason }) => reason));
    if (status !== 'ignored') expect([...told('failed'), ...told('unknown')].toSorted()).toEqual(reasons.toSorted());
    expect(told('noted').toSorted()).toEqual(notes.toSorted());
    for (const step of steps) {
      if (step.result !== 'failed' && step.result !== 'unknown') continue;
      expect(step.reasons.every(({ text }) => text !== undefined && text !== '')).toBe(true);
    }
  });
});

test.each(TABLE)('answers row %i of the ATIS-1000082 table with %i %s and verstat %s', (row, status, text, verstat) => {
  const vectors = VECTORS.filter((vector) => vector.row === row);
  expect(vectors).not.toEqual([]);
  for (const vector of vectors) {
    const verdict = verdictOf(vector);
    expect([vector.name, verdict.sipResponse, verdict.verstat]).toEqual([
      vector.name,
      { status, reasonPhrase: text },
      verstat,
    ]);
    expect(vector.name).toMatch(new RegExp(`^e${String(row).padStart(2, '0')}-`));
  }
  const rowsOfReasons = vectors.map(({ expected }) => FAILURE_REASONS[expected.reasons[0] as FailureReason].condition);
  // Row 7 is told before the fetch (info is no URL) and by the URL policy, both as info-invalid.
  expect(new Set(rowsOfReasons)).toEqual(new Set([row]));
});

test.each(FAILURE_REASON_NAMES)('has a vector in which %s decides', (reason) => {
  const decides = ({ expected }: Vector): boolean =>
    expected.reasons[0] === reason || expected.headers.some(({ reasons }) => reasons[0] === reason);
  expect(VECTORS.filter(decides).map(({ name }) => name)).not.toEqual([]);
});

test('the table of failure reasons speaks of rows 3 to 19 only, and of each', () => {
  const rows = FAILURE_REASON_NAMES.map((reason) => FAILURE_REASONS[reason].condition);
  const known = new Set(rows.filter((row) => row !== undefined));
  expect([...known].toSorted((a, b) => a - b)).toEqual(TABLE.map(([row]) => row));
});

test('every reason with a row answers with the code, text and verstat of that row', () => {
  const answers = FAILURE_REASON_NAMES.flatMap((reason) => {
    const { condition, sip, verstat } = FAILURE_REASONS[reason];
    return condition === undefined ? [] : [[reason, condition, sip?.status, sip?.reasonPhrase, verstat]];
  });
  const rows = new Map(TABLE.map((entry) => [entry[0], entry]));
  for (const [reason, row, ...answer] of answers) {
    expect([reason, ...answer]).toEqual([reason, ...(rows.get(row as number)?.slice(1) ?? [])]);
  }
});

test('a step fails with reasons that are findings, and is unknown with reasons that are open questions', () => {
  for (const vector of VECTORS) {
    for (const { exceptions } of verdictOf(vector).evidence.passports) {
      for (const { result, reason } of exceptions) {
        if (result === 'noted') continue;
        const { outcome } = FAILURE_REASONS[reason as FailureReason];
        expect([vector.name, reason, outcome]).toEqual([
          vector.name,
          reason,
          result === 'failed' ? 'failed' : 'indeterminate',
        ]);
      }
    }
  }
});

test('the vector files are those of their source, and no certificate file is left over', async () => {
  const { vectors, files } = await buildVectors();
  expect(vectors.map(({ name }) => name).toSorted()).toEqual(VECTORS.map(({ name }) => name).toSorted());
  const stored = readdirSync(`${VECTOR_FOLDER}pki`).map((name) => `pki/${name}`);
  expect([...files.keys()].toSorted()).toEqual(stored.toSorted());
});

test('what the vector files expect is what their source expects', async () => {
  const { vectors } = await buildVectors();
  const withoutTokens = (vector: Vector): unknown => {
    const { expected, description, section, row, policy, nowMs, conditions, trustAnchors, crls } = vector;
    const reasonHeaders = expected.reasonHeaders.map((value) => value.replace(/;ppi=.*/, ''));
    return {
      description,
      section,
      row,
      policy,
      nowMs,
      conditions,
      trustAnchors,
      crls,
      expected: { ...expected, reasonHeaders },
    };
  };
  const stored = new Map(VECTORS.map((vector) => [vector.name, withoutTokens(vector)]));
  for (const vector of vectors) expect(withoutTokens(vector)).toEqual(stored.get(vector.name));
});

test('the vectors made anew, with new keys, give the same verdicts', async () => {
  const { vectors, files } = await buildVectors();
  const read = (path: string): string => files.get(path) ?? '';
  for (const vector of vectors) expect(asExpectation(runVector(vector, read).verdict)).toEqual(vector.expected);
});

test('the vectors hold no private key and stay below a megabyte', () => {
  const folders = ['verification', 'pki'].flatMap((folder) =>
    readdirSync(`${VECTOR_FOLDER}${folder}`).map((name) => readFileSync(`${VECTOR_FOLDER}${folder}/${name}`, 'utf8')),
  );
  expect(folders.every((text) => !text.includes('PRIVATE KEY'))).toBe(true);
  expect(folders.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(1_000_000);
});
