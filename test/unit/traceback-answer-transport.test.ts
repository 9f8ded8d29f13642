import { expect, test } from 'vitest';
import { bearerToken, PlatformClient } from '../../sdk/src/platform/index.js';
import { createClientAnswerTransport, type AnswerDelivery } from '../../sdk/src/traceback/index.js';

const problem = (status: number, code: string): Response =>
  new Response(JSON.stringify({ type: 'about:blank', title: 'x', status, code }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });
const page = (status: number): Response =>
  new Response('<html>no</html>', { status, headers: { 'content-type': 'text/html' } });
const receipt = (): Response =>
  new Response(JSON.stringify({ answerId: 'a-1', receipt: 'e30.e30.AA' }), {
    status: 200,
    headers: { 'content-type': 'application/json' },
  });

/** What the transport makes of these answers, one after the other, and how many calls it took. */
async function delivered(...responses: readonly Response[]): Promise<readonly [AnswerDelivery, number]> {
  const left = [...responses];
  const client = new PlatformClient({
    baseUrl: 'https://itg.example',
    authorization: bearerToken('c2VjcmV0'),
    fetch: () => Promise.resolve(left.shift() ?? page(500)),
  });
  const answer = { requestId: 'r-1', answerId: 'a-1', jws: 'e30.e30.AA', idempotencyKey: 'a-1' };
  const delivery = await createClientAnswerTransport(client).deliver(answer, new AbortController().signal);
  return [delivery, responses.length - left.length];
}

test.each([
  [400, 'invalid-body', 'content'],
  [413, 'too-large', 'content'],
  [415, 'unsupported-media-type', 'content'],
  [422, 'answer-signature-invalid', 'content'],
  [422, 'answer-mismatch', 'content'],
  [404, 'not-found', 'content'],
  [410, 'gone', 'content'],
] as const)('an answer is refused where the platform says so: %i %s', async (status, code, reason) => {
  expect(await delivered(problem(status, code))).toMatchObject([{ status: 'refused', reason }, 1]);
});

test.each([
  page(400),
  page(403),
  page(404),
  page(405),
  page(413),
  page(422),
  page(302),
  problem(401, 'unauthenticated'),
  problem(403, 'forbidden'),
  problem(422, 'a-word-of-a-later-release'),
  new Response(null, { status: 404 }),
  new Response('{"error":"no such route"}', { status: 404, headers: { 'content-type': 'application/json' } }),
])('whatever else says no is no word about the answer, which waits: %#', async (response) => {
  expect(await delivered(response)).toMatchObject([{ status: 'barred' }, 1]);
});

test.each([
  [409, 'conflict'],
  [409, 'answer-out-of-sequence'],
  [422, 'idempotency-key-reused'],
] as const)('of what may be there already the receipt is asked for: %i %s', async (status, code) => {
  const said = (): Response => problem(status, code);
  expect(await delivered(said(), receipt())).toEqual([{ status: 'taken', receipt: 'e30.e30.AA' }, 2]);
  expect(await delivered(said(), problem(404, 'not-found'))).toMatchObject([
    { status: 'refused', reason: 'conflict' },
    2,
  ]);
  expect(await delivered(said(), page(404))).toMatchObject([{ status: 'barred' }, 2]);
  expect(await delivered(said(), page(503))).toMatchObject([{ status: 'unavailable' }, 2]);
});

test('a request that is cancelled is so where the platform does not have the answer', async () => {
  const said = (): Response => problem(409, 'request-cancelled');
  expect(await delivered(said(), problem(404, 'not-found'))).toMatchObject([{ status: 'cancelled' }, 2]);
  expect(await delivered(said(), receipt())).toMatchObject([{ status: 'taken' }, 2]);
  expect(await delivered(said(), page(503))).toMatchObject([{ status: 'unavailable' }, 2]);
});

test('without an answer of the platform nobody knows', async () => {
  expect(await delivered(page(503))).toMatchObject([{ status: 'unavailable' }, 1]);
  expect(await delivered(problem(429, 'rate-limited'))).toMatchObject([{ status: 'unavailable' }, 1]);
});
