import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formDocument } from '../../sdk/src/sidecar/intake/record-intake-app.js';
import { readConfiguration } from '../../sdk/src/sidecar/config/read-configuration.js';
import { readSignCsv, readSigning } from '../../sdk/src/sidecar/dialects/signing-api.js';
import { stirApiProblemBody } from '../../sdk/src/sidecar/dialects/stir-api.js';
import { readVerification, verificationAnswer } from '../../sdk/src/sidecar/dialects/verification-api.js';
import { createVerificationLab } from '../support/verification-lab.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const lab = await createVerificationLab();
const STYLE = { reasonNames: 'lower', verstatSuffix: false, attestation: true } as const;
const word = fc.oneof(
  fc.string(),
  fc.constantFrom('12025550101', '+12025550199', 'sip:a@b.example', 'A', 'shaken', ''),
);
const value = fc.oneof(
  fc.jsonValue(),
  word,
  fc.array(word),
  fc.nat(),
  fc.record({ tn: word }),
  fc.record({ tn: fc.array(word), uri: word }),
);
const members = fc.record(
  Object.fromEntries(
    [
      ...['from', 'to', 'dest', 'orig', 'time', 'iat', 'identity', 'identityHeader', 'identityHeaders', 'attest'],
      ...['origid', 'ppt', 'div', 'requestId'],
    ].map((name) => [name, value]),
  ),
  { requiredKeys: [] },
);
const body = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string(),
    fc.json(),
    members.map((inner) => JSON.stringify({ [name]: inner })),
  );

test('any body to verify is a request or a problem, and any request gets an answer that is JSON', async () => {
  await forAllAsync(
    [body('verificationRequest'), fc.constantFrom('by-request', 'atis', '3gpp')],
    100,
    async (text, dialect) => {
      const read = readVerification(text, { dialect, heartbeatNumbers: ['9999999999'] });
      if (read.status === 'problem') {
        expect(JSON.parse(stirApiProblemBody(read.problem))).toHaveProperty('requestError');
        return;
      }
      const verdict = await lab.service.verify(read.value.request);
      const answer = JSON.parse(verificationAnswer(read.value, verdict, STYLE)) as Readonly<Record<string, unknown>>;
      expect(answer).toHaveProperty('verificationResponse');
      expect(verdict.status).not.toBe('passed');
    },
  );
});

test('any body to sign is a call, a heartbeat or a problem', () => {
  forAll([body('signingRequest')], 100, (text) => {
    const read = readSigning(text, { heartbeatNumbers: ['9999999999'] });
    expect(['read', 'problem']).toContain(read.status);
  });
});

test('any line of sign-csv is a call or a problem', () => {
  const line = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 7 }).map((fields) => fields.join(',')),
  );
  forAll([line], 100, (text) => ['read', 'problem'].includes(readSignCsv(text).status));
});

test('any text is a configuration or has problems', () => {
  const yaml = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .constantFrom(
        ...['a: &a [*a]', '&a {b: *a}', '<<: {}', '!!js/function x', '? a\n: b', '__proto__: {x: 1}', '- a\n- b'],
      )
      .map((text) => `trust: { roots: [a] }\n${text}\n`),
  );
  const environment = fc.dictionary(
    fc.string().map((name) => `HOPBACK__${name}`),
    fc.string(),
    { maxKeys: 3 },
  );
  forAll([yaml, environment], 100, (text, variables) => {
    const result = readConfiguration({ text, environment: variables });
    if (result.status === 'invalid') expect(result.problems.length).toBeGreaterThan(0);
    expect(({} as Readonly<Record<string, unknown>>)['x']).toBeUndefined();
  });
});

const encoding = fc.constantFrom('percent', 'base64');
/** Octets of which forms are made, and any others. */
const octets = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...Buffer.from('cdr=&%+2bB7{"}')) }, fc.nat(255)), {
    maxLength: 200,
  })
  .map((values) => Uint8Array.from(values));

test('any body makes a document that is no longer than it, or none, and never throws', () => {
  forAll([octets, encoding], 100, (sent, form) => {
    const reading = formDocument(sent, form);
    if (reading.status === 'read') expect(reading.octets.length).toBeLessThanOrEqual(sent.length);
    else expect(reading.detail).not.toBe('');
  });
});

test('a document comes out of the form that it was put into, whatever stands beside it', () => {
  forAll([fc.json(), fc.string({ unit: 'grapheme' }), encoding], 100, (document, other, form) => {
    const cdr = form === 'percent' ? encodeURIComponent(document) : Buffer.from(document).toString('base64');
    const sent = `first=${encodeURIComponent(other)}&cdr=${cdr}&last=1`;
    const reading = formDocument(new TextEncoder().encode(sent), form);
    expect(reading.status === 'read' && new TextDecoder().decode(reading.octets)).toBe(document);
  });
});
