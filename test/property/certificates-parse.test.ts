import { TestPki, type CertificateOptions } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildCertificatePath } from '../../sdk/src/stir/certificates/build-path.js';
import { parseCrl } from '../../sdk/src/stir/certificates/crl.js';
import {
  describeCertificate,
  parseCertificate,
  parseCertificateChain,
} from '../../sdk/src/stir/certificates/parse-certificate.js';
import { lintCertificate, roleOf } from '../../sdk/src/stir/certificates/profile-lint.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import { verifyStiPaList } from '../../sdk/src/stir/certificates/sti-pa-list.js';
import { parsed, parsedCrl } from '../unit/certificates-parsed.js';
import { readTrustStoreRecord, writeTrustStoreRecord } from '../../sdk/src/stir/certificates/trust-store-refresh.js';
import type { TnAuthEntry } from '../../sdk/src/stir/certificates/certificate.js';
import { encompasses, tnAuthListCovers } from '../../sdk/src/stir/certificates/tn-auth-list.js';
import { forAll, forAllAsync } from '../support/for-all.js';

/** A provider with everything that is read of a certificate. */
const FULL_PROVIDER: CertificateOptions & { readonly spc: string } = {
  spc: '709J',
  caIssuers: ['http://ca.example/ca.crt'],
  tnAuthList: [
    { kind: 'spc', spc: '709J' },
    { kind: 'range', start: '12025550100', count: 1000 },
    { kind: 'one', tn: '911' },
  ],
  jwtClaimConstraints: { mustInclude: ['attest'], permittedValues: [{ claim: 'attest', permitted: ['A', 'B'] }] },
  enhancedJwtClaimConstraints: { mustExclude: ['rcd'] },
};

const pki = new TestPki();
const certificates = [
  pki.root,
  pki.intermediate,
  pki.issueServiceProvider({
    ...FULL_PROVIDER,
    subjectAlternativeNames: { names: ['example.com'], addresses: ['192.0.2.1'] },
  }),
  pki.issueCa({ curve: 'P-384' }),
].map(({ der }) => der);

// Without bias: the ends of the input, which fast-check likes best, are where every change is noticed at once.
const place = fc.noBias(fc.nat({ max: 999_999 })).map((millionths) => millionths / 1_000_000);
const KINDS: readonly ('set' | 'cut' | 'insert' | 'repeat')[] = [
  ...Array.from({ length: 12 }, () => 'set' as const),
  ...(['cut', 'insert', 'repeat'] as const),
];
/** One change to some bytes, places as a share of the length so that one recipe fits every input. */
const mutation = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: place,
  value: fc.integer({ min: 0, max: 255 }),
  length: fc.integer({ min: 1, max: 60 }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer Value> ? Value : never;
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce<Uint8Array>((current, change) => {
    const at = Math.floor(change.at * current.length);
    const [head, tail] = [current.subarray(0, at), current.subarray(at)];
    switch (change.kind) {
      case 'set':
        return Buffer.concat([head, Buffer.of(change.value), tail.subarray(1)]);
      case 'cut':
        return Buffer.concat([head, tail.subarray(change.length)]);
      case 'insert':
        return Buffer.concat([head, change.bytes, tail]);
      case 'repeat':
        return Buffer.concat([head, tail.subarray(0, change.length), tail]);
    }
  }, bytes);
}

test('a mutated certificate is parsed or malformed, never thrown at, and never trusted', () => {
  const seen = { parsed: 0, malformed: 0 };
  forAll([fc.nat({ max: 3 }), mutations], 2_000, (index, changes) => {
    const original = certificates[index] as Uint8Array;
    const bytes = mutate(original, changes);
    const result = parseCertificate(bytes);
    seen[result.status] += 1;
    if (result.status === 'malformed' || Buffer.compare(bytes, original) === 0) return;
    const { certificate } = result;
    expect(describeCertificate(certificate).length).toBeGreaterThan(5);
    lintCertificate(certificate, roleOf(certificate), { version: 'v005', issuer: certificate });
    const path = buildCertificatePath([certificate, parsed(pki.intermediate)], {
      trustAnchors: [parsed(pki.root)],
      atMs: pki.nowMs,
    });
    expect(path.status).toBe('untrusted');
  });
  // Both arms have to be reached, or the mutations are too coarse or too fine to test anything.
  expect(Math.min(seen.parsed, seen.malformed)).toBeGreaterThan(100);
});

test('an element of a certificate or CRL under another tag is refused, wherever it is read', () => {
  const crl = pki.crl({
    revoked: [{ certificate: pki.intermediate, reason: 'keyCompromise' }],
    caIssuers: ['http://sti-pa.example/crl-issuer.crt'],
  }).der;
  const inputs = [
    ...[pki.intermediate, pki.issueServiceProvider(FULL_PROVIDER)].map(({ der }) => ({ der, parse: parseCertificate })),
    { der: crl, parse: parseCrl },
  ];
  for (const { der, parse } of inputs) {
    expect(parse(der).status).toBe('parsed');
    for (const { at, tag } of constructedElements(der)) {
      // SEQUENCE against SET, and a context tag against the next one: both are constructed, so that the rest stays DER.
      const other = Uint8Array.from(der);
      other[at] = tag === 0x30 ? 0x31 : tag === 0x31 ? 0x30 : tag ^ 0x08;
      const result = parse(other);
      expect([at, tag.toString(16), result.status]).toEqual([at, tag.toString(16), 'malformed']);
    }
  }
});

/** A directory name among general names. Under another tag it is a name of another kind, which is passed over. */
const DIRECTORY_NAME = 0xa4;

/** Places and tags of all constructed elements, those inside extension values included. */
function constructedElements(der: Uint8Array, from = 0, to = der.length): { at: number; tag: number }[] {
  const found: { at: number; tag: number }[] = [];
  for (let at = from; at < to;) {
    const tag = der[at] as number;
    const first = der[at + 1] as number;
    const octets = first < 0x80 ? 0 : first - 0x80;
    let length = first < 0x80 ? first : 0;
    for (let index = 0; index < octets; index += 1) length = length * 256 + (der[at + 2 + index] as number);
    const start = at + 2 + octets;
    if ((tag & 0x20) !== 0) {
      if (tag !== DIRECTORY_NAME) found.push({ at, tag });
      found.push(...constructedElements(der, start, start + length));
    }
    // An OCTET STRING of an extension holds DER.
    else if (tag === 0x04 && der[start] === 0x30) found.push(...constructedElements(der, start, start + length));
    at = start + length;
  }
  return found;
}

test('any bytes are parsed or malformed', () => {
  forAll([fc.uint8Array({ maxLength: 300 })], 2_000, (bytes) => {
    expect(['parsed', 'malformed']).toContain(parseCertificate(bytes).status);
    expect(parseCertificateChain(bytes).status).toBe('malformed');
    expect(parseCrl(bytes).status).toBe('malformed');
  });
});

test('any text between PEM lines is parsed or malformed', () => {
  const line = fc.oneof(
    fc.constantFrom(
      ...['CERTIFICATE', 'X509 CRL'].map((label) => `-----BEGIN ${label}-----`),
      ...['-----END CERTIFICATE-----', '\n', '\r\n', 'MIIB', '=', 'MAA='],
    ),
    fc.string({ maxLength: 20 }),
  );
  forAll([fc.array(line, { maxLength: 30 })], 1_000, (lines) => {
    expect(['parsed', 'malformed']).toContain(parseCertificateChain(lines.join('\n')).status);
    expect(['parsed', 'malformed']).toContain(parseCrl(lines.join('\n')).status);
  });
});

test('a mutated CRL is never thrown at and never accepted', () => {
  const revoked = [
    pki.issueServiceProvider({ spc: '709J' }),
    { certificate: pki.intermediate, reason: 'keyCompromise' as const },
  ];
  const { der } = pki.crl({ revoked, caIssuers: ['http://sti-pa.example/crl-issuer.crt'] });
  const signer = parsed(pki.stiPaCrlIssuer);
  forAll([mutations], 2_000, (changes) => {
    const bytes = mutate(der, changes);
    const result = parseCrl(bytes);
    if (result.status === 'malformed' || Buffer.compare(bytes, der) === 0) return;
    const set = createRevocationSet([result.crl], {
      atMs: pki.nowMs,
      issuers: [],
      signers: [signer],
      stiPaRoots: [parsed(pki.stiPaRoot)],
    });
    expect(set.crls).toEqual([]);
  });
});

test('a mutated list of STI-CAs is never thrown at and never accepted with other content', async () => {
  const { jws } = pki.trustList({ withX5c: true });
  const signed = jws.slice(0, jws.lastIndexOf('.'));
  const options = { stiPaRoots: [parsed(pki.stiPaRoot)], atMs: pki.nowMs };
  await forAllAsync([mutations], 1_000, async (changes) => {
    const text = Buffer.from(mutate(Buffer.from(jws, 'latin1'), changes)).toString('latin1');
    const result = await verifyStiPaList(text, options);
    if (result.status === 'accepted') expect(text.trim().slice(0, text.trim().lastIndexOf('.'))).toBe(signed);
  });
});

test('reading a record returns, for any JSON and any damage to a good one', () => {
  const good = writeTrustStoreRecord({
    jws: pki.trustList().jws,
    signerChain: [parsed(pki.stiPaSigner)],
    crls: [parsedCrl(pki.crl())],
    crlSigners: [parsed(pki.stiPaCrlIssuer)],
  });
  const returns = (text: string): void => {
    const read = readTrustStoreRecord(text);
    expect(read === undefined || typeof read.jws === 'string').toBe(true);
  };
  forAll([fc.oneof(fc.string(), fc.json())], 500, returns);
  const damage = fc.tuple(fc.nat(good.length - 1), fc.nat(40), fc.string({ maxLength: 8 }));
  forAll([damage], 500, ([at, cut, put]) => returns(good.slice(0, at) + put + good.slice(at + cut)));
});

// Numbers of one to three digits, so that every one there is can be counted through.
const number = fc
  .integer({ min: 1, max: 3 })
  .chain((length) => fc.nat({ max: 10 ** length - 1 }).map((value) => String(value).padStart(length, '0')));
const numberEntry: fc.Arbitrary<TnAuthEntry> = fc.oneof(
  number.map((tn) => ({ kind: 'one' as const, tn })),
  fc.record({ kind: fc.constant('range' as const), start: number, count: fc.integer({ min: 2, max: 60 }) }),
);
const numberList = fc.array(numberEntry, { maxLength: 8 });

/** The numbers of a list, one by one. */
function enumerate(list: readonly TnAuthEntry[]): Set<string> {
  const numbers = new Set<string>();
  for (const entry of list) {
    if (entry.kind === 'one') numbers.add(entry.tn);
    if (entry.kind !== 'range') continue;
    for (let index = 0; index < entry.count; index += 1) {
      const next = String(Number(entry.start) + index);
      if (next.length <= entry.start.length) numbers.add(next.padStart(entry.start.length, '0'));
    }
  }
  return numbers;
}

test('a list covers exactly the numbers that counting finds', () => {
  forAll([numberList, number], 2_000, (list, tn) => {
    expect(tnAuthListCovers(list, tn)).toBe(enumerate(list).has(tn));
  });
});

test('a list encompasses another exactly when counting finds every number of it', () => {
  let yes = 0;
  forAll([numberList, fc.array(numberEntry, { minLength: 1, maxLength: 2 })], 5_000, (parent, child) => {
    const all = enumerate(parent);
    const expected = [...enumerate(child)].every((tn) => all.has(tn));
    expect(encompasses(parent, child)).toBe(expected);
    yes += expected ? 1 : 0;
  });
  expect(yes).toBeGreaterThan(20);
});

test('a list encompasses itself and every part of itself', () => {
  const spcEntry = fc.constantFrom('709J', '888X').map((spc) => ({ kind: 'spc' as const, spc }));
  forAll([fc.array(fc.oneof(numberEntry, spcEntry), { maxLength: 6 }), fc.nat({ max: 63 })], 100, (list, mask) => {
    expect(
      encompasses(
        list,
        list.filter((_, index) => (mask >> index) & 1),
      ),
    ).toBe(true);
  });
});
