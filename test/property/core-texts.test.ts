import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBoundedJson, type JsonLimits, type JsonParseResult } from '../../sdk/src/core/json-text.js';
import { decodeBase64Url, decodeBase64UrlText, encodeBase64Url, isBase64Url } from '../../sdk/src/core/base64url.js';
import { wellFormedText, wellFormedValue } from '../../sdk/src/core/text.js';
import { forAll } from '../support/for-all.js';

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
      ...Array.from('{}[],:"\\01-.eE+ \n\t\u0000\uFEFF😀'),
      ...['"a"', '"b"', '"a":', '"b":1', '\\u0061', '\\ud83d\\ude00', '\\ud800', '\\n', '\\/', '12'],
      ...['true', 'false', 'null', '__proto__', '"__proto__":'],
    ),
    { maxLength: 24 },
  )
  .map((tokens) => tokens.join(''));

const PAYLOAD =
  '{"attest":"A","dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"},"origid":"123e4567-e89b-12d3-a456-426655440000"}';
const mutation = fc.record({
  at: fc.integer({ min: 0, max: PAYLOAD.length }),
  drop: fc.integer({ min: 0, max: 12 }),
  add: fc.oneof(ofTokens, fc.string({ unit: 'binary', maxLength: 4 })),
});
const mutated = fc
  .array(mutation, { minLength: 1, maxLength: 3 })
  .map((changes) =>
    changes.reduce((text, { at, drop, add }) => text.slice(0, at) + add + text.slice(at + drop), PAYLOAD),
  );

test('returns, never throws, for any text, and never takes what JSON.parse refuses', () => {
  forAll(
    [fc.oneof(ofTokens, mutated, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))],
    30_000,
    (text) => {
      expectSame(text, parseBoundedJson(text, WIDE));
    },
  );
});

test('parses whatever JSON.stringify writes to the same value', () => {
  forAll([fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2)], 2_000, (value, indent) => {
    const text = JSON.stringify(value, undefined, indent);
    const result = parseBoundedJson(text, WIDE);
    expect(result.status === 'parsed' || text.includes('"__proto__"')).toBe(true);
    expectSame(text, result);
  });
});

test('refuses an object exactly where a key comes twice', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'aa', 'B', '', 'toString', '😀', '😁', '\uFFFD');
  forAll([fc.array(key, { maxLength: 8 })], 5_000, (keys) => {
    const text = `{${keys.map((name) => `${JSON.stringify(name)}:1`).join(',')}}`;
    const result = parseBoundedJson(text);
    const isUnique = new Set(keys).size === keys.length;
    expect(result).toMatchObject(
      isUnique
        ? { status: 'parsed', isCanonical: isAscending(keys) }
        : { status: 'malformed', reason: 'json-duplicate-key' },
    );
  });
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
  forAll([fc.jsonValue({ maxDepth: 5 }), limits], 5_000, (value, limit) => {
    const text = JSON.stringify(value);
    const { depth, entries } = measure(value);
    const fits = text.length <= limit.maxChars && depth <= limit.maxDepth && entries <= limit.maxEntries;
    const result = parseBoundedJson(text, limit);
    const isForbidden = result.status === 'malformed' && result.reason === 'json-forbidden-key';
    expect(isForbidden || (result.status === 'parsed') === fits).toBe(true);
  });
});

const measure = (value: unknown): { depth: number; entries: number } => {
  if (typeof value !== 'object' || value === null) return { depth: 0, entries: 0 };
  const inner = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...inner.map((one) => one.depth)),
    entries: inner.reduce((sum, one) => sum + 1 + one.entries, 0),
  };
};

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The definition, letter by letter. */
const isStrict = (text: string): boolean => {
  const values = Array.from(text).map((letter) => ALPHABET.indexOf(letter));
  if (values.includes(-1) || text.length % 4 === 1) return false;
  const unused = [0, 0, 15, 3][text.length % 4] ?? 0;
  return ((values.at(-1) ?? 0) & unused) === 0;
};

test('gives back the bytes that were encoded', () => {
  forAll([fc.uint8Array({ maxLength: 300 })], 100, (bytes) => {
    const encoded = encodeBase64Url(bytes);
    expect(isBase64Url(encoded)).toBe(true);
    expect([...(decodeBase64Url(encoded) ?? [])]).toEqual([...bytes]);
  });
});

test('agrees with the definition of strict base64url on any text', () => {
  const nearly = fc.string({
    unit: fc.constantFrom(...Array.from(ALPHABET), '+', '/', '=', '\n', '\u0141'),
    maxLength: 12,
  });
  const inAlphabet = fc.string({ unit: fc.constantFrom(...Array.from(ALPHABET)), maxLength: 12 });
  forAll([fc.oneof(nearly, inAlphabet, fc.string({ unit: 'binary' }))], 5_000, (text) => {
    expect(isBase64Url(text)).toBe(isStrict(text));
    expect(decodeBase64Url(text) !== undefined).toBe(isStrict(text));
    if (!isStrict(text)) expect(decodeBase64UrlText(text)).toBeUndefined();
  });
});

test('decodes text exactly where a fatal decoder does', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const oracle = (bytes: Uint8Array): string | undefined => {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  };
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xef, 0xbf, 0xbd, 0xed, 0xa0, 0xc0, 0xf4));
  forAll([fc.array(byte, { maxLength: 12 })], 5_000, (list) => {
    const bytes = Uint8Array.from(list);
    expect(decodeBase64UrlText(encodeBase64Url(bytes))).toBe(oracle(bytes));
  });
});

/** Any sequence of UTF-16 code units, halves of pairs among them. */
const text = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7f }), fc.integer({ min: 0xd7f0, max: 0xe00f })))
  .map((units) => String.fromCharCode(...units));
/** UTF-8 has no half of a pair: what is written in it and read back has U+FFFD in its place. */
const throughUtf8 = (value: string): string => Buffer.from(value, 'utf8').toString('utf8');

test('a text is what UTF-8 gives back of it', () => {
  forAll([text], 100, (value) => {
    expect(wellFormedText(value)).toBe(throughUtf8(value));
  });
});

test('of plain data every text and every name is well-formed, and nothing else is changed', () => {
  const data = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  forAll([data], 100, (value) => {
    const made = wellFormedValue(value);
    const written = JSON.stringify(made);
    expect(written).not.toMatch(/\\ud[89a-f]/);
    const isSame = JSON.stringify(value) === written;
    if (isSame) expect(made).toBe(value);
    expect(wellFormedValue(made)).toBe(made);
  });
});

test('octets stay as they are', () => {
  const octets = new Uint8Array([0xff]);
  const made = wellFormedValue({ octets, name: '\ud83d' });
  expect(made.octets).toBe(octets);
  expect(made.name).toBe('\ufffd');
});
