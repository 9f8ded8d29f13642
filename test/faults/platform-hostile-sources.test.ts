import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { PlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { EVENT_STREAM_SILENCE_MS } from '../../sdk/src/platform/events/platform-events.js';
import { pollTracebackRequests } from '../../sdk/src/platform/sources/poll-requests.js';
import type { RequestSourceState } from '../../sdk/src/platform/sources/source-state.js';
import { streamTracebackRequests } from '../../sdk/src/platform/sources/stream-requests.js';
import type { TracebackRequestSource } from '../../sdk/src/platform/traceback-request-source.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { whileListening } from '../support/http-server.js';
import { createdEvent, sampleStatus } from '../support/platform-samples.js';
import { hastyClock } from '../support/waits.js';

/** The time of an attempt and the silence of a stream, which no wait of these is. */
const TIMEOUT_MS = EVENT_STREAM_SILENCE_MS;
/** 64 MiB of spaces in some 64 KiB. */
const BOMB = gzipSync(Buffer.alloc(64 * 1_048_576, 0x20));
const json = { 'content-type': 'application/json' };
const stream = { 'content-type': 'text/event-stream' };
const GZIP = { 'content-encoding': 'gzip' };

/** Sends a little again and again, for as long as somebody listens. */
function drip(response: ServerResponse, text: string): void {
  const timer = setInterval(() => response.write(text), 1);
  response.on('close', () => clearInterval(timer));
}

type Hostile = (response: ServerResponse, fields: Readonly<Record<string, string>>) => unknown;

/** Answers of a broken or hostile platform, or of a proxy in front of it; `fields` claim the media type that was asked for. */
const HOSTILE: readonly (readonly [string, Hostile, RequestSourceState['status']])[] = [
  ['HTML', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), 'refused'],
  ['HTML of the media type', (response, fields) => response.writeHead(200, fields).end('<html>\n\n<body>'), 'refused'],
  ['a redirect', (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(), 'refused'],
  ['a gzip bomb', (response, fields) => response.writeHead(200, { ...fields, ...GZIP }).end(BOMB), 'refused'],
  ['invalid gzip', (response, fields) => response.writeHead(200, { ...fields, ...GZIP }).end('no'), 'unavailable'],
  ['a body without an end', endless, 'refused'],
  ['204', (response) => response.writeHead(204).end(), 'refused'],
  ['206 with half a body', (response, fields) => response.writeHead(206, fields).end('{"items":['), 'refused'],
  ['401', (response) => response.writeHead(401).end(), 'refused'],
  ['403 with an endless problem', (response) => drip(response.writeHead(403, json), ' '.repeat(4_096)), 'refused'],
  ['410', (response) => response.writeHead(410).end(), 'refused'],
];

const isStream = (request: IncomingMessage): boolean => request.url?.startsWith('/v1/events') === true;

function endless(response: ServerResponse, fields: Readonly<Record<string, string>>): void {
  response.writeHead(200, fields);
  // An endless stream is cut after 45 s, which the tests of the stream show by their clock.
  if (fields === stream) return void response.socket?.resetAndDestroy();
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

const serving = (listener: RequestListener, use: (baseUrl: string) => Promise<void>): Promise<void> =>
  whileListening(createServer(listener), (port) => use(`http://127.0.0.1:${port}`));

/** Answers as a platform does with one open request. */
function honest(request: IncomingMessage, response: ServerResponse): void {
  if (!isStream(request)) {
    response.writeHead(200, json);
    response.end(
      JSON.stringify(request.url?.startsWith('/v1/notices') === true ? { items: [] } : { items: [sampleStatus('1')] }),
    );
    return;
  }
  const event = createdEvent('1');
  response.writeHead(200, stream).write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
}

async function firstOf(source: TracebackRequestSource): Promise<string> {
  for await (const arrival of source) return arrival.kind;
  return 'nothing';
}

describe.each([
  ['polling', pollTracebackRequests],
  ['the stream', streamTracebackRequests],
] as const)('%s', (name, make) => {
  test.each(HOSTILE)('recovers from %s', async (_what, hostile, status) => {
    let served = 0;
    const listener: RequestListener = (request, response) => {
      if (request.url?.startsWith('/v1/notices') === true) return honest(request, response);
      served += 1;
      return served <= 3 ? hostile(response, isStream(request) ? stream : json) : honest(request, response);
    };
    await serving(listener, async (baseUrl) => {
      const clock = hastyClock(TEST_NOW_MS, TIMEOUT_MS);
      const states: string[] = [];
      const onState = (state: RequestSourceState): void => void states.push(state.status);
      const parts = { authorization: bearerToken('c2VjcmV0'), timeoutMs: TIMEOUT_MS, clock, random: () => 0.5 };
      const client = new PlatformClient({ baseUrl, maxRetries: 0, ...parts });
      await using source = make({ client, clock, random: () => 0.5, onState });
      expect(await firstOf(source)).toBe('request');
      if (name === 'polling') expect(states).toEqual([status]);
    });
  });
});
