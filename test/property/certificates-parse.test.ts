import { createTestPki } from '@hopback/sdk/testing';
import type { ServiceProviderOptions, TestPki } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
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
import { parsed } from '../unit/certificates-parsed.js';

/** A provider with everything that is read of a certificate. */
const FULL_PROVIDER: ServiceProviderOptions = {
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

let pki: TestPki;
let certificates: readonly Uint8Array[];
beforeAll(async () => {
  pki = await createTestPki();
  certificates = [
    pki.root,
    pki.intermediate,
    pki.issueServiceProvider({
      ...FULL_PROVIDER,
      subjectAlternativeNames: { names: ['example.com'], addresses: ['192.0.2.1'] },
    }),
    pki.issueCa({ curve: 'P-384' }),
  ].map(({ der }) => der);
});

/** One change to some bytes, places as a share of the length so that one recipe fits every input. */
type Mutation =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number };

// Without bias: the ends of the input, which fast-check likes best, are where every change is noticed at once.
const place = fc.noBias(fc.nat({ max: 999_999 })).map((millionths) => millionths / 1_000_000);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('set' as const), at: place, value: fc.integer({ min: 0, max: 255 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      at: place,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('repeat' as const), at: place, length: fc.integer({ min: 1, max: 60 }) }),
  },
);
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
  fc.assert(
    fc.property(fc.nat({ max: 3 }), mutations, (index, changes) => {
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
    }),
    { numRuns: 2_000 },
  );
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
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(['parsed', 'malformed']).toContain(parseCertificate(bytes).status);
      expect(parseCertificateChain(bytes).status).toBe('malformed');
      expect(parseCrl(bytes).status).toBe('malformed');
    }),
    { numRuns: 2_000 },
  );
});

test('any text between PEM lines is parsed or malformed', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '-----BEGIN CERTIFICATE-----',
      '-----END CERTIFICATE-----',
      '-----BEGIN X509 CRL-----',
      '\n',
      '\r\n',
      'MIIB',
      '=',
      'MAA=',
    ),
    fc.string({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      expect(['parsed', 'malformed']).toContain(parseCertificateChain(lines.join('\n')).status);
      expect(['parsed', 'malformed']).toContain(parseCrl(lines.join('\n')).status);
    }),
    { numRuns: 1_000 },
  );
});

test('a mutated CRL is never thrown at and never accepted', () => {
  const revoked = [
    pki.issueServiceProvider({ spc: '709J' }),
    { certificate: pki.intermediate, reason: 'keyCompromise' as const },
  ];
  const { der } = pki.crl({ revoked, caIssuers: ['http://sti-pa.example/crl-issuer.crt'] });
  const signer = parsed(pki.stiPaCrlIssuer);
  fc.assert(
    fc.property(mutations, (changes) => {
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
    }),
    { numRuns: 2_000 },
  );
});

test('a mutated list of STI-CAs is never thrown at and never accepted with other content', async () => {
  const { jws } = pki.trustList({ withX5c: true });
  const signed = jws.slice(0, jws.lastIndexOf('.'));
  const options = { stiPaRoots: [parsed(pki.stiPaRoot)], atMs: pki.nowMs };
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      const text = Buffer.from(mutate(Buffer.from(jws, 'latin1'), changes)).toString('latin1');
      const result = await verifyStiPaList(text, options);
      if (result.status === 'accepted') expect(text.trim().slice(0, text.trim().lastIndexOf('.'))).toBe(signed);
    }),
    { numRuns: 1_000 },
  );
});
