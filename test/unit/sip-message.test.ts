import { expect, test } from 'vitest';
import {
  HEADER,
  bodyOf,
  fieldIndex,
  fieldLine,
  fieldName,
  fieldValue,
  headerLines,
  headerValue,
  headerValues,
  isRequest,
  namesOption,
  unfolded,
  valuesByName,
} from '../../harness/src/drachtio/message/sip-message.js';
import { MESSAGE_LIMITS, parseMessage, withBodyLength } from '../../harness/src/drachtio/message/parse-message.js';
import { messageFrom, rebuilt, requestText } from '../support/sip-samples.js';

const withLines = (...lines: readonly string[]): string => `OPTIONS sip:a@b SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n`;
const faultOf = (text: string, limits = MESSAGE_LIMITS): string => {
  const parsed = parseMessage(text, limits);
  return parsed.status === 'parsed' ? 'none' : `${parsed.status} ${parsed.fault}`;
};

test('a request and a response are told apart by their start lines', () => {
  const request = messageFrom('OPTIONS sip:a@b SIP/2.0\r\n\r\n');
  const response = messageFrom('SIP/2.0 486 Busy Here, sorry\r\n\r\n');
  expect([isRequest(request), isRequest(response)]).toEqual([true, false]);
  expect(request).toMatchObject({ method: 'OPTIONS', requestUri: 'sip:a@b', status: 0, reason: '' });
  expect(response).toMatchObject({ method: '', requestUri: '', status: 486, reason: 'Busy Here, sorry' });
});

test.each([
  ['SIP/2.0 200 ', ''],
  ['SIP/2.0 200', ''],
  ['SIP/2.0 200  OK', ' OK'],
  ['SIP/2.0 100 Tr\xe9s', 'Tr\xe9s'],
  ['SIP/2.0 699 \t', '\t'],
])('the reason of %j is %j', (startLine, reason) => {
  expect(messageFrom(`${startLine}\r\n\r\n`).reason).toBe(reason);
});

test.each([
  ['', 'unreadable empty'],
  ['\r\n\r\n', 'unreadable empty'],
  ['OPTIONS sip:a@b SIP/2.0', 'unreadable no-start-line'],
  ['OPTIONS sip:a@b SIP/2.0\n\n', 'unreadable no-start-line'],
  ['OPTIONS sip:a@b SIP/2.0\r\n', 'unreadable no-header-end'],
  ['OPTIONS sip:a@b SIP/2.0\r\nA: b', 'unreadable no-header-end'],
  ['OPTIONS sip:a@b SIP/2.0\r\nA: b\r\n', 'unreadable no-header-end'],
  ['OPTIONS sip:a@b SIP/2.0\r\nA: b\r\n c', 'unreadable no-header-end'],
  ['GET / HTTP/1.1\r\n\r\n', 'unreadable not-sip'],
  ['HTTP/1.1 200 OK\r\n\r\n', 'unreadable not-sip'],
  [' OPTIONS sip:a@b SIP/2.0\r\n\r\n', 'unreadable not-sip'],
  ['SIP/two 200 OK\r\n\r\n', 'unreadable not-sip'],
  ['OPTIONS\r\n\r\n', 'unreadable not-sip'],
  ['OPTIONS sip:a@b\r\n\r\n', 'unreadable not-sip'],
  ['OPTIONS  sip:a@b SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS sip:a@b  SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS sip:a@b SIP/2.0 \r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS\tsip:a@b SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS <sip:a@b> SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS "sip:a@b" SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS sip:a\x7f@b SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS sip:a\n@b SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPT(ONS sip:a@b SIP/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS sip:a@b sip/2.0\r\n\r\n', 'faulty bad-start-line'],
  ['OPTIONS sip:a@b SIP/3.0\r\n\r\n', 'faulty unknown-version'],
  ['OPTIONS sip:a@b SIP/2.1\r\n\r\n', 'faulty unknown-version'],
  ['SIP/2.0 099 No\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/2.0 700 No\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/2.0 20 No\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/2.0 2000 No\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/2.0  200 No\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/2.0 200 No\nVia: x\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/2.0 200 No\rVia: x\r\n\r\n', 'faulty bad-start-line'],
  ['sip/2.0 200 OK\r\n\r\n', 'faulty bad-start-line'],
  ['SIP/3.0 200 OK\r\n\r\n', 'faulty unknown-version'],
])('%j is %s', (text, fault) => {
  expect(faultOf(text)).toBe(fault);
});

test.each(['SIP/2.0 700 No\r\n\r\n', 'sip/2.0 200 OK\r\n\r\n', 'SIP/3.0 200 OK\r\n\r\n'])(
  '%j is not a request, whatever its fault, and gets no answer',
  (text) => {
    const parsed = parseMessage(text);
    expect(parsed.status).toBe('faulty');
    expect(parsed.status === 'faulty' && isRequest(parsed.message)).toBe(false);
  },
);

test.each([
  ['no colon', 'Subject'],
  ['no name', ': a'],
  ['white space in the name', 'Sub ject: a'],
  ['a fold for a start', ' Subject: a'],
  ['a sign in the name that no token has', 'Sub(ject: a'],
  ['an octet in the name that is not ASCII', 'Sub\xe9ject: a'],
])('a line with %s is no header field, and those around it are read', (_what, line) => {
  const parsed = parseMessage(line.startsWith(' ') ? withLines(line, 'To: x') : withLines('From: y', line, 'To: x'));
  expect(parsed).toMatchObject({ status: 'faulty', fault: 'bad-header-line' });
  expect(parsed.status === 'faulty' && headerValue(parsed.message, HEADER.to)).toBe('x');
});

test('what is no header field does not become part of the one in front of it', () => {
  const parsed = parseMessage(withLines('Record-Route: <sip:a>', 'no field', 'Via: a', 'Via: b', 'neither', ' folded'));
  expect(parsed.status).toBe('faulty');
  if (parsed.status !== 'faulty') return;
  expect(headerLines(parsed.message, HEADER.recordRoute)).toBe('Record-Route: <sip:a>\r\n');
  expect(headerLines(parsed.message, HEADER.via)).toBe('Via: a\r\nVia: b\r\n');
});

test.each([
  ['a NUL in what routes a message', 'To: <sip:a\0@b>'],
  ['a NUL in what routes nothing', 'Subject: a\0b'],
  ['a lone LF in a known field', 'To: a\nVia: b'],
  ['a lone CR in a known field', 'To: a\rVia: b'],
  ['a lone LF in front of the value', 'To:\nVia: b'],
  ['a lone LF at the end of the value', 'To: a\n'],
  ['a lone CR at the end of the value', 'To: a\r'],
  ['a lone LF in an unknown field', 'Subject: a\nVia: b'],
  ['a lone CR in an unknown field', 'Subject: a\rVia: b'],
  ['a lone LF in front of an unknown value', 'Subject: \nVia: b'],
  ['a lone LF at the end of an unknown field', 'Subject: a\n'],
  ['a lone CR at the end of an unknown field', 'Subject: a\r'],
  ['a lone LF in a fold of an unknown field', 'Subject: a\r\n b\nVia: c'],
  ['a lone LF behind a backslash', 'To: "a\\\nVia: b"'],
])('%s is a bad character: the next reader might see something else', (_what, line) => {
  expect(faultOf(withLines('A: b', line, 'C: d'))).toBe('faulty bad-character');
});

test.each([
  ['a tab', 'To: a\tb'],
  ['folds of blanks and tabs', 'To: a\r\n b\r\n\tc\r\n  \t d'],
  ['an escaped NUL in a quotation', 'To: "a\\\0b" <sip:a>'],
  ['octets beyond ASCII', 'To: "\xc3\xa9\xff" <sip:a>'],
  ['a control character at which no reader stops', 'From: a\x1b'],
  ['an empty value', 'To:'],
  ['a value of white space', 'To: \t \r\n  '],
])('%s does no harm', (_what, line) => {
  const text = withLines('A: b', line, 'C: d');
  expect(faultOf(text)).toBe('none');
  expect(rebuilt(messageFrom(text))).toBe(text);
});

test('limits hold: at them a message is read, beyond them it is not', () => {
  const long = (length: number): string => withLines(`A:${'x'.repeat(length - 2)}`);
  expect(faultOf(long(8_192))).toBe('none');
  expect(faultOf(long(8_193))).toBe('faulty header-too-large');
  expect(faultOf(withLines(`A: b\r\n ${'x'.repeat(8_190)}`))).toBe('faulty header-too-large');
  const many = (count: number): string => withLines(...Array.from({ length: count }, () => 'A: b'));
  expect(faultOf(many(256))).toBe('none');
  expect(faultOf(many(257))).toBe('unreadable too-many-headers');
  expect(faultOf(withLines(...Array.from({ length: 256 }, () => 'what')))).toBe('faulty bad-header-line');
  expect(faultOf(withLines(...Array.from({ length: 257 }, () => 'what')))).toBe('unreadable too-many-headers');
  const large = (size: number): string =>
    requestText('INFO', { body: 'x'.repeat(size - requestText('INFO').length - 4) });
  expect(large(65_535)).toHaveLength(65_535);
  expect(faultOf(large(65_535))).toBe('none');
  expect(faultOf(`\r\n${large(65_535)}`)).toBe('none');
  expect(faultOf(`${large(65_535)}x`)).toBe('unreadable too-large');
});

test('a field is found by its number, and its name, value and line are as written', () => {
  const message = messageFrom(withLines('v : a;b ', 'Subject:', 'X-Two:  one \r\n two\t', 'via:c', 'Call-ID: i'));
  const first = fieldIndex(message, HEADER.via);
  const second = fieldIndex(message, HEADER.via, first + 4);
  const fold = fieldIndex(message, HEADER.other, first + 8);
  expect([fieldName(message, first), fieldName(message, fold)]).toEqual(['v', 'X-Two']);
  expect([fieldValue(message, first), fieldValue(message, second)]).toEqual(['a;b', 'c']);
  expect([fieldLine(message, first), fieldLine(message, second)]).toEqual(['v : a;b ', 'via:c']);
  expect([fieldValue(message, fold), fieldLine(message, fold)]).toEqual(['one \r\n two', 'X-Two:  one \r\n two\t']);
  expect(headerValue(message, HEADER.from)).toBeUndefined();
  expect(headerValues(message, HEADER.via)).toEqual(['a;b', 'c']);
  expect(headerLines(message, HEADER.via)).toBe('v : a;b \r\nvia:c\r\n');
  expect(headerLines(message, HEADER.to)).toBe('');
  expect(valuesByName(message, 'X-TWO')).toEqual(['one \r\n two']);
  expect(valuesByName(message, 'VIA')).toEqual(['a;b', 'c']);
  expect(valuesByName(message, 'subject')).toEqual(['']);
  expect(valuesByName(message, 'missing')).toEqual([]);
});

test('the body begins behind the empty line, whatever it looks like', () => {
  const body = '\r\n\r\nVia: x\r\n\r\n\0';
  expect(bodyOf(messageFrom(`${withLines('A: b')}${body}`))).toBe(body);
  expect(bodyOf(messageFrom(withLines('A: b')))).toBe('');
  const cut = withBodyLength(messageFrom(`${withLines('A: b')}body and more`), 4);
  expect(bodyOf(cut)).toBe('body');
  expect(withBodyLength(cut, 4)).toBe(cut);
});

test('an option tag is found in any of the lists, in any case, and never as part of another', () => {
  const message = messageFrom(
    withLines('Require: timer, 100REL', 'Supported: 100rel2', 'k: path', 'Supported: outbound ,replaces'),
  );
  expect(namesOption(message, HEADER.require, '100rel')).toBe(true);
  expect(namesOption(message, HEADER.supported, '100rel')).toBe(false);
  expect(namesOption(message, HEADER.supported, 'path')).toBe(true);
  expect(namesOption(message, HEADER.supported, 'outbound')).toBe(true);
  expect(namesOption(message, HEADER.proxyRequire, 'path')).toBe(false);
});

test('what was folded is joined with one space', () => {
  expect(unfolded('a\r\n\t  b\r\n c')).toBe('a b c');
  expect(unfolded('a  b')).toBe('a  b');
});
