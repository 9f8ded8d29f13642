import { expect, test } from 'vitest';
import { isMagic, readVia, stampedVia } from '../../harness/src/drachtio/message/via.js';

const source = { address: '192.0.2.9', port: 5099 };
const stamped = (value: string, from = source): string => {
  const read = readVia(value);
  return read === undefined ? 'unreadable' : stampedVia(read, from);
};

test.each([
  ['SIP/2.0/UDP host.example.com;branch=z9hG4bKa', 'UDP', 'host.example.com', 0, 'z9hG4bKa'],
  ['SIP/2.0/TCP 192.0.2.9:5062;branch=z9hG4bKa', 'TCP', '192.0.2.9', 5062, 'z9hG4bKa'],
  ['sip/2.0/tls h:1', 'TLS', 'h', 1, ''],
  ['SIP/2.0/WSS abc.invalid;rport;branch=b', 'WSS', 'abc.invalid', 0, 'b'],
  ['SIP / 2.0 / UDP   h : 5060 ; branch = b ; ttl=1', 'UDP', 'h', 5060, 'b'],
  ['SIP\r\n / 2.0\r\n\t/UDP h\r\n ;branch=\r\n b', 'UDP', 'h', 0, 'b'],
  ['SIP/2.0/UDP [2001:db8::9]:5062;branch=b', 'UDP', '[2001:db8::9]', 5062, 'b'],
  ['SIP/2.0/UDP [2001:db8::9:5062];branch=b', 'UDP', '[2001:db8::9:5062]', 0, 'b'],
  ['SIP/2.0/UDP [fe80::1%25eth0];branch=b', 'UDP', '[fe80::1%25eth0]', 0, 'b'],
  ['SIP/2.0/UDP h;BRANCH=b;branch=c', 'UDP', 'h', 0, 'b'],
  ['SIP/2.0/UDP h;x=";branch=no,";branch=b', 'UDP', 'h', 0, 'b'],
  ['SIP/2.0/UDP h_1.example.com', 'UDP', 'h_1.example.com', 0, ''],
  ['SIP/2.0/new_one+2 h', 'NEW_ONE+2', 'h', 0, ''],
  // A version that nobody knows is for the start line to refuse; whom to tell stands here.
  ['SIP/3.5/UDP h;branch=b', 'UDP', 'h', 0, 'b'],
] as const)('%j is read', (value, ...[transport, host, port, branch]) => {
  expect(readVia(value)?.via).toMatchObject({ transport, host, port, branch, isSound: true });
});

test.each([
  ['no protocol', 'host;branch=b'],
  ['another protocol', 'HTTP/1.1/TCP h;branch=b'],
  ['no transport', 'SIP/2.0/ h'],
  ['no sent-by', 'SIP/2.0/UDP ;branch=b'],
  ['port 0', 'SIP/2.0/UDP h:0;branch=b'],
  ['a port beyond 65535', 'SIP/2.0/UDP h:65536;branch=b'],
  ['a port of six digits', 'SIP/2.0/UDP h:005060;branch=b'],
  ['a port that is none', 'SIP/2.0/UDP h:sip;branch=b'],
  ['a bracket that is never closed', 'SIP/2.0/UDP [2001:db8::9;branch=b'],
  ['brackets with nothing between them', 'SIP/2.0/UDP []:5060;branch=b'],
  ['brackets with more than an address', 'SIP/2.0/UDP [2001:db8::9;x]:5060;branch=b'],
  ['words behind the sent-by', 'SIP/2.0/UDP h of mine;branch=b'],
  ['a quotation that is never closed', 'SIP/2.0/UDP h;x="a;branch=b'],
  ['nothing', ''],
])('a Via with %s cannot be read', (_what, value) => {
  expect(readVia(value)).toBeUndefined();
});

test.each([
  'SIP/2.0/UDP h;;branch=b',
  'SIP/2.0/UDP h;branch=b;',
  'SIP/2.0/UDP h;=x;branch=b',
  'SIP/2.0/UDP h; ;branch=b',
])('%s has a parameter without a name, and says where the refusal goes', (value) => {
  expect(readVia(value)?.via).toMatchObject({ host: 'h', branch: 'b', isSound: false });
});

test('of several values in one field the first is read, and where it ends is known', () => {
  const value = 'SIP/2.0/UDP a;branch=b ,\tSIP/2.0/UDP c;branch=d';
  expect(readVia(value)?.via).toMatchObject({ host: 'a', branch: 'b', end: 'SIP/2.0/UDP a;branch=b'.length });
});

test.each([
  ['the address, where sent-by is a name', 'SIP/2.0/UDP h;branch=b', 'SIP/2.0/UDP h;branch=b;received=192.0.2.9'],
  ['nothing, where sent-by is the address', 'SIP/2.0/UDP 192.0.2.9;branch=b', 'SIP/2.0/UDP 192.0.2.9;branch=b'],
  ['nothing for the port alone', 'SIP/2.0/UDP 192.0.2.9:1;branch=b', 'SIP/2.0/UDP 192.0.2.9:1;branch=b'],
  [
    'address and port, where the port is asked for',
    'SIP/2.0/UDP 192.0.2.9;rport;branch=b',
    'SIP/2.0/UDP 192.0.2.9;rport=5099;branch=b;received=192.0.2.9',
  ],
  [
    'the port behind a name of any case and with blanks',
    'SIP/2.0/UDP h; RPORT ;branch=b',
    'SIP/2.0/UDP h; RPORT=5099 ;branch=b;received=192.0.2.9',
  ],
  [
    'no port, where the sender wrote one itself',
    'SIP/2.0/UDP h;rport=7;branch=b',
    'SIP/2.0/UDP h;rport=7;branch=b;received=192.0.2.9',
  ],
  [
    'to the first of several values only',
    'SIP/2.0/UDP h;rport , SIP/2.0/UDP i;rport',
    'SIP/2.0/UDP h;rport=5099;received=192.0.2.9 , SIP/2.0/UDP i;rport',
  ],
  [
    'the truth in place of what the sender claims',
    'SIP/2.0/UDP 192.0.2.9;received=198.51.100.1;branch=b',
    'SIP/2.0/UDP 192.0.2.9;branch=b;received=192.0.2.9',
  ],
  [
    'the truth, however often the sender claims something else',
    'SIP/2.0/UDP h; Received = 1.2.3.4 ;rport;received="a;b";received;branch=b',
    'SIP/2.0/UDP h;rport=5099;branch=b;received=192.0.2.9',
  ],

  ['the first rport of several', 'SIP/2.0/UDP h;rport;rport', 'SIP/2.0/UDP h;rport=5099;rport;received=192.0.2.9'],
  [
    'what other parameters quote left as it is',
    'SIP/2.0/UDP h;received=1.2.3.4;x=";received=5.6.7.8"',
    'SIP/2.0/UDP h;x=";received=5.6.7.8";received=192.0.2.9',
  ],
  [
    'a folded value on one line',
    'SIP/2.0/UDP\r\n h;rport\r\n\t;branch=b',
    'SIP/2.0/UDP h;rport=5099 ;branch=b;received=192.0.2.9',
  ],
])('stamps %s', (_what, value, expected) => {
  expect(stamped(value)).toBe(expected);
});

test('stamps an IPv6 source without brackets, and not at all where sent-by is that address', () => {
  const from = { address: '2001:db8::9', port: 5099 };
  expect(stamped('SIP/2.0/UDP h;rport', from)).toBe('SIP/2.0/UDP h;rport=5099;received=2001:db8::9');
  expect(stamped('SIP/2.0/UDP [2001:db8::8];branch=b', from)).toBe(
    'SIP/2.0/UDP [2001:db8::8];branch=b;received=2001:db8::9',
  );
  expect(stamped('SIP/2.0/UDP [2001:db8::9]:1;branch=b', from)).toBe('SIP/2.0/UDP [2001:db8::9]:1;branch=b');
});

test.each([
  ['z9hG4bKa', true],
  ['z9hG4bK', false],
  ['Z9HG4BKa', false],
  ['az9hG4bKa', false],
  ['', false],
])('the branch "%s" identifies a transaction by itself: %s', (branch, expected) => {
  expect(isMagic(branch)).toBe(expected);
});
