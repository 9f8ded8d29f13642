import { createRequire } from 'node:module';
import { sampleInvite } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';

interface ParsedMessage {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  readonly get: (name: string) => string;
}
const SipMessage = (
  createRequire(import.meta.url)('drachtio-srf') as { readonly SipMessage: new (text: string) => ParsedMessage }
).SipMessage;

test('an INVITE is what drachtio reads back: request line, numbers, identity and body', () => {
  const text = sampleInvite({ identityHeaders: ['a.b.c;info=<https://x.example/c.pem>;alg=ES256;ppt=shaken'] });
  const message = new SipMessage(text);
  expect(message.method).toBe('INVITE');
  expect(message.uri).toBe('sip:+12025550199@terminating.example;user=phone');
  expect(message.get('From')).toContain('sip:+12025550101@originating.example');
  expect(message.get('Identity')).toBe('a.b.c;info=<https://x.example/c.pem>;alg=ES256;ppt=shaken');
  expect(Number(message.get('Content-Length'))).toBe(Buffer.byteLength(message.body));
  expect(message.get('Date')).toBe('Mon, 02 Nov 2026 12:00:00 GMT');
});

test('every line ends with CRLF and an empty one precedes the body', () => {
  const text = sampleInvite({ identityHeaders: ['one', 'two;\r\n info=<x>'], headers: ['Privacy: id'], body: '' });
  expect(text.endsWith('Privacy: id\r\nContent-Length: 0\r\n\r\n')).toBe(true);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(text.match(/^Identity: /gm)).toHaveLength(2);
});

test('caller, callee, asserted identity and date can be set', () => {
  const text = sampleInvite({
    from: '"Anonymous" <sip:anonymous@anonymous.invalid>',
    assertedIdentities: ['<tel:+12025550101>'],
    to: '<tel:+12025550199>',
    requestUri: 'tel:+13035550101',
    dateMs: 'absent',
    identityHeaderName: 'y',
    identityHeaders: ['t'],
  });
  expect(text.startsWith('INVITE tel:+13035550101 SIP/2.0\r\n')).toBe(true);
  expect(text).toContain('From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1928301774\r\n');
  expect(text).toContain('P-Asserted-Identity: <tel:+12025550101>\r\n');
  expect(text).toContain('\r\ny: t\r\n');
  expect(text).not.toContain('Date:');
});
