import fc from 'fast-check';
import { PLATFORM_ROUTES, WIRE_EXAMPLES } from '@hopback/sdk/platform';
import { TestPlatform } from '@hopback/sdk/testing';

import { expect, test } from 'vitest';
import { forAllAsync } from '../support/for-all.js';

const MEDIA_TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'application/x-ndjson',
  'multipart/form-data; boundary=b',
  'text/plain',
  '',
];

const examples = Object.values(WIRE_EXAMPLES).flatMap((list) => list.map(({ value }) => JSON.stringify(value)));

const multipart = (text: string): string =>
  `--b\r\ncontent-disposition: form-data; name="demand"\r\n\r\n${text}\r\n--b\r\ncontent-disposition: form-data; name="document"; filename="d"\r\n\r\n%PDF-\r\n--b--\r\n`;

/** Some of it right: a platform of which every request fails at the first letter shows nothing. */
const anyRequest = fc.record({
  route: fc.constantFrom(...PLATFORM_ROUTES),
  pathPart: fc.oneof(fc.constant('tb-000001'), fc.string({ maxLength: 20 }), fc.constant('%E0%A4')),
  query: fc.oneof(
    fc.constant(''),
    fc.constant('?limit=1'),
    fc.webQueryParameters().map((text) => `?${text}`),
  ),
  type: fc.constantFrom(...MEDIA_TYPES),
  body: fc.oneof(
    fc.constantFrom(...examples),
    fc.constantFrom(...examples).map((text) => multipart(text)),
    fc.json(),
    fc.string(),
    fc.constant('grant_type=client_credentials'),
  ),
  key: fc.option(fc.stringMatching(/^[!-~]{1,20}$/), { nil: undefined }),
  holder: fc.constantFrom(undefined, 'prv-birch', 'app-1', 'agency-1', 'staff-1'),
  extra: fc.dictionary(
    fc.constantFrom('ce-id', 'ce-type', 'content-encoding', 'last-event-id'),
    fc.stringMatching(/^[!-~]{0,20}$/),
  ),
});

test('any request has an answer, and none of them breaks the platform', async () => {
  const platform = new TestPlatform({ apps: ['app-1'], agencies: ['agency-1'], staff: ['staff-1'] });
  platform.openTraceback();
  await forAllAsync([anyRequest], 1_000, async ({ route, pathPart, query, type, body, key, holder, extra }) => {
    const path = route.path.replaceAll(/\{\w+\}/g, () => encodeURI(pathPart).replaceAll('/', ''));
    const headers = new Headers(extra);
    if (type !== '') headers.set('content-type', type);
    if (key !== undefined) headers.set('idempotency-key', key);
    if (holder !== undefined) headers.set('authorization', `Bearer ${platform.credentials(holder).token}`);
    const leaving = new AbortController();
    const request = new Request(`${platform.baseUrl}${path}${query}`, {
      ...{ method: route.method, headers, signal: leaving.signal },
      ...(route.method === 'GET' ? {} : { body }),
    });
    const { status } = await platform.handle(request);
    leaving.abort();
    expect(status).toBeGreaterThanOrEqual(200);
    expect(status).toBeLessThan(500);
  });
  platform.takeViolations();
  await platform.close();
});
