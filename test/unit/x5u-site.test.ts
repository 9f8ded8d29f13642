import { expect, test } from 'vitest';
import { siteOfUrl } from '../../sdk/src/stir/certificates/repository.js';
import { siteOf } from '../../sdk/src/stir/certificates/repository.js';

test.each([
  ['a.b.cert.example.com', 'example.com'],
  ['example.com', 'example.com'],
  ['com', 'com'],
  ['a.co', 'a.co'],
  ['cr.provider.co.uk', 'provider.co.uk'],
  ['h1.evil.co.uk', 'evil.co.uk'],
  ['cr.provider.com.au', 'provider.com.au'],
  ['cr.provider.or.jp', 'provider.or.jp'],
  ['cr.provider.gob.mx', 'provider.gob.mx'],
  ['co.uk', 'co.uk'],
  ['cr.provider.ca', 'provider.ca'],
  ['cr.co.example', 'co.example'],
])('%s belongs to the site %s', (host, site) => {
  expect(siteOf(host)).toBe(site);
});

test('an IPv4 literal is its own site, IPv6 literals go by their /64', () => {
  expect(siteOf('8.8.8.8')).toBe('8.8.8.8');
  expect(siteOf('2606:4700::1111')).toBe('2606:4700:0:0::/64');
  expect(siteOf('2606:4700:0:0:ffff::1')).toBe('2606:4700:0:0::/64');
  expect(siteOf('2606:4700:1:2:3:4:5:6')).toBe('2606:4700:1:2::/64');
  expect(siteOf('2606:4700:0:1::')).toBe('2606:4700:0:1::/64');
  expect(siteOf('64:ff9b::8.8.8.8')).toBe('64:ff9b:0:0::/64');
  expect(siteOf('::1')).toBe('0:0:0:0::/64');
});

test('of a URL the host counts, whatever its case and port', () => {
  expect(siteOfUrl('https://CR.Provider.co.uk:8443/a.pem')).toBe('provider.co.uk');
  expect(siteOfUrl('https://[2606:4700::1111]/a')).toBe('2606:4700:0:0::/64');
  expect(siteOfUrl('no URL')).toBe('no URL');
});
