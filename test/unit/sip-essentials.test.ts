import { expect, test } from 'vitest';
import { readEssentials, type EssentialsFault } from '../../harness/src/drachtio/message/essentials.js';
import { messageFrom, requestText, responseText, type RequestSample } from '../support/sip-samples.js';

const faultOf = (text: string): string => {
  const read = readEssentials(messageFrom(text));
  return read.status === 'faulty' ? read.fault : 'none';
};
const without = (name: string): string => requestText().replace(new RegExp(`\r\n${name}: [^\r]*`), '');
const twice = (name: string): string => requestText().replace(new RegExp(`(\r\n${name}: [^\r]*)`), '$1$1');
const changed = (name: string, value: string): string =>
  requestText().replace(new RegExp(`(\r\n${name}:)[^\r]*`), `$1 ${value}`);

test('what every message carries is read at once', () => {
  const text = requestText('INVITE', { to: 'Bob <sip:bob@example.com>;tag=b1', body: 'v=0', maxForwards: '007' });
  expect(readEssentials(messageFrom(text))).toEqual({
    status: 'read',
    essentials: {
      ...{ callId: 'call-1@192.0.2.9', cseq: 1, method: 'INVITE', fromTag: 'a1', toTag: 'b1' },
      ...{ contentLength: 3, maxForwards: 7 },
      via: expect.objectContaining({ value: 'SIP/2.0/UDP 192.0.2.9:5099;rport;branch=z9hG4bKone' }) as unknown,
    },
  });
});

test('of a response the method is that of its CSeq', () => {
  expect(readEssentials(messageFrom(responseText(200, { method: 'BYE', cseq: 7 })))).toMatchObject({
    essentials: { method: 'BYE', cseq: 7 },
  });
});

test('what may be missing is told apart from what says zero', () => {
  const text = without('Content-Length')
    .replace(/Max-Forwards: 70\r\n/, '')
    .replace(';tag=a1', '');
  expect(readEssentials(messageFrom(text))).toMatchObject({
    essentials: { contentLength: -1, maxForwards: -1, fromTag: '', toTag: '' },
  });
  expect(readEssentials(messageFrom(requestText('INVITE', { maxForwards: '0' })))).toMatchObject({
    essentials: { contentLength: 0, maxForwards: 0 },
  });
});

test('of several Via fields the first is the topmost', () => {
  const text = requestText('INVITE', { via: 'SIP/2.0/UDP a;branch=1\r\nVia: SIP/2.0/UDP b;branch=2, SIP/2.0/UDP c' });
  expect(readEssentials(messageFrom(text))).toMatchObject({ essentials: { via: { via: { host: 'a', branch: '1' } } } });
});

test('folded values and short names are read as the others', () => {
  const text =
    'INVITE sip:b@example.com SIP/2.0\r\nv: SIP/2.0/UDP\r\n h\r\n ;branch=1\r\nf:\r\n <sip:a>\r\n ;tag=x\r\n' +
    't: <sip:b>\r\n\t;tag=y\r\ni:\r\n c1\r\nCSEQ: 00017\r\n  INVITE\r\nl:0\r\n\r\n';
  expect(readEssentials(messageFrom(text))).toMatchObject({
    essentials: { callId: 'c1', cseq: 17, fromTag: 'x', toTag: 'y', contentLength: 0 },
  });
});

const faults: readonly (readonly [EssentialsFault, string, string])[] = [
  ['missing-via', 'there is no Via', without('Via')],
  ['missing-from', 'there is no From', without('From')],
  ['missing-to', 'there is no To', without('To')],
  ['missing-call-id', 'there is no Call-ID', without('Call-ID')],
  ['missing-cseq', 'there is no CSeq', without('CSeq')],
  ['bad-via', 'Via cannot be read', changed('Via', 'SIP/2.0')],
  ['bad-via', 'Via is empty', changed('Via', '')],
  ['bad-via', 'a Via parameter has no name', changed('Via', 'SIP/2.0/UDP h;;branch=1')],
  ['bad-from', 'From is unbalanced', changed('From', '"A <sip:a>;tag=1')],
  ['bad-from', 'From is empty', changed('From', '')],
  ['bad-to', 'To is unbalanced', changed('To', '<sip:b;tag=1')],
  ['bad-to', 'To is empty', changed('To', '')],
  ['bad-call-id', 'Call-ID is empty', changed('Call-ID', '')],
  ['bad-call-id', 'Call-ID has white space', changed('Call-ID', 'a b')],
  ['bad-call-id', 'Call-ID is folded', changed('Call-ID', 'a\r\n b')],
  ['bad-cseq', 'CSeq is empty', changed('CSeq', '')],
  ['bad-cseq', 'CSeq has no number', changed('CSeq', 'INVITE')],
  ['bad-cseq', 'CSeq has no method', changed('CSeq', '1')],
  ['bad-cseq', 'CSeq has no space', changed('CSeq', '1INVITE')],
  ['bad-cseq', 'CSeq is negative', changed('CSeq', '-1 INVITE')],
  ['bad-cseq', 'CSeq is 2^31', changed('CSeq', '2147483648 INVITE')],
  ['bad-cseq', 'CSeq is 2^32 + 1', changed('CSeq', '4294967297 INVITE')],
  ['bad-cseq', 'CSeq has more than a method', changed('CSeq', '1 INVITE x')],
  ['bad-cseq', 'the method of CSeq is no token', changed('CSeq', '1 INV(TE')],
  ['method-mismatch', 'CSeq names another method', changed('CSeq', '1 BYE')],
  ['method-mismatch', 'the method of CSeq is in another case', changed('CSeq', '1 invite')],
  ['bad-content-length', 'Content-Length is empty', changed('Content-Length', '')],
  ['bad-content-length', 'Content-Length is negative', changed('Content-Length', '-1')],
  ['bad-content-length', 'Content-Length has a sign', changed('Content-Length', '+1')],
  ['bad-content-length', 'Content-Length is hexadecimal', changed('Content-Length', '0x1')],
  ['bad-content-length', 'Content-Length is 2^31', changed('Content-Length', '2147483648')],
  ['bad-content-length', 'Content-Length has 11 digits', changed('Content-Length', '00000000001')],
  ['bad-content-length', 'Content-Length is a list', changed('Content-Length', '0, 0')],
  ['bad-max-forwards', 'Max-Forwards is 256', changed('Max-Forwards', '256')],
  ['bad-max-forwards', 'Max-Forwards is no number', changed('Max-Forwards', 'many')],
  ['bad-max-forwards', 'Max-Forwards is empty', changed('Max-Forwards', '')],
  ...['From', 'To', 'Call-ID', 'CSeq', 'Content-Length', 'Max-Forwards'].map(
    (name) => ['repeated-header', `there are two ${name}`, twice(name)] as const,
  ),
];

test.each(faults)('%s where %s', (fault, _where, text) => {
  expect(faultOf(text)).toBe(fault);
});

test('every fault has a case', () => {
  const all: Record<EssentialsFault, true> = {
    ...{ 'missing-via': true, 'missing-from': true, 'missing-to': true, 'missing-call-id': true, 'missing-cseq': true },
    ...{ 'bad-via': true, 'bad-from': true, 'bad-to': true, 'bad-call-id': true, 'bad-cseq': true },
    ...{ 'bad-content-length': true, 'bad-max-forwards': true, 'method-mismatch': true, 'repeated-header': true },
  };
  expect(new Set(faults.map(([fault]) => fault))).toEqual(new Set(Object.keys(all)));
});

test('a fault comes with Via wherever that could be read, so that the sender can be told', () => {
  const untold = faults.filter(([, , text]) => {
    const read = readEssentials(messageFrom(text));
    return read.status === 'faulty' && read.via === undefined;
  });
  expect(untold.map(([, where]) => where)).toEqual(['there is no Via', 'Via cannot be read', 'Via is empty']);
});

const bounds: readonly (readonly [string, RequestSample])[] = [
  ['CSeq 2^31 - 1', { cseq: 2_147_483_647 }],
  ['CSeq 0', { cseq: 0 }],
  ['Max-Forwards 255', { maxForwards: '255' }],
  ['a Call-ID of every sign that may be in one', { callId: `a-.!%*_+\`'~()<>:\\"/[]?{}@b` }],
  ['a Call-ID of UTF-8', { callId: '\xc3\xa0\xc2\x85' }],
];

test.each(bounds)('%s is right', (_what, sample) => {
  expect(faultOf(requestText('INVITE', sample))).toBe('none');
});
