import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionDescription } from '../../harness/src/phones/user-agent.js';
import { forAll } from '../support/for-all.js';

const media = (description: string): readonly string[] =>
  description.split('\r\n').filter((line) => /^(m=|a=)/.test(line));
const offer = (...lines: readonly string[]): string => `v=0\r\n${lines.join('\r\n')}\r\n`;

test('an offer is one audio stream, the lines in the order of the specification', () => {
  expect(sessionDescription(3)).toBe(
    'v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n',
  );
});

test('an answer has as many streams as the offer and takes the first audio that is offered', () => {
  const remote = offer(
    'm=video 5000 RTP/AVP 96',
    'm=audio 0 RTP/AVP 0',
    'm=audio 4000 RTP/AVP 101 8',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 opus/48000/2',
    'm=audio 4002 RTP/AVP 0',
  );
  expect(media(sessionDescription(1, remote))).toEqual([
    ...[
      'm=video 0 RTP/AVP 96',
      'm=audio 0 RTP/AVP 0',
      'm=audio 9 RTP/AVP 101',
      'a=rtpmap:101 opus/48000/2',
      'a=sendrecv',
    ],
    'm=audio 0 RTP/AVP 0',
  ]);
});

test.each([
  ['a=sendonly', 'a=recvonly'],
  ['a=recvonly', 'a=sendonly'],
  ['a=inactive', 'a=inactive'],
  ['a=sendrecv', 'a=sendrecv'],
])('%s of a stream or of the session is answered with %s', (offered, answered) => {
  expect(media(sessionDescription(1, offer('m=audio 4000 RTP/AVP 0', offered))).at(-1)).toBe(answered);
  expect(media(sessionDescription(1, offer(offered, 'm=audio 4000 RTP/AVP 0'))).at(-1)).toBe(answered);
});

test('a description without streams is answered as if there were none', () => {
  expect(sessionDescription(2, '')).toBe(sessionDescription(2));
});

test('any text gets an answer of at most 32 streams and no stray line ends', () => {
  const line = fc.oneof(
    fc.constantFrom('m=audio 1 RTP/AVP 0', 'm=', 'm=video', 'm=audio', 'a=sendonly', 'a=rtpmap:0 x'),
    fc.string(),
  );
  forAll([fc.array(line, { maxLength: 80 }), fc.constantFrom('\r\n', '\n', '\r')], 100, (lines, end) => {
    const answer = sessionDescription(1, lines.join(end));
    expect(answer).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
    expect(answer.match(/^m=/gm)?.length ?? 0).toBeLessThanOrEqual(32);
  });
});
