import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callBackNumbers } from '../../harness/src/platform/domain/campaigns/scripts/call-back-numbers.js';
import { ScriptIndex } from '../../harness/src/platform/domain/campaigns/scripts/script-index.js';
import { nameOfScript } from '../../harness/src/platform/domain/campaigns/scripts/name-of-script.js';
import { viewOf } from '../support/script-index-view.js';
import { digitsInWords, makeScript, makeTranscripts } from '../support/transcript-corpus.js';
import { forAll } from '../support/for-all.js';

/** Any UTF-16, lone surrogates too, and text of the letters, digits and signs that are treated apart. */
const anyText = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), maxLength: 400 }),
  fc.string({ unit: fc.constantFrom(...Array.from("aO1٣一按กé\u0301'[(*♪ -+#"), '\ud800'), maxLength: 400 }),
  fc
    .array(fc.constantFrom(...'press one hundred double thank you for watching 800 555 +1 y treinta'.split(' ')), {
      maxLength: 80,
    })
    .map((words) => words.join(' ')),
);
const anyLanguage = fc.option(
  fc.oneof(fc.constantFrom('en', 'es-MX', 'zh-Hans', 'xx', 'und', '', '-', '__proto__', 'constructor'), anyText),
  { nil: undefined },
);

test('any strings are placed, named and read for numbers without a throw', () => {
  forAll([fc.array(fc.tuple(anyText, anyText, anyLanguage), { maxLength: 12 })], 60, (adds) => {
    for (const strictness of ['same-script', 'same-recording'] as const) {
      const index = new ScriptIndex({ strictness, limits: { maxPostings: 1_024 } });
      for (const [id, transcript, language] of adds) {
        index.add(id, transcript, language);
        expect(index.add(id, transcript, language).kind).toMatch(/^(?:known|none)$/u);
      }
    }
    for (const [, transcript, language] of adds)
      for (const { number, start, end } of callBackNumbers(transcript, language)) {
        expect(number).toMatch(/^\+[1-9]\d{7,14}$/u);
        expect(0 <= start && start < end && end <= transcript.length).toBe(true);
      }
    expect(nameOfScript(adds.map(([, transcript]) => transcript)).name.length).toBeLessThanOrEqual(48);
  });
});

test('the same adds give the same answers, and repeated adds change neither scripts nor counts', () => {
  const rows = [...makeTranscripts({ seed: 3, transcripts: 300, scripts: 30 })];
  const [index, other] = [new ScriptIndex(), new ScriptIndex()];
  const added = (to: typeof index): unknown[] =>
    rows.map(({ id, transcript, language }) => to.add(id, transcript, language));
  expect(added(index)).toEqual(added(other));
  const state = (): unknown => ({ scripts: viewOf(index).scripts, statistics: { ...index.statistics(), added: 0 } });
  const before = state();
  added(index);
  expect(state()).toEqual(before);
});

test('every transcript that is placed is counted in one script, through all merges', () => {
  for (const maxExemplarsPerScript of [1, 2, 6]) {
    const index = new ScriptIndex({ limits: { maxExemplarsPerScript } });
    let placed = 0;
    const rows = makeTranscripts({ seed: 5, transcripts: 1_500, scripts: 20, cutShare: 0.7 });
    for (const { id, transcript, language } of rows)
      if (index.add(id, transcript, language).kind !== 'none') placed += 1;
    const { scripts } = viewOf(index);
    expect(index.statistics().merges).toBeGreaterThan(0);
    expect(scripts.reduce((sum, { count }) => sum + count, 0)).toBe(placed);
    expect(scripts.map(({ members }) => members.length)).toEqual(scripts.map(({ count }) => count));
  }
});

test('transcripts that differ only in numbers form one script, and others do not, in every order', () => {
  const tails = ['', ' [Music]', ' Thank you for watching!'];
  const call = fc.record({ script: fc.nat(11), number: fc.nat(9_999), tail: fc.nat(2), isTwice: fc.boolean() });
  forAll([fc.integer({ min: 1, max: 10_000 }), fc.array(call, { minLength: 2, maxLength: 60 })], 30, (seed, calls) => {
    const rows = calls.map(({ script, number, tail, isTwice }, at) => {
      const words = makeScript(seed, 100 + script).text.replace(/\{(?:name|company)\}/gu, 'Rosa');
      const text = words.replace(/\{\w+\}/gu, String(number));
      return {
        id: `${String(script)}/${String(at)}`,
        transcript: `${isTwice ? `${text} ${text}` : text}${tails[tail] ?? ''}`,
      };
    });
    for (const order of [rows, rows.toReversed()]) {
      const index = new ScriptIndex();
      for (const { id, transcript } of order) index.add(id, transcript);
      const parts = viewOf(index).scripts.map(({ members }) => new Set(members.map((id) => id.split('/')[0])).size);
      expect(parts.every((scripts) => scripts === 1)).toBe(true);
      expect(parts).toHaveLength(new Set(calls.map(({ script }) => script)).size);
    }
  });
});

test('the index stays within its limits, and every merge is reported and can be followed', () => {
  const limits = { maxScripts: 40, maxExemplarsPerScript: 3, maxMembers: 100, maxPostings: 1_024 };
  forAll([fc.integer({ min: 1, max: 10_000 })], 8, (seed) => {
    const index = new ScriptIndex({ limits });
    let told = 0;
    const rows = makeTranscripts({ seed, transcripts: 600, scripts: 60, unlikeShare: 0.4 });
    for (const { id, transcript, language } of rows) {
      const placement = index.add(id, transcript, language);
      const { scripts, members, postings } = index.statistics();
      expect(scripts <= limits.maxScripts && members <= limits.maxMembers && postings <= limits.maxPostings).toBe(true);
      if (placement.kind !== 'joined') continue;
      told += placement.merges.length;
      const { currentId } = viewOf(index);
      for (const { kept, gone } of placement.merges) expect(currentId(gone)).toBe(currentId(kept));
    }
    expect(told).toBe(index.statistics().merges);
    for (const { wordings } of viewOf(index).scripts)
      expect(wordings).toBeLessThanOrEqual(limits.maxExemplarsPerScript);
  });
});

test('of a transcript of megabytes the beginning is read, and no more work is done than for it', () => {
  for (const piece of "a|word |1 |一|[|(|'|8|8-|thank you |double |谢谢观看|\ud800|á".split('|')) {
    const text = piece.repeat(Math.ceil(4_000_000 / piece.length));
    const begin = text.slice(0, 100_000);
    const placed = (transcript: string): unknown =>
      new ScriptIndex({ limits: { maxPostings: 1_024 } }).add('a', transcript);
    // Work that grew with the square of the length would take hours.
    expect(placed(text)).toEqual(placed(begin));
    expect(callBackNumbers(text)).toEqual(callBackNumbers(begin));
    expect(nameOfScript([text])).toEqual(nameOfScript([begin]));
  }
}, 120_000);

test('every North American number is found as it is said, in digits or in words', () => {
  const digits = fc.tuple(
    fc.integer({ min: 212, max: 889 }),
    fc.integer({ min: 200, max: 999 }),
    fc.integer({ min: 0, max: 9_999 }),
  );
  forAll(
    [digits, fc.constantFrom('en', 'es', 'pt', 'fr'), fc.boolean()],
    200,
    ([area, exchange, line], language, isSpoken) => {
      fc.pre(Math.floor(area / 10) % 10 !== 9 && area % 100 !== 11);
      const number = `${String(area)}${String(exchange)}${String(line).padStart(4, '0')}`;
      const said = isSpoken ? digitsInWords(number, language) : number.replace(/^(...)(...)/u, '$1-$2-');
      expect(callBackNumbers(`xxxx ${said}.`, language).map((found) => found.number)).toEqual([`+1${number}`]);
    },
  );
});
