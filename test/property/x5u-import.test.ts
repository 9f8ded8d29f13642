import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEnvelope, sha256Hex } from '../../sdk/src/stir/certificates/disk-cache.js';
import { createCertificateRepository } from '../../sdk/src/stir/certificates/certificate-repository.js';
import {
  freshUntil,
  MAX_FRESH_MS,
  MAX_RETRY_MS,
  retryDelayMs,
} from '../../sdk/src/stir/certificates/certificate-cache.js';
import { createManualClock, TEST_NOW_MS } from '../../sdk/src/testing/index.js';

const envelopeLike = fc
  .record(
    {
      format: fc.oneof(fc.constant('hopback.certificate-chain.1'), fc.jsonValue()),
      url: fc.oneof(fc.constant('https://cert.example.com/1'), fc.webUrl(), fc.jsonValue()),
      body: fc.oneof(
        fc.string(),
        fc.constant('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
        fc.jsonValue(),
      ),
      fetchedAtMs: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
      freshUntilMs: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
      etag: fc.jsonValue(),
      lastModified: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((envelope) => ({ ...envelope, bodySha256: sha256Hex(typeof envelope.body === 'string' ? envelope.body : '') }));

test('an import takes any JSON without throwing and admits nothing that is no chain', async () => {
  const repository = createCertificateRepository({ clock: createManualClock() });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), envelopeLike), async (value) => {
      readEnvelope(value);
      expect((await repository.import(value)).imported).toBe(0);
      expect(await repository.import({ format: 'hopback.certificate-cache.1', entries: [value] })).toEqual({
        imported: 0,
        rejected: 1,
      });
    }),
    { numRuns: 2_000 },
  );
  expect(repository.stats().entries).toBe(0);
});

test('lifetimes and waits stay within their bounds for any header', () => {
  const headerText = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom(
      'max-age=',
      's-maxage=1, max-age="5"',
      'no-cache',
      '__proto__=1',
      'constructor',
      'immutable',
      '*',
      'Thu, 01 Jan 2026 00:00:00 GMT',
    ),
  );
  const names = fc.constantFrom(
    'cache-control',
    'expires',
    'date',
    'age',
    'last-modified',
    'vary',
    'pragma',
    'set-cookie',
    'etag',
    '__proto__',
  );
  const value = fc.oneof(headerText, fc.array(headerText, { maxLength: 2 }));
  fc.assert(
    fc.property(fc.dictionary(names, value), fc.integer(), (headers, notAfterOffset) => {
      const fresh = freshUntil({ headers, fetchedAtMs: TEST_NOW_MS, notAfterMs: TEST_NOW_MS + notAfterOffset });
      expect(fresh).toBeLessThanOrEqual(TEST_NOW_MS + Math.min(MAX_FRESH_MS, notAfterOffset));
      expect(fresh).toBeGreaterThanOrEqual(TEST_NOW_MS + Math.min(86_400_000, notAfterOffset));
    }),
    { numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.integer(), headerText, (failures, retryAfter) => {
      const wait = retryDelayMs(failures, retryAfter, { nowMs: TEST_NOW_MS });
      expect(wait).toBeGreaterThanOrEqual(1_000);
      expect(wait).toBeLessThanOrEqual(MAX_RETRY_MS);
    }),
    { numRuns: 2_000 },
  );
});
