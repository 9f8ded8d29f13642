import { expect, test } from 'vitest';
import type { FrameMeta } from '../../harness/src/drachtio/control/frames.js';
import {
  cdrPayload,
  createFrameReader,
  createTimeOfDay,
  framed,
  MAX_FRAME_BYTES,
  messagePayload,
  newRequestPayload,
  proxyResponse,
  requestSent,
  responsePayload,
  responseSent,
} from '../../harness/src/drachtio/control/frames.js';

const read = (...chunks: readonly string[]): readonly (readonly string[] | undefined)[] => {
  const reader = createFrameReader();
  return chunks.map((chunk) => reader.push(chunk));
};

test('a frame is handed out as soon as its last octet is there', () => {
  expect(read('3#ab', 'c', '0', '#', '1#')).toEqual([[], ['abc'], [], [''], []]);
});

test('the longest frame has as many octets as five digits can say', () => {
  const longest = 'x'.repeat(MAX_FRAME_BYTES);
  expect(read(framed(longest))).toEqual([[longest]]);
  expect(read(`${MAX_FRAME_BYTES}#`, longest)).toEqual([[], [longest]]);
  expect(read('100000#')).toEqual([undefined]);
});

test('zeros in front of a length do not hide how many digits it has', () => {
  expect(read('00003#abc')).toEqual([['abc']]);
  expect(read('000003#abc')).toEqual([undefined]);
});

test.each(['#abc', 'x', '1x#a', '-1#a', '+1#a', '1.5#a', ' 1#a', '1 #a', '0x1#a', '123456', '\r\n', '1e1#', '\xb2#'])(
  '%j is no stream of frames',
  (text) => {
    expect(read(text)).toEqual([undefined]);
  },
);

test('what is wrong is seen as soon as it is there, behind frames and in halves too', () => {
  expect(read('1#a1#b#')).toEqual([undefined]);
  expect(read('1', '2', '3', '4', '5', '6')).toEqual([[], [], [], [], [], undefined]);
  expect(read('12', 'x')).toEqual([[], undefined]);
});

const meta: FrameMeta = {
  ...{ source: 'network', bytes: 312, protocol: 'udp', time: '12:00:00.001000' },
  remote: { address: '192.0.2.9', port: 5099 },
};

test('frames are written as applications split them', () => {
  const local = { address: '192.0.2.1', port: 5060 };
  expect(framed('abc')).toBe('3#abc');
  expect(responsePayload('f', 'm', 'OK')).toBe('f|response|m|OK');
  expect(newRequestPayload('f', meta, { transactionId: 't', local, text: 'INVITE' })).toBe(
    'f|sip|network|312|udp|192.0.2.9|5099|12:00:00.001000|t||192.0.2.1|5060|\r\nINVITE',
  );
  expect(messagePayload('f', meta, { transactionId: 't', dialogId: 'd', text: 'BYE' })).toBe(
    'f|sip|network|312|udp|192.0.2.9|5099|12:00:00.001000|t|d|\r\nBYE',
  );
  expect(requestSent(meta, 't', 'INVITE')).toBe(
    'OK|network|312|udp|192.0.2.9|5099|12:00:00.001000|t|Msg sent:|\r\nINVITE',
  );
  expect(responseSent(meta, { transactionId: 't', dialogId: 'd' }, 'SIP/2.0')).toBe(
    'OK|network|312|udp|192.0.2.9|5099|12:00:00.001000|t|d||Msg sent:|\r\nSIP/2.0',
  );
  expect(proxyResponse(meta, 'SIP/2.0')).toBe(
    'OK|network|312|udp|192.0.2.9|5099|12:00:00.001000|||continue\r\nSIP/2.0',
  );
});

test('a call detail record has a further token only where there is something to say', () => {
  const record = { event: 'attempt', source: 'network', time: '12:00:00.000000', detail: '', text: 'INVITE' } as const;
  expect(cdrPayload('f', record)).toBe('f|cdr:attempt|network|12:00:00.000000\r\nINVITE');
  expect(cdrPayload('f', { ...record, event: 'stop', detail: 'normal-release' })).toBe(
    'f|cdr:stop|network|12:00:00.000000|normal-release\r\nINVITE',
  );
});

test('the time of day is in UTC and to the microsecond, forward and back', () => {
  const timeOfDay = createTimeOfDay();
  const noonMs = Date.UTC(2026, 10, 2, 12, 0, 0);
  const times = [0, 7, 999, 1_000, -1, 43_200_000].map((ms) => timeOfDay(noonMs + ms));
  expect(times).toEqual([
    '12:00:00.000000',
    '12:00:00.007000',
    '12:00:00.999000',
    '12:00:01.000000',
    '11:59:59.999000',
    '00:00:00.000000',
  ]);
});
