import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import type { ProviderReference } from '../../sdk/src/traceback/index.js';
import type { RequestOutcome } from '../../harness/src/platform/core/index.js';
import {
  falseDiscoveryRates,
  measureStandings,
  wilsonInterval,
} from '../../harness/src/platform/domain/providers/scorecard.js';
import {
  readCursor,
  codesOf,
  codesToLookUp,
  resolveReference,
  writeCursor,
} from '../../harness/src/platform/domain/providers/resolve-reference.js';
import { readFilings } from '../../harness/src/platform/domain/providers/read-filings.js';
import { forAll } from '../support/for-all.js';

test('the interval covers the true share in about 95 of 100 samples, from ten requests up', () => {
  const random = new SeededRandom(7);
  const coverages: number[] = [];
  for (const trials of [10, 20, 50, 200]) {
    for (const share of [0.05, 0.2, 0.5, 0.9]) {
      let covered = 0;
      const rounds = 2_000;
      for (let round = 0; round < rounds; round += 1) {
        let hits = 0;
        for (let trial = 0; trial < trials; trial += 1) if (random.next() < share) hits += 1;
        const { lower, upper } = wilsonInterval(hits, trials);
        if (lower <= share && share <= upper) covered += 1;
      }
      coverages.push(covered / rounds);
    }
  }
  // It oscillates with the share, as every interval of a whole number does; on average it holds.
  expect(Math.min(...coverages)).toBeGreaterThan(0.9);
  expect(coverages.reduce((total, one) => total + one, 0) / coverages.length).toBeGreaterThan(0.945);
});

const asked = (providerId: string, index: number, isSilent: boolean): RequestOutcome => ({
  ...{ requestId: `r-${providerId}-${index}`, tracebackId: `t-${providerId}-${index}`, providerId, hop: 2 },
  ...{ issuedAtMs: 0, dueAtMs: 86_400_000, isDisputed: false },
  ...(isSilent ? { state: 'unanswered' } : { state: 'answered', answeredAtMs: 1_000, arm: 'received-from' }),
});

test('of thousands of providers at the threshold, at most one in twenty that are named is named wrongly', () => {
  const random = new SeededRandom(11);
  let [wrong, named, found] = [0, 0, 0];
  for (let round = 0; round < 5; round += 1) {
    const outcomes: RequestOutcome[] = [];
    for (let provider = 0; provider < 700; provider += 1) {
      // Every tenth leaves half of what it is asked unanswered; the others are as bad as the threshold lets them be.
      const isBad = provider % 10 === 0;
      for (let index = 0; index < 40; index += 1)
        outcomes.push(asked(`${isBad ? 'bad' : 'fair'}-${provider}`, index, random.next() < (isBad ? 0.55 : 0.2)));
    }
    const standings = measureStandings(outcomes, { nowMs: 1e9, outages: [], contests: new Map() });
    for (const { providerId, measures } of standings.values()) {
      if (!measures.some(({ isConcern }) => isConcern)) continue;
      named += 1;
      if (providerId.startsWith('fair')) wrong += 1;
      else found += 1;
    }
  }
  expect(wrong / named).toBeLessThanOrEqual(0.05);
  expect(found).toBeGreaterThan(300);
});

test('q-values are never below their p-values, and keep their order', () => {
  forAll([fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 50 })], 100, (p) => {
    const q = falseDiscoveryRates(p);
    for (const [index, one] of p.entries()) {
      expect(q[index]).toBeGreaterThanOrEqual(one);
      expect(q[index]).toBeLessThanOrEqual(1);
      for (const [other, than] of p.entries()) if (one < than) expect(q[index]).toBeLessThanOrEqual(q[other]!);
    }
  });
});

test('any text is read as filings or refused, and every line is taken or named once', () => {
  forAll([fc.string({ unit: 'binary', maxLength: 400 }), fc.boolean()], 100, (text, hasHeader) => {
    const reading = readFilings(hasHeader ? `business_name,frn,last_updated,removed_on\n${text}` : text);
    if (reading.status !== 'read') return;
    const lines = [...reading.filings, ...reading.rejected].map(({ line }) => line);
    for (const line of lines) expect(line).toBeGreaterThan(0);
  });
});

test('a cursor is read back as it was written, and any other text is not a cursor', () => {
  forAll([fc.tuple(fc.maxSafeInteger(), fc.string({ unit: 'grapheme', maxLength: 80 }))], 100, (parts) => {
    const read = readCursor(writeCursor(parts), ['number', 'string']);
    if (parts[1].includes('\u0000')) expect(read).toBeUndefined();
    else expect(read).toEqual(parts);
  });
  forAll([fc.string({ maxLength: 200 })], 100, (text) => void readCursor(text, ['string']));
});

test('a reference mixes two companies exactly where two of its codes and names belong to different ones', () => {
  const entries = ['a', 'b', 'c'].map((providerId, index) => ({
    ...WIRE_EXAMPLES.ProviderEntry[0].value,
    ...{ providerId, businessName: `Example ${providerId}`, otherDbaNames: [`Trading ${providerId}`] },
    ...{ previousBusinessNames: [], frn: `000000000${index}` },
    ...{ ocns: [`10${index}0`, `10${index}1`], spcs: [`2${index}00`] },
  }));
  const owned = entries.flatMap((entry) => [
    { kind: 'id' as const, value: entry.providerId, providerId: entry.providerId },
    ...codesOf(entry).map((code) => ({ ...code, providerId: entry.providerId })),
  ]);
  /** Of which company a part is, or 3 for one that nobody has. */
  const company = fc.nat({ max: 3 });
  const maybe = fc.option(company, { nil: undefined });
  const parts = fc.record({ name: company, id: maybe, frn: maybe, ocn: maybe, spc: maybe, isOther: fc.boolean() });
  const text = (of: number | undefined, own: (index: number) => string, nobody: string): string | undefined =>
    of === undefined ? undefined : of === 3 ? nobody : own(of);
  forAll([parts], 2_000, ({ name, id, frn, ocn, spc, isOther }) => {
    const stated = {
      name: text(name, (index) => `${isOther ? 'Trading' : 'Example'} ${'abc'[index]}`, 'Nobody LLC'),
      providerId: text(id, (index) => 'abc'[index] ?? '', 'z'),
      frn: text(frn, (index) => `000000000${index}`, '9999999999'),
      ocn: text(ocn, (index) => `10${index}${isOther ? 1 : 0}`, '9999'),
      spc: text(spc, (index) => `2${index}00`, '8888'),
    };
    const reference = Object.fromEntries(
      Object.entries(stated).filter(([, value]) => value !== undefined),
    ) as unknown as ProviderReference;
    const codes = codesToLookUp(reference);
    const meant = resolveReference(reference, {
      owners: owned.filter((one) => codes.some(({ kind, value }) => one.kind === kind && one.value === value)),
      codesOfOwners: owned.filter(({ kind }) => kind !== 'id'),
    });
    const companies = new Set([name, id, frn, ocn, spc].filter((of) => of !== undefined && of !== 3));
    const isMixed = meant.status === 'several' && meant.mixed !== undefined;
    expect({ reference, isMixed }).toEqual({ reference, isMixed: companies.size > 1 });
    if (meant.status === 'several' && meant.mixed !== undefined) {
      const [one, other] = meant.mixed;
      expect(one.providerIds.some((owner) => other.providerIds.includes(owner))).toBe(false);
    }
  });
});
