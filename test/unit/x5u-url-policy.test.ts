import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { X5uRefusal } from '../../sdk/src/stir/certificates/repository.js';
import {
  checkUrlText,
  checkX5uUrl,
  MAX_X5U_LENGTH,
  embedsIpv4,
  isSpecialPurposeAddress,
  parseNetworkSet,
  SPECIAL_PURPOSE_NETWORKS,
} from '../../sdk/src/stir/certificates/x5u-url-policy.js';

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
  ['https://cert.example.org:8443/passport.cer', 'cert.example.org', 8443, '/passport.cer'],
  ['https://CERT.Example.org/Passport.cer', 'cert.example.org', 443, '/Passport.cer'],
  ['HTTPS://cert.example.org/a/b/1234.pem', 'cert.example.org', 443, '/a/b/1234.pem'],
  ['https://cert.example.org', 'cert.example.org', 443, '/'],
  ['https://cert.example.org/a//b', 'cert.example.org', 443, '/a//b'],
  ["https://cert.example.org/~a/b_c;v=1,2!$&'()*+=:@d.pem", 'cert.example.org', 443, "/~a/b_c;v=1,2!$&'()*+=:@d.pem"],
  ['https://cert.example.org/a%20b%2Fc.pem', 'cert.example.org', 443, '/a%20b%2Fc.pem'],
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
  const permitted = `https://localhost:9443/a https://cert.test/a https://127.0.0.1:9443/a https://127.9.9.9/a
    https://[::1]:9443/a`;
  for (const url of permitted.split(/\s+/)) expect([url, statusOf(url)]).toEqual([url, 'permitted']);
  const refused = `https://other.test/a https://cert.localhost/a https://10.0.0.1/a https://[::2]/a
    https://localhost:9444/a https://127.1/a http://localhost/a https://localhost/a?b https://user@localhost/a`;
  for (const url of refused.split(/\s+/)) expect([url, statusOf(url)]).toEqual([url, 'refused']);
});

test('the rules for CRLs permit http on port 80 where told so, and nothing else', () => {
  const rules = { schemes: ['https', 'http'] } as const;
  expect(checkUrlText('http://crl.example.com/crl', rules)).toMatchObject({
    status: 'permitted',
    scheme: 'http',
    port: 80,
    target: '/crl',
  });
  expect(checkUrlText('http://crl.example.com:80/crl', rules).status).toBe('permitted');
  expect(checkUrlText('https://crl.example.com:80/crl', rules)).toMatchObject({ reason: 'port-not-permitted' });
  expect(checkUrlText('http://user@crl.example.com/crl', rules)).toMatchObject({ reason: 'userinfo-present' });
  expect(checkUrlText('http://crl.example.com?a=1', rules)).toMatchObject({ status: 'refused' });
  expect(checkUrlText('ftp://crl.example.com/crl', rules)).toMatchObject({ reason: 'scheme-not-https' });
});

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

test.each(
  words(`
    0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255
    168.63.129.16 ::ffff:168.63.129.16 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.170 192.0.2.1
    192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.1
    203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::2 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff:0:8.8.8.8 ::ffff:7f00:1 0:0:0:0:0:ffff:a9fe:a9fe
    64:ff9b::a00:1 64:ff9b:: 64:ff9b:1::1 64:ff9b:1:ffff::8.8.8.8 100::1 100:0:0:1::1
    2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1
    2001:30::1 2001:db8::1 2002::1 2002:808:808::1 2620:4f:8000::1 3fff::1 3fff:fff::1
    200::1 400::1 1fff::1 4000::1 5f00::1 7fff::1 8000::1 fc00::1 fd12:3456::1
    fe80::1 fe80::1%eth0 febf::1 fec0::1 feff::1 ff00::1 ff02::fb`),
)('%s is special-purpose', (address) => {
  expect(isSpecialPurposeAddress(address)).toBe(true);
});

test.each(
  words(`
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
    168.63.129.15 168.63.129.17 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 192.0.3.1
    192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
    2001:200::1 2001:4860:4860::8888 2001:dc8::1 2003::1 2606:4700:4700::1111 2620:fe::fe 2a00::1 3ffe::1
    ::ffff:808:808 64:ff9b::808:808`),
)('%s is public', (address) => {
  expect(isSpecialPurposeAddress(address)).toBe(false);
});

test.each(['', 'localhost', '127.1', '0x7f.0.0.1', '1.2.3', '[::1]', '::g', '8.8.8.8/32', '8.8.8.8 '])(
  'text that is not an IP address is refused like a special-purpose one: %j',
  (text) => {
    expect(isSpecialPurposeAddress(text)).toBe(true);
  },
);

test('every listed network covers its own first address', () => {
  for (const { cidr } of SPECIAL_PURPOSE_NETWORKS) {
    expect([cidr, isSpecialPurposeAddress(cidr.slice(0, cidr.indexOf('/')))]).toEqual([cidr, true]);
  }
});

test('tells IPv6 addresses that carry an IPv4 address', () => {
  expect(['::ffff:1.2.3.4', '64:ff9b::1.2.3.4', '::1.2.3.4'].every(embedsIpv4)).toBe(true);
  expect(['2606:4700::1111', '1.2.3.4', '64:ff9b:1::1.2.3.4', 'x'].some(embedsIpv4)).toBe(false);
});

test('a network set reads CIDR and single addresses and names the first text that is neither', () => {
  const parsed = parseNetworkSet(['127.0.0.0/8', '::1', '2001:db8::/32']);
  if (parsed.status !== 'parsed') throw new Error('not parsed');
  const inside = ['127.0.0.1', '::ffff:127.0.0.1', '::1', '2001:db8::5'];
  const outside = ['128.0.0.1', '::2', '2001:db9::', '::ffff:10.0.0.1', 'x'];
  expect(inside.map(parsed.networks.has)).toEqual(inside.map(() => true));
  expect(outside.map(parsed.networks.has)).toEqual(outside.map(() => false));
  for (const cidr of words('x 127.0.0.0/33 127.0.0.0/ 127.0.0.0/-1 ::1/129 fe80::1%eth0 127.0.0.0/8/8 1.2.3.4/1e1')) {
    expect(parseNetworkSet(['10.0.0.0/8', cidr])).toEqual({ status: 'malformed', cidr });
  }
});

test('an IPv6 network allows no IPv4 address, as ::/0 would in a list of both families', () => {
  const parsed = parseNetworkSet(['::/0']);
  expect(parsed.status === 'parsed' && parsed.networks.has('127.0.0.1')).toBe(false);
});
