import { expect, test } from 'vitest';
import type { AppConnection } from '../../harness/src/drachtio/control/app-connection.js';
import {
  dialogId,
  dialogOfClient,
  dialogOfServer,
  refreshTarget,
  requestTarget,
  type Dialog,
} from '../../harness/src/drachtio/dialog/dialog.js';
import { withTag } from '../../harness/src/drachtio/message/app-message.js';
import { createDialogStore } from '../../harness/src/drachtio/dialog/dialog-store.js';
import {
  fakeFlow,
  messageFrom,
  receivedFrom,
  requestText,
  responseText,
  type RequestSample,
} from '../support/sip-samples.js';

const app = { name: 'one' } as unknown as AppConnection;
const parts = { app, transactionId: 't1', localContact: '<sip:192.0.2.1:5060>' };
const recordRoutes = ['Record-Route: <sip:r1;lr>, <sip:r2;lr>;x=1', 'Record-Route: <sip:r3;lr>'];
const LOCAL_PARTY = '<sip:here@192.0.2.1>;tag=h1';
const SENT = { from: LOCAL_PARTY, requestUri: 'sip:bob@example.com', flow: fakeFlow() };

const callee = (sample: RequestSample = {}, method = 'INVITE'): Dialog =>
  dialogOfServer(receivedFrom(requestText(method, sample)), 'b1', parts);
const caller = (lines: readonly string[] = ['Contact: <sip:bob@192.0.2.9:7>'], method = 'INVITE'): Dialog =>
  dialogOfClient(receivedFrom(responseText(200, { lines, method, cseq: 5 })), SENT, parts);

test('one who answers has the To of the request with its own tag, and the From for the other side', () => {
  expect(callee({ cseq: 9, lines: recordRoutes })).toEqual({
    ...{ ...parts, id: 'call-1@192.0.2.9;from-tag=a1', isCaller: false, method: 'INVITE', callId: 'call-1@192.0.2.9' },
    ...{ localTag: 'b1', remoteTag: 'a1', localParty: '<sip:bob@example.com>;tag=b1' },
    ...{ remoteParty: '"Alice" <sip:alice@example.org>;tag=a1', remoteTarget: 'sip:alice@192.0.2.9:5099' },
    routes: ['<sip:r1;lr>', '<sip:r2;lr>;x=1', '<sip:r3;lr>'],
    ...{ localCseq: 1, remoteCseq: 9, state: 'early', isInviting: false, flow: undefined, toldAtMs: 0 },
  });
});

test('one who called has what it sent for itself, and the routes the other way round', () => {
  expect(caller(['m: "B" <sip:bob@192.0.2.9:7>;q=1', ...recordRoutes])).toEqual({
    ...{ ...parts, id: 'call-1@192.0.2.1;from-tag=h1', isCaller: true, method: 'INVITE', callId: 'call-1@192.0.2.1' },
    ...{ localTag: 'h1', remoteTag: 'b1', localParty: LOCAL_PARTY, remoteParty: '<sip:bob@example.com>;tag=b1' },
    ...{ remoteTarget: 'sip:bob@192.0.2.9:7', routes: ['<sip:r3;lr>', '<sip:r2;lr>;x=1', '<sip:r1;lr>'] },
    ...{ localCseq: 5, remoteCseq: -1, state: 'early', isInviting: false, flow: undefined, toldAtMs: 0 },
  });
});

test('both sides know a call or a subscription by the tag of its beginner', () => {
  expect(callee().id).toBe(dialogId('call-1@192.0.2.9', 'a1'));
  expect(caller().id).toBe(dialogId('call-1@192.0.2.1', 'h1'));
  for (const { method } of [callee({}, 'SUBSCRIBE'), caller([], 'SUBSCRIBE')]) expect(method).toBe('SUBSCRIBE');
});

test('folded parties are kept on one line', () => {
  const dialog = callee({ from: '"A"\r\n <sip:a>\r\n ;tag=a1', to: '<sip:b>\r\n\t;x=1', contact: '\r\n <sip:c>' });
  expect(dialog).toMatchObject({
    remoteParty: '"A" <sip:a> ;tag=a1',
    localParty: '<sip:b> ;x=1;tag=b1',
    remoteTarget: 'sip:c',
  });
});

test('a peer that is behind a connection, with nobody between, is reached by it', () => {
  const tcp = fakeFlow('tcp');
  const behind = (sample: RequestSample): unknown =>
    dialogOfServer(receivedFrom(requestText('INVITE', sample), tcp), 'b', parts).flow;
  expect(behind({})).toBe(tcp);
  expect(behind({ lines: ['Via: SIP/2.0/UDP further'] })).toBeUndefined();
  expect(dialogOfClient(receivedFrom(responseText(200), tcp), SENT, parts).flow).toBe(tcp);
});

test('a new Contact of the other side is the new target, and its absence none', () => {
  const dialog = callee();
  refreshTarget(
    dialog,
    messageFrom(requestText('INVITE', { contact: '"A"\r\n <sip:new@192.0.2.9;transport=tcp>;q=1' })),
  );
  expect(dialog.remoteTarget).toBe('sip:new@192.0.2.9;transport=tcp');
  refreshTarget(dialog, messageFrom(responseText(200)));
  refreshTarget(dialog, messageFrom(requestText('INVITE', { contact: '"unbalanced <sip:x>' })));
  expect(dialog.remoteTarget).toBe('sip:new@192.0.2.9;transport=tcp');
});

test.each([
  ['without routes', [], 'sip:alice@192.0.2.9:5099', 'sip:alice@192.0.2.9:5099', []],
  [
    'by loose routers',
    recordRoutes,
    'sip:alice@192.0.2.9:5099',
    'sip:r1;lr',
    ['<sip:r1;lr>', '<sip:r2;lr>;x=1', '<sip:r3;lr>'],
  ],
  [
    'by a strict router, which finds itself in the Request-URI',
    ['Record-Route: <sip:strict>, <sip:r2;lr>'],
    'sip:strict',
    'sip:strict',
    ['<sip:r2;lr>', '<sip:alice@192.0.2.9:5099>'],
  ],
])('a request goes to the target %s', (_how, lines, ...[requestUri, nextHop, routes]) => {
  expect(requestTarget(callee({ lines }))).toEqual({ requestUri, nextHop, routes });
});

test.each([
  ['<sip:b>', '<sip:b>;tag=x'],
  ['sip:b', 'sip:b;tag=x'],
  ['<sip:b>;a=1', '<sip:b>;a=1;tag=x'],
  ['<sip:b>;tag=there', '<sip:b>;tag=there'],
  ['<sip:b> ; TAG = there', '<sip:b> ; TAG = there'],
  ['"<sip:b>;tag=no" <sip:b>', '"<sip:b>;tag=no" <sip:b>;tag=x'],
  ['<sip:b;tag=no>', '<sip:b;tag=no>;tag=x'],
])('with a tag %s is %s', (value, expected) => {
  expect(withTag(value, 'x')).toBe(expected);
});

const named = (remoteTag: string, state: Dialog['state'] = 'early'): Dialog => ({ ...caller(), remoteTag, state });

test('a dialog is found by its tags, seen from either side, and by its name', () => {
  const store = createDialogStore();
  const dialog = callee();
  store.add(dialog);
  const bye = receivedFrom(requestText('BYE', { to: '<sip:bob@example.com>;tag=b1' })).essentials;
  expect(store.ofRequest(bye)).toBe(dialog);
  expect(store.byTags('call-1@192.0.2.9', 'b1', 'a1')).toBe(dialog);
  expect(store.byId(dialog.id, app)).toBe(dialog);
  expect(store.ofRequest({ ...bye, toTag: 'b2' })).toBeUndefined();
  expect(store.ofRequest({ ...bye, fromTag: 'b1', toTag: 'a1' })).toBeUndefined();
  expect(store.byId('other', app)).toBeUndefined();
});

test('of the branches of a fork the confirmed one goes by the name, else the last', () => {
  const store = createDialogStore();
  const [first, second, third] = [named('1'), named('2'), named('3')];
  for (const dialog of [first, second, third]) store.add(dialog);
  expect(store.byId(first.id, app)).toBe(third);
  first.state = 'confirmed';
  expect(store.byId(first.id, app)).toBe(first);
  store.removeEarly(first.id);
  expect(store.size()).toBe(1);
  expect(store.byId(first.id, app)).toBe(first);
  store.remove(first);
  expect([store.byId(first.id, app), store.size()]).toEqual([undefined, 0]);
});

test('the end of each dialog is reported once, and no other is removed in its place', () => {
  const removed: Dialog[] = [];
  const store = createDialogStore((dialog) => removed.push(dialog));
  const dialog = named('1');
  store.add(dialog);
  store.add(dialog);
  store.remove({ ...dialog });
  expect(removed).toEqual([]);
  store.remove(dialog);
  store.remove(dialog);
  expect(removed).toEqual([dialog]);
  store.removeEarly('nothing');
  for (const tag of ['2', '3']) store.add(named(tag));
  store.clear();
  expect(removed).toHaveLength(3);
  expect(store.size()).toBe(0);
});
