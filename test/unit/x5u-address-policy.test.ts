import { expect, test } from 'vitest';
import {
  embedsIpv4,
  isSpecialPurposeAddress,
  parseNetworkSet,
  SPECIAL_PURPOSE_NETWORKS,
} from '../../sdk/src/stir/certificates/x5u-url-policy.js';

test.each([
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '168.63.129.16',
  '::ffff:168.63.129.16',
  '169.254.169.254',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.0',
  '192.0.0.170',
  '192.0.2.1',
  '192.31.196.1',
  '192.52.193.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.175.48.1',
  '198.18.0.0',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::2',
  '::7f00:1',
  '::127.0.0.1',
  '::8.8.8.8',
  '::ffff:0:8.8.8.8',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b::',
  '64:ff9b:1::1',
  '64:ff9b:1:ffff::8.8.8.8',
  '100::1',
  '100:0:0:1::1',
  '2001::1',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:1::1',
  '2001:2::1',
  '2001:3::1',
  '2001:4:112::1',
  '2001:10::1',
  '2001:20::1',
  '2001:30::1',
  '2001:db8::1',
  '2002::1',
  '2002:808:808::1',
  '2620:4f:8000::1',
  '3fff::1',
  '3fff:fff::1',
  '200::1',
  '400::1',
  '1fff::1',
  '4000::1',
  '5f00::1',
  '7fff::1',
  '8000::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fec0::1',
  'feff::1',
  'ff00::1',
  'ff02::fb',
])('%s is special-purpose', (address) => {
  expect(isSpecialPurposeAddress(address)).toBe(true);
});

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '168.63.129.15',
  '168.63.129.17',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '192.0.3.1',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2001:dc8::1',
  '2003::1',
  '2606:4700:4700::1111',
  '2620:fe::fe',
  '2a00::1',
  '3ffe::1',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '64:ff9b::8.8.8.8',
  '64:ff9b::808:808',
])('%s is public', (address) => {
  expect(isSpecialPurposeAddress(address)).toBe(false);
});

test.each(['', 'localhost', '127.1', '0x7f.0.0.1', '1.2.3', '[::1]', '::g', '8.8.8.8/32', '8.8.8.8 '])(
  'what is no IP address is refused like a special-purpose one: %j',
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
  for (const cidr of [
    'x',
    '127.0.0.0/33',
    '127.0.0.0/',
    '127.0.0.0/-1',
    '::1/129',
    'fe80::1%eth0',
    '127.0.0.0/8/8',
    '1.2.3.4/1e1',
  ]) {
    expect(parseNetworkSet(['10.0.0.0/8', cidr])).toEqual({ status: 'malformed', cidr });
  }
});

test('an IPv6 network allows no IPv4 address, as ::/0 would in a list of both families', () => {
  const parsed = parseNetworkSet(['::/0']);
  expect(parsed.status === 'parsed' && parsed.networks.has('127.0.0.1')).toBe(false);
});
