import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkX5uUrl, isSpecialPurposeAddress } from '../../sdk/src/stir/certificates/x5u-url-policy.js';
import { CertificateRepository } from '../../sdk/src/stir/certificates/certificate-repository.js';
import {
  freshUntil,
  MAX_FRESH_MS,
  MAX_RETRY_MS,
  readEnvelope,
  retryDelayMs,
  sha256Hex,
} from '../../sdk/src/stir/certificates/certificate-cache.js';
import { ManualClock, TEST_NOW_MS } from '../../sdk/src/testing/index.js';
import { forAll, forAllAsync } from '../support/for-all.js';

/** Pieces that URLs are made of and that parsers disagree about, put together in any order. */
const pieces = fc.constantFrom(
  ...Array.from('/\\@:#?%.[]-_ \t\n\0\u00ad\u3002\uff0fé'),
  ...['https://', 'HTTPS://', 'http://', 'https:', '//', '..', '%2e', '%2F', '%00', '443', '8443', '0443'],
  ...['::1', '::ffff:7f00:1', '2606:4700::1111', '127.0.0.1', '0x7f', '0177', '2130706433', '8.8.8.8'],
  ...['localhost', 'cert', 'example', 'com', 'xn--', 'xn--80ak6aa92e', '\ud800'],
);
const mixedUrl = fc.array(pieces, { maxLength: 14 }).map((parts) => parts.join(''));
const almostUrl = fc
  .tuple(fc.array(pieces, { maxLength: 4 }), fc.array(pieces, { maxLength: 4 }))
  .map(([inHost, inPath]) => `https://cert.example.com${inHost.join('')}/a${inPath.join('')}`);
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme' }),
  mixedUrl,
  almostUrl,
  fc.webUrl(),
);

test('checking an x5u never throws, and what it permits is what the URL parser connects to', () => {
  let permitted = 0;
  forAll([anyText], 20_000, (text) => {
    const checked = checkX5uUrl(text);
    expect(checked.url).toBe(text);
    if (checked.status === 'refused') return;
    permitted += 1;
    const parsed = new URL(text);
    expect(parsed.protocol).toBe('https:');
    expect(parsed.hostname.replace(/^\[|\]$/g, '')).toBe(checked.host);
    expect(parsed.port === '' ? 443 : Number(parsed.port)).toBe(checked.port);
    expect([443, 8443]).toContain(checked.port);
    expect(parsed.pathname).toBe(checked.target);
    expect([parsed.username, parsed.password, parsed.search, parsed.hash]).toEqual(['', '', '', '']);
    // Parsing once more, as a proxy or a log reader would, changes nothing.
    expect(checkX5uUrl(parsed.href)).toMatchObject({
      status: 'permitted',
      host: checked.host,
      port: checked.port,
      target: checked.target,
    });
  });
  expect(permitted).toBeGreaterThan(100);
});

test('no spelling of a special-purpose IPv4 address is permitted', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const spelled = fc
    .tuple(octet, octet, octet, octet, fc.integer({ min: 0, max: 5 }), fc.boolean())
    .map(([a, b, c, d, form, upper]) => {
      const address = [a, b, c, d].join('.');
      const number = ((a * 256 + b) * 256 + c) * 256 + d;
      const hex = [a, b, c, d].map((part) => `0x${part.toString(16)}`).join('.');
      const octal = [a, b, c, d].map((part) => `0${part.toString(8)}`).join('.');
      const text =
        [address, String(number), `0x${number.toString(16)}`, hex, octal, `[::ffff:${address}]`][form] ?? address;
      return { address, form, text: upper ? text.toUpperCase() : text };
    });
  forAll([spelled], 5_000, ({ address, form, text }) => {
    const status = checkX5uUrl(`https://${text}/a`).status;
    const plain = form === 0 && !isSpecialPurposeAddress(address);
    expect([text, status]).toEqual([text, plain ? 'permitted' : 'refused']);
  });
});

test('telling special-purpose addresses never throws', () => {
  forAll([fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended())], 5_000, (text) => {
    expect(typeof isSpecialPurposeAddress(text)).toBe('boolean');
  });
});

test('an IPv4 address and its mapped and NAT64 spellings are judged alike', () => {
  forAll([fc.ipV4()], 5_000, (address) => {
    const judged = isSpecialPurposeAddress(address);
    const high = address.split('.').map(Number);
    const groups = [(high[0] ?? 0) * 256 + (high[1] ?? 0), (high[2] ?? 0) * 256 + (high[3] ?? 0)].map((group) =>
      group.toString(16),
    );
    for (const spelling of [
      `::ffff:${address}`,
      `::ffff:${groups.join(':')}`,
      `64:ff9b::${address}`,
      `64:ff9b::${groups.join(':')}`,
    ]) {
      expect([spelling, isSpecialPurposeAddress(spelling)]).toEqual([spelling, judged]);
    }
  });
});

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
  const repository = new CertificateRepository({ clock: new ManualClock() });
  await forAllAsync([fc.oneof(fc.jsonValue(), envelopeLike)], 2_000, async (value) => {
    readEnvelope(value);
    expect((await repository.import(value)).imported).toBe(0);
    expect(await repository.import({ format: 'hopback.certificate-cache.1', entries: [value] })).toEqual({
      imported: 0,
      rejected: 1,
    });
  });
  expect(repository.stats().entries).toBe(0);
});

test('lifetimes and waits stay within their bounds for any header', () => {
  const headerText = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom(
      ...['max-age=', 's-maxage=1, max-age="5"', 'no-cache', '__proto__=1', 'constructor', 'immutable', '*'],
      'Thu, 01 Jan 2026 00:00:00 GMT',
    ),
  );
  const names = fc.constantFrom(
    ...['cache-control', 'expires', 'date', 'age', 'last-modified', 'vary', 'pragma', 'set-cookie', 'etag'],
    '__proto__',
  );
  const value = fc.oneof(headerText, fc.array(headerText, { maxLength: 2 }));
  forAll([fc.dictionary(names, value), fc.integer()], 5_000, (headers, notAfterOffset) => {
    const fresh = freshUntil({ headers, fetchedAtMs: TEST_NOW_MS, notAfterMs: TEST_NOW_MS + notAfterOffset });
    expect(fresh).toBeLessThanOrEqual(TEST_NOW_MS + Math.min(MAX_FRESH_MS, notAfterOffset));
    expect(fresh).toBeGreaterThanOrEqual(TEST_NOW_MS + Math.min(86_400_000, notAfterOffset));
  });
  forAll([fc.integer(), headerText], 2_000, (failures, retryAfter) => {
    const wait = retryDelayMs(failures, retryAfter, TEST_NOW_MS);
    expect(wait).toBeGreaterThanOrEqual(1_000);
    expect(wait).toBeLessThanOrEqual(MAX_RETRY_MS);
  });
});
