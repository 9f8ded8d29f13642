import { createTestPki } from '@hopback/sdk/testing';
import type { TestPki } from '@hopback/sdk/testing';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { buildCertificatePath } from '../../sdk/src/stir/certificates/build-path.js';
import { parseCrl } from '../../sdk/src/stir/certificates/crl.js';
import { describeCertificate } from '../../sdk/src/stir/certificates/describe-certificate.js';
import { parseCertificate, parseCertificateChain } from '../../sdk/src/stir/certificates/parse-certificate.js';
import { lintCertificate, roleOf } from '../../sdk/src/stir/certificates/profile-lint.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import { verifyStiPaList } from '../../sdk/src/stir/certificates/sti-pa-list.js';
import { parsed } from '../unit/certificates-parsed.js';

let pki: TestPki;
let certificates: readonly Uint8Array[];
beforeAll(async () => {
  pki = await createTestPki();
  certificates = [
    pki.root,
    pki.intermediate,
    pki.issueServiceProvider({
      spc: '709J',
      caIssuers: ['http://ca.example/ca.crt'],
      tnAuthList: [
        { kind: 'spc', spc: '709J' },
        { kind: 'range', start: '12025550100', count: 1000 },
        { kind: 'one', tn: '911' },
      ],
      jwtClaimConstraints: { mustInclude: ['attest'], permittedValues: [{ claim: 'attest', permitted: ['A', 'B'] }] },
      enhancedJwtClaimConstraints: { mustExclude: ['rcd'] },
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
