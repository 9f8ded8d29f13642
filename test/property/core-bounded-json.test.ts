import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBoundedJson } from '../../sdk/src/core/json-text.js';
import type { JsonLimits, JsonParseResult } from '../../sdk/src/core/json-text.js';

const WIDE: JsonLimits = { maxChars: 100_000, maxDepth: 200, maxEntries: 100_000 };

const jsonParse = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
};

/** Everything that is refused although JSON.parse takes it shows in the value that JSON.parse returns, or as repeated keys. */
const expectSame = (text: string, result: JsonParseResult): void => {
  const oracle = jsonParse(text);
  if (result.status === 'parsed') {
    expect(oracle).toEqual({ value: result.value });
  } else if (result.reason === 'json-malformed' && oracle !== undefined) {
    expect(/\\ud[89a-f]|[\ud800-\udfff]|\d{300}|[eE]\+?\d{3}/i.test(text)).toBe(true);
  }
};

const ofTokens = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '"b"',
      '"a":',
      '"b":1',
      '\\u0061',
      '\\ud83d\\ude00',
      '\\ud800',
      '0',
      '1',
      '-',
      '.',
      'e',
      '+',
      '12',
      'true',
      'false',
      'null',
      ' ',
      '\n',
      '__proto__',
      '"__proto__":',
      '😀',
      '\u0000',
      '\uFEFF',
    ),
    { maxLength: 24 },
  )
  .map((tokens) => tokens.join(''));

test('returns, never throws, for any text, and never takes what JSON.parse refuses', () => {
  fc.assert(
    fc.property(fc.oneof(ofTokens, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
      expectSame(text, parseBoundedJson(text, WIDE));
    }),
    { numRuns: 20_000 },
  );
});

test('parses whatever JSON.stringify writes to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const result = parseBoundedJson(text, WIDE);
      expect(result.status === 'parsed' || text.includes('"__proto__"')).toBe(true);
      expectSame(text, result);
    }),
    { numRuns: 2_000 },
  );
});

test('returns for mutations of a SHAKEN payload', () => {
  const payload =
    '{"attest":"A","dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"},"origid":"123e4567-e89b-12d3-a456-426655440000"}';
  const mutation = fc.record({
    at: fc.integer({ min: 0, max: payload.length }),
    drop: fc.integer({ min: 0, max: 12 }),
    add: fc.oneof(ofTokens, fc.string({ unit: 'binary', maxLength: 4 })),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const text = mutations.reduce(
        (left, { at, drop, add }) => left.slice(0, at) + add + left.slice(at + drop),
        payload,
      );
      expectSame(text, parseBoundedJson(text));
    }),
    { numRuns: 10_000 },
  );
});

test('refuses an object exactly where a key comes twice', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'aa', 'B', '', 'toString', '😀', '\uFFFD');
  fc.assert(
    fc.property(fc.array(key, { maxLength: 8 }), (keys) => {
      const text = `{${keys.map((name) => `${JSON.stringify(name)}:1`).join(',')}}`;
      const result = parseBoundedJson(text);
      const isUnique = new Set(keys).size === keys.length;
      expect(result).toMatchObject(
        isUnique
          ? { status: 'parsed', isCanonical: isAscending(keys) }
          : { status: 'malformed', reason: 'json-duplicate-key' },
      );
    }),
    { numRuns: 5_000 },
  );
});

const isAscending = (keys: readonly string[]): boolean => {
  const byCodePoint = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right));
  return keys.every((key, index) => index === 0 || byCodePoint(keys[index - 1] ?? '', key) < 0);
};

test('keeps every limit', () => {
  const limits = fc.record({
    maxChars: fc.integer({ min: 0, max: 60 }),
    maxDepth: fc.integer({ min: 0, max: 4 }),
    maxEntries: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), limits, (value, limit) => {
      const text = JSON.stringify(value);
      const { depth, entries } = measure(value);
      const fits = text.length <= limit.maxChars && depth <= limit.maxDepth && entries <= limit.maxEntries;
      const result = parseBoundedJson(text, limit);
      const isForbidden = result.status === 'malformed' && result.reason === 'json-forbidden-key';
      expect(isForbidden || (result.status === 'parsed') === fits).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

const measure = (value: unknown): { depth: number; entries: number } => {
  if (typeof value !== 'object' || value === null) return { depth: 0, entries: 0 };
  const inner = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...inner.map((one) => one.depth)),
    entries: inner.reduce((sum, one) => sum + 1 + one.entries, 0),
  };
};
