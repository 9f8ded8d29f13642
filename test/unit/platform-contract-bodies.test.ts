import type { WireBodyName } from '../../sdk/src/contract/bodies.js';
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import { WIRE_EXAMPLES, WIRE_SCHEMAS } from '../../sdk/src/platform/index.js';
import { contractSchemas, contractValidators, type ContractSchema } from '../support/contract-schemas.js';
import { changed, places, valueAt } from '../support/json-places.js';

const NAMES = Object.keys(WIRE_SCHEMAS) as WireBodyName[];
const EXAMPLES = NAMES.flatMap((name) =>
  WIRE_EXAMPLES[name].map((example) => [`${name} ${example.name}`, name, example.value as unknown] as const),
);
const validatorOf = contractValidators();

/** Data of an event whose kind is not known: nobody reads it, so that nothing in it is missing or too much. */
const isUnread = (name: WireBodyName, place: readonly (string | number)[]): boolean =>
  name === 'PlatformEventEnvelope' && place[0] === 'data';

test('there is an example of every body, and each has a name of its own', () => {
  expect(Object.keys(WIRE_EXAMPLES).toSorted()).toEqual(NAMES.toSorted());
  for (const name of NAMES) {
    const names = WIRE_EXAMPLES[name].map((example) => example.name);
    expect(names).toEqual([...new Set(names)]);
    for (const one of names) expect(one).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
  }
});

test.each(EXAMPLES)('%s is read as it is, and is valid by the OpenAPI document', (_title, name, value) => {
  expect(WIRE_SCHEMAS[name].safeParse(value)).toEqual({ success: true, data: value });
  // As it comes over the wire.
  expect(WIRE_SCHEMAS[name].safeParse(JSON.parse(JSON.stringify(value)))).toEqual({ success: true, data: value });
  const validate = validatorOf(name);
  expect(validate(value) || validate.errors).toBe(true);
});

test.each(EXAMPLES)('%s: the schema requires the same members as the document', (_title, name, value) => {
  const members = places(value).filter((place) => typeof place.at(-1) === 'string' && place.length > 0);
  const inObjects = members.filter((place) => !Array.isArray(valueAt(value, place.slice(0, -1))));
  expect(inObjects.length).toBeGreaterThan(0);
  for (const place of inObjects) {
    const less = changed(value, place, undefined);
    expect([place, WIRE_SCHEMAS[name].safeParse(less).success]).toEqual([place, validatorOf(name)(less)]);
  }
});

test.each(EXAMPLES)('%s may hold members that nobody knows: they are let pass and left out', (_title, name, value) => {
  for (const place of places(value)) {
    const inner = valueAt(value, place);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner) || isUnread(name, place)) continue;
    const more = changed(value, [...place, 'laterMember'], { anything: [1] });
    expect(WIRE_SCHEMAS[name].safeParse(more)).toEqual({ success: true, data: value });
    expect(validatorOf(name)(more)).toBe(true);
  }
});

test('every text and every list of the contract is bounded', () => {
  const unbounded: string[] = [];
  for (const [name, schema] of Object.entries(contractSchemas())) {
    for (const place of places(schema)) {
      const inner = valueAt(schema, place) as ContractSchema;
      if (typeof inner !== 'object' || inner === null || place.at(-1) === 'properties') continue;
      if (inner['type'] === 'array' && inner['prefixItems'] === undefined && inner['maxItems'] === undefined)
        unbounded.push(`${name}: ${place.join('.')}`);
      if (inner['type'] === 'string' && !isBoundedText(inner)) unbounded.push(`${name}: ${place.join('.')}`);
    }
  }
  expect(unbounded).toEqual([]);
});

function isBoundedText({ maxLength, pattern, enum: words, const: word, format }: ContractSchema): boolean {
  if (maxLength !== undefined || words !== undefined || word !== undefined || format === 'date') return true;
  // Without what stands between brackets: a bound is a number of times.
  return typeof pattern === 'string' && !/[*+]|\{\d+,\}/.test(pattern.replace(/\[(?:\\.|[^\]])*\]|\\./g, ''));
}

/** The key of RFC 8037 appendix A, which everybody knows. Ed25519 signs the same bytes alike each time. */
const EXAMPLE_KEY = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  },
});

test('the signed examples hold the answer and the receipt of the examples, and the receipt has the hash of the answer', async () => {
  const { answer } = WIRE_EXAMPLES.AnswerSubmission[0].value;
  const { receipt } = WIRE_EXAMPLES.SignedReceipt[0].value;
  const signed = (jws: string): string => {
    const input = jws.slice(0, jws.lastIndexOf('.'));
    return `${input}.${sign(null, Buffer.from(input), EXAMPLE_KEY).toString('base64url')}`;
  };
  expect(answer).toBe(signed(answer));
  expect(WIRE_EXAMPLES.AnswerReceipt[0].value.answerSha256).toBe(createHash('sha256').update(answer).digest('hex'));
  expect(receipt).toBe(signed(receipt));
  const read = async (jws: string) => {
    const { payload, protectedHeader } = await compactVerify(jws, createPublicKey(EXAMPLE_KEY));
    return [protectedHeader.typ, JSON.parse(Buffer.from(payload).toString('utf8')) as unknown];
  };
  expect(await read(answer)).toEqual(['traceback-answer+jws', WIRE_EXAMPLES.TracebackAnswer[0].value]);
  expect(await read(receipt)).toEqual(['answer-receipt+jws', WIRE_EXAMPLES.AnswerReceipt[0].value]);
});

test('the examples have one answer of every arm', () => {
  const { oneOf } = contractSchemas()['TracebackFinding'] as { oneOf: { properties: { arm: { const: string } } }[] };
  const arms = new Set(WIRE_EXAMPLES.TracebackAnswer.map(({ value }) => value.finding.arm as string));
  expect([...arms].toSorted()).toEqual(oneOf.map(({ properties }) => properties.arm.const).toSorted());
});

test('a call that is asked about has a number or a record', () => {
  const { call, ...request } = WIRE_EXAMPLES.TracebackRequest[0].value;
  const read = (asked: unknown): boolean =>
    WIRE_SCHEMAS.TracebackRequest.safeParse({ ...request, call: asked }).success;
  const recordId = '0'.repeat(32);
  expect([{ at: call.at }, { at: call.at, called: '911' }, { at: call.at, recordId }].map(read)).toEqual([
    false,
    true,
    true,
  ]);
});

test('an event whose type and data do not belong together is refused; its envelope is read', () => {
  const [created, reminded] = WIRE_EXAMPLES.PlatformEvent;
  const mixed = { ...created.value, data: reminded?.value.data };
  expect(WIRE_SCHEMAS.PlatformEvent.safeParse(mixed).success).toBe(false);
  expect(WIRE_SCHEMAS.PlatformEventEnvelope.safeParse(mixed).success).toBe(true);
  const later = WIRE_EXAMPLES.PlatformEventEnvelope[0].value;
  expect(WIRE_SCHEMAS.PlatformEvent.safeParse(later).success).toBe(false);
});

test('words of closed vocabularies are refused where they are not known; codes of problems are let pass', () => {
  const answer = WIRE_EXAMPLES.TracebackAnswer[0].value;
  const shrugged = { ...answer, finding: { arm: 'shrugged' } };
  expect(WIRE_SCHEMAS.TracebackAnswer.safeParse(shrugged).success).toBe(false);
  const problem = { ...WIRE_EXAMPLES.ProblemDetails[0].value, code: 'of-a-later-release' };
  expect(WIRE_SCHEMAS.ProblemDetails.safeParse(problem).success).toBe(true);
});

test('no name of a file leads out of a folder', () => {
  const pack = WIRE_EXAMPLES.EvidencePackSummary[0].value;
  const read = (name: string): boolean =>
    WIRE_SCHEMAS.EvidencePackSummary.safeParse({ ...pack, files: [{ ...pack.files[0], name }] }).success;
  expect(['a.json', 'records/1/raw.txt'].map(read)).toEqual([true, true]);
  expect(['', '/a', '../a', 'a/../b', 'a//b', 'a\\b', 'a/', '.a', 'a/.b'].map(read)).toEqual(Array(9).fill(false));
});
