import { expect, test } from 'vitest';
import { composeRequest, composeResponse, contentTypeOf } from '../../harness/src/drachtio/message/app-message.js';

const request = {
  method: 'INVITE',
  requestUri: 'sip:bob@example.com',
  via: 'SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa',
  maxForwards: '70',
  routes: ['<sip:r1;lr>', '<sip:r2;lr>'],
  from: '<sip:a>;tag=1',
  to: '<sip:b>',
  callId: 'c1',
  cseq: 7,
  contact: '<sip:a@192.0.2.1>',
  others: 'Subject: x\r\nX-Two: y\r\n z\r\n',
  contentType: 'application/sdp',
  body: 'v=0\r\n',
};
const response = {
  status: 180,
  reason: 'Ringing',
  vias: 'Via: SIP/2.0/UDP h;branch=1\r\nv: SIP/2.0/UDP i\r\n',
  recordRoutes: 'Record-Route: <sip:r;lr>\r\n',
  from: '<sip:a>;tag=1',
  to: '<sip:b>;tag=2',
  callId: 'c1',
  cseq: '7 INVITE',
  contact: undefined,
  others: '',
  contentType: undefined,
  body: '',
};

test('a request is written with its routes in order, and with the length of its body in octets', () => {
  expect(composeRequest(request)).toBe(
    [
      'INVITE sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa',
      'Route: <sip:r1;lr>',
      'Route: <sip:r2;lr>',
      'Max-Forwards: 70',
      'From: <sip:a>;tag=1',
      'To: <sip:b>',
      'Call-ID: c1',
      'CSeq: 7 INVITE',
      'Contact: <sip:a@192.0.2.1>',
      'Subject: x',
      'X-Two: y',
      ' z',
      'Content-Type: application/sdp',
      'Content-Length: 5',
      '',
      'v=0\r\n',
    ].join('\r\n'),
  );
});

test('what a request does without leaves no line', () => {
  const bare = { ...request, routes: [], contact: undefined, others: '', body: '' };
  expect(composeRequest(bare)).toBe(
    [
      'INVITE sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa',
      'Max-Forwards: 70',
      'From: <sip:a>;tag=1',
      'To: <sip:b>',
      'Call-ID: c1',
      'CSeq: 7 INVITE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
});

test('a response is written with the lines that go back as they came', () => {
  expect(composeResponse(response)).toBe(
    [
      'SIP/2.0 180 Ringing',
      'Via: SIP/2.0/UDP h;branch=1',
      'v: SIP/2.0/UDP i',
      'Record-Route: <sip:r;lr>',
      'From: <sip:a>;tag=1',
      'To: <sip:b>;tag=2',
      'Call-ID: c1',
      'CSeq: 7 INVITE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  expect(composeResponse({ ...response, contact: '<sip:x>', others: 'A: b\r\n', body: '\xe9' })).toContain(
    'CSeq: 7 INVITE\r\nContact: <sip:x>\r\nA: b\r\nContent-Length: 1\r\n\r\n\xe9',
  );
});

test('a session description shows itself; any other body needs its type said', () => {
  expect(contentTypeOf(undefined, 'v=0\r\n')).toBe('application/sdp');
  expect(contentTypeOf('text/plain', 'v=0\r\n')).toBe('text/plain');
  expect(contentTypeOf(undefined, 'hello')).toBeUndefined();
});
