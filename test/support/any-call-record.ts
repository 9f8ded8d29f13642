import * as fc from 'fast-check';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';

// Call records as fast-check makes them: every member there or not, texts of all kinds, numbers of nobody (555-01XX, and Ofcom's for
// dramas) beside short and broken ones, and in every text now and then the number called or the customer.

const digit = fc.constantFrom(...Array.from('0123456789'));
const area = fc
  .tuple(fc.constantFrom('2', '3', '4', '5', '6', '7', '8', '9'), digit, digit)
  .map((digits) => digits.join(''));
/** 1NPA55501XX. */
export const anySampleNumber: fc.Arbitrary<string> = fc
  .tuple(area, digit, digit)
  .map(([npa, tens, ones]) => `1${npa}55501${tens}${ones}`);
const foreign = fc.tuple(digit, digit, digit).map((digits) => `442079460${digits.join('')}`);
const short = fc.constantFrom('911', '411', '62255', '4102', '*67', '988');
const broken = fc.constantFrom('0000000000', '123456789', '1', '19115550101', '999999999999999');

export const anyTn: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: anySampleNumber },
  { weight: 2, arbitrary: foreign },
  short,
  broken,
);

const party = fc
  .tuple(anyTn, fc.constantFrom('', '+', 'sip:+', 'tel:+', 'anonymous '), fc.boolean())
  .map(([tn, before, isRead]) => ({ asWritten: `${before}${tn}`, ...(isRead ? { tn } : {}) }));

/** What stands in a text: something, or what must not leave. */
const hiding = fc.constantFrom('plain', 'called', 'called-spaced', 'customer');

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

function text(called: string, customer: string): fc.Arbitrary<string> {
  return fc.tuple(hiding, fc.string({ maxLength: 12 })).map(([what, around]) => {
    if (what === 'called') return `${around}${called}${around}`;
    if (what === 'called-spaced') return `${around}-${Array.from(called).join(' ')}`;
    return what === 'customer' ? `${around}${customer}${around}` : around;
  });
}

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });

const ATTESTATION = fc.constantFrom('A' as const, 'B' as const, 'C' as const);
const VERSTAT = fc.constantFrom(
  'TN-Validation-Passed' as const,
  'TN-Validation-Failed' as const,
  'No-TN-Validation' as const,
);

function evidence(words: fc.Arbitrary<string>) {
  const exception = fc.record(
    {
      step: fc.constant('dest-matches'),
      result: fc.constant('failed' as const),
      reason: fc.constant('dest-mismatch'),
      expected: fc.oneof(anyTn, fc.nat()),
      actual: words,
    },
    { requiredKeys: ['step', 'result', 'reason'] },
  );
  const passport = fc.record(
    {
      index: fc.nat(3),
      ppt: fc.constantFrom('shaken', 'div'),
      status: fc.constantFrom('passed' as const, 'failed' as const),
      signingInputSha256: hex(64),
      x5u: words,
      certificateSha256: hex(64),
      trustAnchorSha256: hex(64),
      spc: fc.constantFrom('709J', '310B'),
      orig: anyTn,
      dest: fc.array(anyTn, { maxLength: 2 }),
      div: anyTn,
      iatSeconds: fc.nat(),
      attestation: ATTESTATION,
      origId: words,
      passed: fc.array(fc.constantFrom('iat-fresh', 'signature'), { maxLength: 2 }),
      exceptions: fc.array(exception, { maxLength: 2 }),
    },
    { requiredKeys: ['index', 'status', 'passed', 'exceptions'] },
  );
  return fc.record(
    {
      format: fc.constant('hopback.verdict-evidence.1' as const),
      checkedAtMs: fc.nat(),
      profile: fc.constant('shaken' as const),
      freshnessSeconds: fc.constant(60),
      trustStore: hex(64),
      verstat: VERSTAT,
      request: fc.record({ orig: anyTn, dest: anyTn, target: anyTn }, { requiredKeys: [] }),
      passports: fc.array(passport, { maxLength: 2 }),
      callKey: hex(64),
      seenCount: fc.integer({ min: 1, max: 20 }),
      firstSeenMs: fc.nat(),
    },
    {
      requiredKeys: ['format', 'checkedAtMs', 'profile', 'freshnessSeconds', 'verstat', 'request', 'passports'],
    },
  );
}

/** Any call record at all. `calledTn` decides the number called, where it is given. */
export function anyCallRecord(
  times: fc.Arbitrary<number> = fc.integer({ min: 0, max: 2_000_000_000_000_000 }),
): fc.Arbitrary<CallRecord> {
  const names = fc.record({ called: anyTn, customer: hex(8).map((digits) => `cust-${digits}`) });
  return names.chain(({ called, customer }) => {
    const words = text(called, customer);
    const address = fc.constantFrom('192.0.2.1:5060', '[2001:db8::1]:5060');
    const side = fc.record({ trunk: words, provider: words, address, callId: words }, { requiredKeys: [] });
    const rawRow = fc.oneof(fc.record({ text: words }), fc.record({ base64: fc.base64String({ maxLength: 40 }) }));
    const source = {
      ...{ id: words, format: fc.constant('hopback' as const), readerVersion: fc.nat(9), sha256: hex(64) },
      raw: fc.array(rawRow, { minLength: 1, maxLength: 3 }),
    };
    const required = {
      format: fc.constant('hopback.call-record.1' as const),
      recordId: hex(32),
      source: fc.record(source, { requiredKeys: ['id', 'format', 'readerVersion', 'sha256'] }),
      legId: words,
      callGroupId: words,
      inviteAtUs: times,
      ingress: side,
      egress: side,
      disposition: fc.constantFrom('answered' as const, 'no-answer' as const, 'blocked' as const, 'failed' as const),
      time: fc.record(
        { written: fc.constant('local' as const), zone: fc.constant('America/New_York'), resolutionUs: fc.constant(1) },
        { requiredKeys: ['written', 'resolutionUs'] },
      ),
    };
    const more = {
      answeredAtUs: times,
      endedAtUs: times,
      calling: fc.oneof(party, fc.constant({ asWritten: called, tn: called })),
      asserted: party,
      called: fc.tuple(optional(anyTn), optional(anyTn), fc.boolean()).map(([translatedTn, lrn, isRead]) => ({
        asWritten: `1234#${called}`,
        ...(isRead ? { tn: called } : {}),
        ...(translatedTn === undefined ? {} : { translatedTn }),
        ...(lrn === undefined ? {} : { lrn }),
        techPrefix: '1234#',
      })),
      release: fc.record(
        { sipStatus: fc.integer({ min: 300, max: 699 }), q850Cause: fc.nat(127), cause: words },
        { requiredKeys: [] },
      ),
      received: fc.record(
        {
          verstat: VERSTAT,
          attestation: ATTESTATION,
          origId: words,
          iatSeconds: fc.nat(),
          spc: fc.constantFrom('709J', '310B'),
          evidence: evidence(words),
        },
        { requiredKeys: [] },
      ),
      signed: fc.record({ attestation: ATTESTATION, origId: words, basis: words }, { requiredKeys: ['attestation'] }),
      customerId: fc.constant(customer),
      blockedBy: words,
    };
    return fc
      .tuple(fc.record(required), fc.record(more, { requiredKeys: [] }))
      .map(([always, sometimes]) => ({ ...always, ...sometimes }));
  });
}
