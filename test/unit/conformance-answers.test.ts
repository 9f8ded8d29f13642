import { expect, test } from 'vitest';
import { readSigningAnswer, readVerificationAnswer } from '../../harness/src/conformance/targets/rest-target.js';
import {
  inviteText,
  readDeviceSignature,
  readDeviceVerdict,
  readRedirectSignature,
  readRedirectVerdict,
  readSipMessage,
  stirReasons,
} from '../../harness/src/conformance/targets/sip-target.js';
import type { SipMessage } from '../../harness/src/conformance/targets/sip-target.js';

const answer = (body: unknown, status = 200): { kind: 'answer'; status: number; text: string } => ({
  ...{ kind: 'answer', status },
  text: typeof body === 'string' ? body : JSON.stringify(body),
});

test('an answer of ATIS-1000082 is read in either spelling, with codes as numbers or digits', () => {
  const response = { verstat: 'TN-Validation-Failed', reasoncode: 438 };
  const expected = { kind: 'verified', isPassed: false, verstat: 'TN-Validation-Failed', codes: [438] };
  expect(readVerificationAnswer(answer({ verificationResponse: response }))).toMatchObject(expected);
  const camel = { verstat: 'TN-Validation-Failed', reasonCode: '438' };
  expect(readVerificationAnswer(answer({ verificationResponse: camel }))).toMatchObject(expected);
});

test('an answer of Ms is read with the codes and the attestation of its results', () => {
  const verifyResults = [
    { verifyResult: { ppt: 'shaken', status: 'pass', validClaims: { attest: 'B' } } },
    { ppt: 'shaken', status: 'fail', reasonCode: 436 },
  ];
  const response = { verstatValue: 'TN-Validation-Passed', verifyResults };
  expect(readVerificationAnswer(answer({ verificationResponse: response }))).toMatchObject({
    ...{ isPassed: true, codes: [436], attestation: 'B' },
  });
});

test('an exception of the API is a refusal, a failure of the service and anything else is nothing that conforms', () => {
  const exception = { requestError: { serviceException: { messageId: 'SVC4005', text: '', variables: [] } } };
  expect(readVerificationAnswer(answer(exception, 400))).toMatchObject({ kind: 'verified', isPassed: false });
  expect(readSigningAnswer(answer(exception, 400))).toMatchObject({ kind: 'not-signed', status: 400 });
  for (const body of [
    ...['<html>', '', '[]', 'null', '{"verificationResponse":[]}', '{"verificationResponse":{"verstat":"yes"}}'],
  ]) {
    expect(readVerificationAnswer(answer(body)).kind).toBe('not-understood');
    expect(readVerificationAnswer(answer(body, 500)).kind).toBe('not-understood');
    expect(readSigningAnswer(answer(body)).kind).toBe('not-understood');
  }
});

test('a signature is read under both names, and an empty one counts as not signed', () => {
  expect(readSigningAnswer(answer({ signingResponse: { identity: 'a.b.c' } }))).toMatchObject({ identity: ['a.b.c'] });
  expect(readSigningAnswer(answer({ signingResponse: { identityHeader: 'a.b.c' } }))).toMatchObject({ kind: 'signed' });
  expect(readSigningAnswer(answer({ signingResponse: { identity: '' } })).kind).toBe('not-signed');
});

const message = (startLine: string, ...lines: readonly string[]): SipMessage => {
  const read = readSipMessage([startLine, ...lines, 'CSeq: 1 INVITE', '', ''].join('\r\n'));
  if (read === undefined) throw new Error(`${startLine} is no SIP message`);
  return read;
};

test('a redirect is read by the verstat of its caller, with the causes of its Reason', () => {
  const final = message(
    'SIP/2.0 302 Moved Temporarily',
    'P-Asserted-Identity: <sip:+12025550101;verstat=No-TN-Validation@a.example>',
    'Reason: SIP;cause=302, STIR;cause=436;text="Bad, Identity";ppi="a.b.c",STIR ;cause=438',
  );
  expect(readRedirectVerdict({ responses: [message('SIP/2.0 100 Trying'), final] })).toMatchObject({
    ...{ isPassed: false, verstat: 'No-TN-Validation', codes: [436, 438] },
    reasons: [{ cause: 436, text: 'Bad, Identity', ppi: 'a.b.c' }, { cause: 438 }],
  });
});

test.each([
  ['302 without verstat', 'SIP/2.0 302 Moved Temporarily', 'verified'],
  ['404', 'SIP/2.0 404 Not Found', 'verified'],
  ['438', 'SIP/2.0 438 Invalid Identity Header', 'verified'],
  ['400', 'SIP/2.0 400 Bad Request', 'verified'],
  ['603', 'SIP/2.0 603 Network Blocked', 'verified'],
  ['500', 'SIP/2.0 500 Server Internal Error', 'not-understood'],
  ['200', 'SIP/2.0 200 OK', 'not-understood'],
])('a redirect server that answers %s passes nothing', (_title, startLine, kind) => {
  const observed = readRedirectVerdict({ responses: [message(startLine)] });
  expect(observed.kind).toBe(kind);
  expect('isPassed' in observed && observed.isPassed).toBe(false);
});

test('a device is judged by what its callee got, else by its response', () => {
  const verdict = (value: string): SipMessage =>
    message('INVITE sip:a@b SIP/2.0', `From: <sip:+12025550101;verstat=${value}@a.example>;tag=1`);
  const final = message('SIP/2.0 480 Temporarily Unavailable');
  expect(readDeviceVerdict({ responses: [final], delivered: verdict('TN-Validation-Passed') })).toMatchObject({
    isPassed: true,
  });
  expect(readDeviceVerdict({ responses: [final], delivered: verdict('TN-Validation-Failed') })).toMatchObject({
    isPassed: false,
  });
  expect(readDeviceVerdict({ responses: [message('SIP/2.0 200 OK')] })).toMatchObject({ isPassed: true });
  expect(readDeviceVerdict({ responses: [message('SIP/2.0 438 Invalid')] })).toMatchObject({
    isPassed: false,
    codes: [438],
  });
  expect(readDeviceVerdict({ responses: [message('SIP/2.0 180 Ringing')] }).kind).toBe('no-answer');
});

test('a signature by SIP is in the redirect, or in what the callee got', () => {
  const redirected = message('SIP/2.0 300 Multiple Choices', 'X-Identity: a.b.c;info=<x>');
  expect(readRedirectSignature({ responses: [redirected] })).toMatchObject({ identity: ['a.b.c;info=<x>'] });
  expect(readRedirectSignature({ responses: [message('SIP/2.0 404 Not Found')] })).toMatchObject({ status: 404 });
  const delivered = message('INVITE sip:a@b SIP/2.0', 'y: a.b.c;info=<x>');
  expect(readDeviceSignature({ responses: [], delivered })).toMatchObject({ identity: ['a.b.c;info=<x>'] });
  expect(readDeviceSignature({ responses: [message('SIP/2.0 500 Not Signed')] })).toMatchObject({ kind: 'not-signed' });
});

test('an INVITE has the call in its header fields, numbers that are canonical with a +', () => {
  const place = { domain: 'verify.example', sentBy: '127.0.0.1:5080', callId: 'one', branch: 'z9hG4bKone', tag: 'one' };
  const call = {
    identity: ['a', 'b'],
    origTn: '12025550101',
    destTn: '+1-202-555-0199',
    targetTn: '13035550101',
    dateSeconds: 0,
  };
  const text = inviteText(call, place);
  const read = readSipMessage(text);
  expect(text.split('\r\n')[0]).toBe('INVITE sip:+13035550101@verify.example;user=phone SIP/2.0');
  expect(read?.values('identity')).toEqual(['a', 'b']);
  expect(read?.values('from')).toEqual(['<sip:+12025550101@originating.example;user=phone>;tag=one']);
  expect(read?.values('to')).toEqual(['<sip:+1-202-555-0199@terminating.example;user=phone>']);
  expect(read?.values('date')).toEqual(['Thu, 01 Jan 1970 00:00:00 GMT']);
  const [, body = ''] = text.split('\r\n\r\n');
  expect(read?.values('content-length')).toEqual([String(body.length)]);
});

test('whatever is no SIP message, and no Reason of STIR, is left alone', () => {
  for (const text of ['', '\r\n', 'junk', 'SIP/2.0 20 OK', 'GET / HTTP/1.1'])
    expect(readSipMessage(text)).toBeUndefined();
  expect(stirReasons(['', 'STIR', 'STIR;cause=x', 'Q.850;cause=16', '"', ';'])).toEqual([]);
});
