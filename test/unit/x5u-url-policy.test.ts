import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { X5uRefusal } from '../../sdk/src/stir/certificates/repository.js';
import { checkUrlText, checkX5uUrl, MAX_X5U_LENGTH } from '../../sdk/src/stir/certificates/x5u-url-policy.js';

interface HostileUrl {
  readonly kind: string;
  readonly url: string;
  readonly reason: X5uRefusal;
}

const hostileUrls = JSON.parse(
  readFileSync(new URL('../vectors/x5u/hostile-urls.json', import.meta.url), 'utf8'),
) as HostileUrl[];

const refusal = (url: string): string => {
  const checked = checkX5uUrl(url);
  return checked.status === 'refused' ? checked.reason : 'permitted';
};

test('the vector file holds at least 60 hostile URLs in at least 10 kinds', () => {
  expect(hostileUrls.length).toBeGreaterThanOrEqual(60);
  expect(new Set(hostileUrls.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(10);
  expect(new Set(hostileUrls.map(({ url }) => url)).size).toBe(hostileUrls.length);
});

test.each(hostileUrls)('refuses as $reason ($kind): $url', ({ url, reason }) => {
  expect(refusal(url)).toBe(reason);
});

test('every refusal reason has a vector', () => {
  const reasons: Record<X5uRefusal, true> = {
    'not-a-url': true,
    'scheme-not-https': true,
    'port-not-permitted': true,
    'userinfo-present': true,
    'query-present': true,
    'fragment-present': true,
    'host-not-permitted': true,
    'address-special-purpose': true,
    'url-too-long': true,
    'characters-not-permitted': true,
  };
  expect(new Set(hostileUrls.map(({ reason }) => reason))).toEqual(new Set(Object.keys(reasons)));
});

test.each([
  ['https://cert.example.org/passport.cer', 'cert.example.org', 443, '/passport.cer'],
  ['https://cert.example.org:443/passport.cer', 'cert.example.org', 443, '/passport.cer'],
  ['https://cert.example.org:8443/passport.cer', 'cert.example.org', 8443, '/passport.cer'],
  ['https://CERT.Example.org/Passport.cer', 'cert.example.org', 443, '/Passport.cer'],
  ['HTTPS://cert.example.org/a/b/1234.pem', 'cert.example.org', 443, '/a/b/1234.pem'],
  ['https://cert.example.org', 'cert.example.org', 443, '/'],
  ['https://cert.example.org/', 'cert.example.org', 443, '/'],
  ['https://cert.example.org/a//b', 'cert.example.org', 443, '/a//b'],
  ["https://cert.example.org/~a/b_c;v=1,2!$&'()*+=:@d.pem", 'cert.example.org', 443, "/~a/b_c;v=1,2!$&'()*+=:@d.pem"],
  ['https://cert.example.org/a%20b%2Fc.pem', 'cert.example.org', 443, '/a%20b%2Fc.pem'],
  ['https://cert.example/1234.pem', 'cert.example', 443, '/1234.pem'],
  ['https://xn--bcher-kva.example/1234.pem', 'xn--bcher-kva.example', 443, '/1234.pem'],
  ['https://8.8.8.8/1234.pem', '8.8.8.8', 443, '/1234.pem'],
  ['https://[2606:4700::1111]:8443/1234.pem', '2606:4700::1111', 8443, '/1234.pem'],
])('permits %s', (url, host, port, target) => {
  expect(checkX5uUrl(url)).toMatchObject({ status: 'permitted', url, scheme: 'https', host, port, target });
});

test('permits a URL of the greatest length and refuses one character more', () => {
  const longest = `https://cert.example.org/${'a'.repeat(MAX_X5U_LENGTH - 25)}`;
  expect(longest).toHaveLength(MAX_X5U_LENGTH);
  expect(refusal(longest)).toBe('permitted');
  expect(refusal(`${longest}a`)).toBe('url-too-long');
});

test('an allow-list permits exactly what it names', () => {
  const allow = { hosts: ['localhost', 'cert.test'], addresses: ['127.0.0.0/8', '::1'], ports: [9443] };
  const statusOf = (url: string): string => checkX5uUrl(url, { allow }).status;
  for (const url of [
    'https://localhost:9443/a',
    'https://cert.test/a',
    'https://127.0.0.1:9443/a',
    'https://127.9.9.9/a',
    'https://[::1]:9443/a',
  ]) {
    expect([url, statusOf(url)]).toEqual([url, 'permitted']);
  }
  for (const url of [
    'https://other.test/a',
    'https://cert.localhost/a',
    'https://10.0.0.1/a',
    'https://[::2]/a',
    'https://localhost:9444/a',
    'https://127.1/a',
    'http://localhost/a',
    'https://localhost/a?b',
    'https://user@localhost/a',
  ]) {
    expect([url, statusOf(url)]).toEqual([url, 'refused']);
  }
});

test('the rules for CRLs permit http on port 80 and a query where told so, and nothing else', () => {
  const rules = { schemes: ['https', 'http'], permitQuery: true } as const;
  expect(checkUrlText('http://crl.example.com/crl?id=1', rules)).toMatchObject({
    status: 'permitted',
    scheme: 'http',
    port: 80,
    target: '/crl?id=1',
  });
  expect(checkUrlText('http://crl.example.com:80/crl', rules).status).toBe('permitted');
  expect(checkUrlText('https://crl.example.com:80/crl', rules)).toMatchObject({ reason: 'port-not-permitted' });
  expect(checkUrlText('http://user@crl.example.com/crl?a', rules)).toMatchObject({ reason: 'userinfo-present' });
  expect(checkUrlText('http://crl.example.com?a=1', rules)).toMatchObject({ status: 'refused' });
  expect(checkUrlText('ftp://crl.example.com/crl', rules)).toMatchObject({ reason: 'scheme-not-https' });
});
