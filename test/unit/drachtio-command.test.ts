import { expect, test } from 'vitest';
import { parseCommand } from '../../harness/src/drachtio/control/command.js';

const text = 'INVITE sip:bob@example.com SIP/2.0\r\nSubject: a|b\r\n\r\nbody';

test('an application authenticates with a secret, and with tags where it has some', () => {
  expect(parseCommand('m|authenticate|cymru')).toEqual({
    ...{ kind: 'authenticate', messageId: 'm', secret: 'cymru', tags: [] },
  });
  expect(parseCommand('m|authenticate|cymru|one,,two')).toMatchObject({ tags: ['one', 'two'] });
  expect(parseCommand('m|authenticate')).toMatchObject({ secret: '', tags: [] });
});

test('an application asks for the requests of a method, and for an end of that', () => {
  expect(parseCommand('m|route|invite')).toEqual({ kind: 'route', messageId: 'm', verb: 'invite' });
  expect(parseCommand('m|route')).toMatchObject({ kind: 'route', verb: '' });
  expect(parseCommand('m|remove_route|invite')).toEqual({ kind: 'remove-route', messageId: 'm' });
});

test('an application asks whether anybody is there', () => {
  expect(parseCommand('m|ping')).toEqual({ kind: 'ping', messageId: 'm' });
});

test('a SIP message comes with what it belongs to, and its text as it is', () => {
  expect(parseCommand(`m|sip|t|d|sip:proxy|\r\n${text}`)).toEqual({
    ...{ kind: 'sip', messageId: 'm', transactionId: 't', dialogId: 'd', routeUrl: 'sip:proxy', text },
  });
  expect(parseCommand(`m|sip\r\n${text}`)).toEqual({
    ...{ kind: 'sip', messageId: 'm', transactionId: '', dialogId: '', routeUrl: '', text },
  });
  expect(parseCommand('m|sip|t||\r\nSIP/2.0 200 OK')).toMatchObject({ kind: 'sip', text: 'SIP/2.0 200 OK' });
  expect(parseCommand('m|sip|t|d')).toMatchObject({ kind: 'sip', text: '' });
});

test('a response without a transaction belongs to nothing', () => {
  expect(parseCommand('m|sip||d|\r\nSIP/2.0 200 OK')).toEqual({
    ...{ kind: 'invalid', messageId: 'm', answer: 'transaction id missing' },
  });
});

test('a request is proxied as the tokens say', () => {
  const line = 'm|proxy|t|remainInDialog|fullResponse|followRedirects|simultaneous|2s|1500ms|sip:a|sip:b|';
  expect(parseCommand(`${line}\r\n${text}`)).toEqual({
    ...{ kind: 'proxy', messageId: 'm', transactionId: 't', staysInDialog: true, wantsResponses: true },
    ...{ followsRedirects: true, isSimultaneous: true, provisionalTimeoutMs: 2_000, finalTimeoutMs: 1_500 },
    ...{ destinations: ['sip:a', 'sip:b'], text },
  });
  const other = 'm|proxy|t|dontRemainInDialog|finalResponseOnly|noFollowRedirects|serial|||sip:a';
  expect(parseCommand(other)).toMatchObject({
    ...{ staysInDialog: false, wantsResponses: false, followsRedirects: false, isSimultaneous: false },
    ...{ provisionalTimeoutMs: undefined, finalTimeoutMs: undefined, destinations: ['sip:a'], text: '' },
  });
});

test.each([
  ['0s', 0],
  ['1ms', 1],
  ['9999999s', 9_999_999_000],
  ['10000000s', undefined],
  ['2', undefined],
  ['2m', undefined],
  ['-2s', undefined],
  ['1.5s', undefined],
  ['2S', undefined],
  [' 2s', undefined],
])('a time of %j is %s milliseconds', (given, expected) => {
  expect(parseCommand(`m|proxy|t|||||${given}|${given}|sip:a`)).toMatchObject({
    ...{ provisionalTimeoutMs: expected, finalTimeoutMs: expected },
  });
});

test.each(['m|proxy', 'm|proxy|t', 'm|proxy|t|||||||', 'm|proxy|t|||||1s|1s||||'])(
  '%s names no destination',
  (payload) => {
    expect(parseCommand(payload)).toEqual({
      ...{ kind: 'invalid', messageId: 'm' },
      answer: 'Invalid proxy request: not enough information provided',
    });
  },
);

test.each([
  ['', '', 'Invalid message format'],
  ['m', 'm', 'Invalid message format'],
  ['m\r\nsip|', 'm', 'Invalid message format'],
  ['m|', 'm', 'Unknown message type'],
  ['m|SIP', 'm', 'Unknown message type'],
  ['|constructor', '', 'Unknown message type'],
])('%j cannot be understood, and its sender is told why', (payload, messageId, answer) => {
  expect(parseCommand(payload)).toEqual({ kind: 'invalid', messageId, answer });
});
