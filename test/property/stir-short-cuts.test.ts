import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBoundedJson, isJsonObject } from '../../sdk/src/core/json-text.js';
import { parseNameAddr } from '../../sdk/src/core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../../sdk/src/core/sip-uri.js';
import { NORTH_AMERICAN_PLAN } from '../../sdk/src/core/telephone-number.js';
import { canonicalJson } from '../../sdk/src/stir/passport.js';
import { readCanonicalShaken, shaken, shakenPayload } from '../../sdk/src/stir/passport-types/shaken.js';
import { plainSipNumber } from '../../sdk/src/stir/verification/request.js';
import { forAll } from '../support/for-all.js';

const RUNS = 20_000;

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'), minLength, maxLength });

/** A text with a few of its characters replaced, left out or doubled. */
const mutated = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      text,
      fc.array(
        fc.tuple(fc.nat(), fc.constantFrom('', '"', '\\', ' ', '0', '@', ';', '<', '>', '+', '.', '%', 'é', 'x')),
        { maxLength: 2 },
      ),
    )
    .map(([start, edits]) =>
      edits.reduce((current, [place, insert]) => {
        const at = place % (current.length + 1);
        return current.slice(0, at) + insert + current.slice(at + (place % 2));
      }, start),
    );

const sipAddress = fc
  .tuple(
    fc.constantFrom('', '<', '"Bob" <'),
    fc.constantFrom('sip:+', 'sip:', 'sips:+', 'tel:+', 'SIP:+'),
    digits(0, 18),
    fc.constantFrom('@host.example', '@192.0.2.1', '@h', '', '@a..b', '@h:5060', '@.h', '@h.'),
    fc.constantFrom('', ';user=phone', ';user=ip', ';transport=tcp', ';user=phone;x=1'),
    fc.constantFrom('', '>', '>;tag=1', '>;tag=a.b-c', '> ;tag=1', '>;tag=', '>;x=1'),
  )
  .map((parts) => parts.join(''));

const plainAddress = fc
  .tuple(
    fc.boolean(),
    digits(7, 16),
    fc.constantFrom('', ';user=phone'),
    fc.constantFrom('', ';tag=1928', ';tag=a.b-c'),
  )
  .map(([isAngled, number, phone, tag]) => {
    const uri = `sip:+${number}@gateway.example:5060`.replace(number.length % 2 === 0 ? ':5060' : '', '') + phone;
    return isAngled ? `<${uri}>${tag}` : uri;
  });

test('the short cut for SIP numbers reads what the full parsers read', () => {
  let read = 0;
  forAll([fc.oneof(plainAddress, mutated(plainAddress), mutated(sipAddress))], RUNS, (text) => {
    const plain = plainSipNumber(text);
    if (plain === undefined) return;
    read += 1;
    const nameAddr = parseNameAddr(text);
    const uri = nameAddr.status === 'parsed' ? parseSipUri(nameAddr.uri) : undefined;
    const number = uri?.status === 'parsed' ? telephoneNumberOfUri(uri.uri, NORTH_AMERICAN_PLAN) : undefined;
    expect(number).toEqual({ kind: 'number', tn: plain });
    const bare = text.startsWith('s') ? parseSipUri(text) : undefined;
    if (bare !== undefined) expect(bare.status === 'parsed' && telephoneNumberOfUri(bare.uri)).toEqual(number);
  });
  expect(read).toBeGreaterThan(100);
});

const payloadText = fc
  .record({
    attestation: fc.constantFrom('A', 'B', 'C'),
    origTn: digits(1, 16),
    destTn: fc.array(digits(1, 16), { minLength: 1, maxLength: 2 }),
    iatSeconds: fc.oneof(fc.nat(), fc.integer({ min: 1_700_000_000, max: 1_900_000_000 })),
    origId: fc.oneof(fc.uuid(), fc.string({ maxLength: 140 })),
  })
  .map((claims) => canonicalJson(shakenPayload(claims as Parameters<typeof shakenPayload>[0])));

test('the short cut for SHAKEN payloads reads what JSON parser and claim reader read', () => {
  let read = 0;
  forAll([mutated(payloadText)], RUNS, (text) => {
    const short = readCanonicalShaken(text);
    if (short === undefined) return;
    read += 1;
    const json = parseBoundedJson(text);
    if (json.status !== 'parsed' || !isJsonObject(json.value)) throw new Error('the JSON parser refuses it');
    expect(json.isCanonical).toBe(true);
    expect(JSON.stringify(short.payload)).toBe(JSON.stringify(json.value));
    expect(shaken.readClaims(json.value)).toEqual({ status: 'read', claims: short.claims });
  });
  expect(read).toBeGreaterThan(100);
});
