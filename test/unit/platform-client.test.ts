import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { PlatformClient, type PlatformClientOptions } from '../../sdk/src/platform/client/platform-client.js';
import type { WireBodyName } from '../../sdk/src/contract/bodies.js';
import { WIRE_EXAMPLES } from '../../sdk/src/contract/examples/wire-examples.js';
import { PLATFORM_ROUTES } from '../../sdk/src/contract/routes.js';
import type { PlatformRoute } from '../../sdk/src/contract/route.js';
import type { PlatformFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import { codeOf } from '../support/code-of.js';
import { contractFetch } from '../support/contract-fetch.js';
import { sampleStatus, scripted } from '../support/platform-samples.js';

const authorization = bearerToken('c2VjcmV0');

function client(fetch: PlatformFetch, options: Partial<PlatformClientOptions> = {}): PlatformClient {
  return new PlatformClient({ baseUrl: 'https://itg.example', authorization, fetch, random: () => 0, ...options });
}

const example = <Name extends WireBodyName>(name: Name) => WIRE_EXAMPLES[name][0].value;

async function collected<Item>(list: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of list) items.push(item);
  return items;
}

test('calls every route as the contract has it, and reads what the contract answers', async () => {
  const check = contractFetch();
  const itg = client(check.fetch);
  const requestId = 'request-1';
  const { format: _format, ...response } = example('NoticeResponse');
  const { documentSha256: _sha256, ...submission } = example('DemandSubmission');
  const { format: _acknowledgement, ...acknowledgement } = example('RequestAcknowledgement');
  await itg.tracebackRequests.list({ state: 'all', limit: 500 });
  await itg.tracebackRequests.retrieve({ requestId });
  await itg.tracebackRequests.acknowledge({ requestId, ...acknowledgement });
  await itg.tracebackRequests.answer({ requestId, ...example('AnswerSubmission') });
  await itg.tracebackRequests.receipt({ requestId, answerId: 'answer-1' });
  await itg.tracebacks.create(example('TracebackOpening'));
  await itg.tracebacks.list({ state: 'open', campaignId: 'campaign-1' });
  await itg.tracebacks.retrieve({ tracebackId: 'traceback-1' });
  await itg.appReports.create(example('AppReport'));
  await itg.providers.list({
    name: 'birch',
    frn: '0000000102',
    ocn: '902B',
    spc: '902B',
    changedSince: '2026-01-01T00:00:00Z',
  });
  await itg.providers.retrieve({ providerId: 'provider-1' });
  await itg.providers.scorecard({ providerId: 'provider-1', from: '2026-01-01T00:00:00Z' });
  await itg.doNotOriginate.list({ changedSince: '2026-01-01T00:00:00Z' });
  await itg.campaigns.list({ state: 'live' });
  await itg.campaigns.retrieve({ campaignId: 'campaign-1' });
  await itg.alerts.list({ state: 'unacknowledged' });
  await itg.alerts.acknowledge({ alertId: 'alert-1', ...example('AlertAcknowledgement') });
  await itg.notices.list();
  await itg.notices.respond({ noticeId: 'notice-1', ...response });
  await itg.demands.create({ ...submission, document: Buffer.from('%PDF-1.7\r\n--') });
  await itg.demands.list({ state: 'under-review' });
  await itg.demands.retrieve({ demandId: 'demand-1' });
  await itg.demands.decide({ demandId: 'demand-1', ...example('DemandDecisionRequest') });
  await itg.productions.retrieve({ productionId: 'production-1' });
  const sha256 = createHash('sha256').update('a file').digest('hex');
  const file = { name: 'records.ndjson', sizeBytes: 6, sha256 };
  const chunks = await collected(itg.productions.file({ productionId: 'production-1', file }));
  expect(Buffer.concat(chunks).toString()).toBe('a file');
  await itg.webhookEndpoints.create(example('WebhookEndpointCreation'));
  await itg.webhookEndpoints.list();
  await itg.webhookEndpoints.delete({ endpointId: 'endpoint-1' });
  await itg.webhookEndpoints.rotateSecret({ endpointId: 'endpoint-1' });
  await itg.webhookEndpoints.replay({ endpointId: 'endpoint-1', ...example('WebhookReplayRequest') });
  const leaving = new AbortController();
  const ended = itg.events({ signal: leaving.signal }).next();
  await new Promise(setImmediate);
  leaving.abort();
  expect(await ended).toEqual({ done: true, value: undefined });
  expect(check.complaints).toEqual([]);
  const others = ['issueToken', 'sendRecordBatch'];
  expect([...new Set([...check.operations, ...others])].sort()).toEqual(
    PLATFORM_ROUTES.map((route) => route.operationId).sort(),
  );
});

const page = (ids: readonly string[], nextCursor?: string) => () =>
  Response.json({ items: ids.map((id) => sampleStatus(id)), ...(nextCursor === undefined ? {} : { nextCursor }) });

const idsOf = async (list: AsyncIterable<{ readonly request: { readonly requestId: string } }>): Promise<string[]> =>
  (await collected(list)).map(({ request }) => request.requestId);

test('goes through all pages, an empty one among them, and asks for the next one when it is needed', async () => {
  const { requests, fetch } = scripted(page(['1', '2'], 'a'), page([], 'b'), page(['3']));
  const list = client(fetch).tracebackRequests.iterate({ state: 'all', limit: 2 });
  expect((await list.next()).value?.request.requestId).toBe('request-1');
  expect(requests).toHaveLength(1);
  expect(await idsOf(list)).toEqual(['request-2', 'request-3']);
  expect(requests.map(({ url }) => new URL(url).search)).toEqual([
    '?state=all&limit=2',
    '?state=all&cursor=a&limit=2',
    '?state=all&cursor=b&limit=2',
  ]);
});

test('leaves out items that break the contract only when onUnreadable is given', async () => {
  const items = [sampleStatus('1'), { ...sampleStatus('2'), state: 'forgotten' }, 7, sampleStatus('3')];
  const { fetch } = scripted(() => Response.json({ items }));
  const places: string[] = [];
  const { tracebackRequests } = client(fetch);
  const readable = tracebackRequests.iterate({}, { onUnreadable: (place) => places.push(place) });
  expect(await idsOf(readable)).toEqual(['request-1', 'request-3']);
  expect(places).toEqual(['items.1.state', 'items.2.']);
  expect(await codeOf(idsOf(tracebackRequests.iterate()))).toBe('response-unreadable');
});

/** A page of these texts, each of them one item or what is to be one. */
const rawPage = (items: readonly string[], rest = ''): Uint8Array =>
  Buffer.concat([`{"items":[`, items.join(', '), `]${rest}}`].map((text) => Buffer.from(text, 'latin1')));

test.each([
  ['half a surrogate pair', '\\ud800'],
  ['an octet that is no UTF-8', '\xe9'],
  ['a control character', '\t'],
  ['a key given twice', '", "name": "'],
  ['brackets in a text', '\\ud800 }],{"items":['],
])('one item with %s costs one item of a page, and is told', async (_what, bad) => {
  const texts = ['1', '2', '3'].map((id) => JSON.stringify(sampleStatus(id)));
  texts[1] = texts[1]!.replace(sampleStatus('2').request.requester.name, bad);
  const { fetch } = scripted(() => new Response(rawPage(texts), { headers: { 'content-type': 'application/json' } }));
  const places: string[] = [];
  const { tracebackRequests } = client(fetch);
  const readable = tracebackRequests.iterate({}, { onUnreadable: (place) => places.push(place) });
  expect(await idsOf(readable)).toEqual(['request-1', 'request-3']);
  expect(places).toEqual(['items.1.']);
  expect(await codeOf(tracebackRequests.list())).toBe('response-unreadable');
});

test.each(['"nextCursor":"a b"', '"nextCursor":"\\ud800"', '"nextCursor":7'])(
  'yields the items of a page with %s, and then fails because the next page is unknown',
  async (rest) => {
    const { fetch } = scripted(() => new Response(rawPage([JSON.stringify(sampleStatus('1'))], `,${rest}`)));
    const ids: string[] = [];
    const reading = (async () => {
      for await (const { request } of client(fetch).tracebackRequests.iterate({}, { onUnreadable: () => {} }))
        ids.push(request.requestId);
    })();
    expect(await codeOf(reading)).toBe('response-unreadable');
    expect(ids).toEqual(['request-1']);
  },
);

test('finds out that empty pages never end', async () => {
  let asked = 0;
  const fetch: PlatformFetch = async () => page([], `cursor-${(asked += 1)}`)();
  expect(await codeOf(idsOf(client(fetch).tracebackRequests.iterate()))).toBe('response-unreadable');
  expect(asked).toBe(1_000);
});

test('the same answer has the same idempotency key in every client, and another answer has another', async () => {
  const { requests, fetch } = scripted(() => Response.json(example('SignedReceipt'), { status: 201 }));
  const submission = example('AnswerSubmission');
  await client(fetch).tracebackRequests.answer({ requestId: 'r1', ...submission });
  await client(fetch).tracebackRequests.answer({ requestId: 'r1', ...submission });
  await client(fetch).tracebackRequests.answer({ requestId: 'r2', ...submission });
  await client(fetch).tracebackRequests.answer({ requestId: 'r1', ...submission }, { idempotencyKey: 'mine' });
  const keys = requests.map(({ headers }) => headers.get('idempotency-key'));
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
  expect(keys[3]).toBe('mine');
});

test('an error repeats the problem of the platform without numbers, tokens and ids of the address', async () => {
  const problem = {
    ...{ type: 'about:blank', title: 'no', status: 422, code: 'answer-mismatch', httpRequestId: 'req-9' },
    detail: 'the call from 12155550102 is another',
    errors: [{ pointer: '/answer', code: 'custom' }],
  };
  const { fetch } = scripted(() => Response.json(problem, { status: 422, headers: { 'request-id': 'req-7' } }));
  const error = await client(fetch)
    .tracebackRequests.answer({ requestId: 'secret-request', answer: 'a.b.c' })
    .catch((caught: unknown) => caught);
  if (!isHopbackError(error)) throw error;
  expect({ code: error.code, retryable: error.retryable, details: error.details }).toEqual({
    code: 'request-refused',
    retryable: false,
    details: {
      ...{ method: 'POST', route: '/v1/traceback-requests/{requestId}/answers', attempts: 1, reason: 'refused' },
      ...{ httpStatus: 422, requestId: 'req-7', problemCode: 'answer-mismatch', place: '/answer' },
      detail: 'the call from XXXXXXXXXXX is another',
    },
  });
  expect(error.message).toBe(
    'POST /v1/traceback-requests/{requestId}/answers: the platform refuses the request: 422 answer-mismatch at "/answer" (request req-7)',
  );
  expect(JSON.stringify([error.message, error.stack, error.details])).not.toMatch(
    /secret-request|c2VjcmV0|12155550102/,
  );
});

test('rejects an id that would name another route', async () => {
  const { requests, fetch } = scripted(() => Response.json({}));
  const { retrieve } = client(fetch).tracebacks;
  for (const tracebackId of ['', '.', '..', 'x'.repeat(257), '\ud800'])
    expect(await codeOf((async () => retrieve({ tracebackId }))())).toBe('invalid-argument');
  expect(requests).toEqual([]);
  await codeOf(retrieve({ tracebackId: 'a/../b?c#d' }));
  expect(requests[0]?.url).toBe('https://itg.example/v1/tracebacks/a%2F..%2Fb%3Fc%23d');
});

test.each([
  { baseUrl: 'http://itg.example' },
  { baseUrl: 'https://user:pass@itg.example' },
  { baseUrl: 'https://itg.example/?x=1' },
  { timeoutMs: 0 },
  { maxRetries: 1.5 },
])('rejects the configuration %j', (options) => {
  expect(() => client(fetch, options)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
});

test('stands below a path, whether that ends with a slash or not', async () => {
  for (const baseUrl of ['https://itg.example/carriers', 'https://itg.example/carriers/']) {
    const { requests, fetch } = scripted(page([]));
    await client(fetch, { baseUrl }).tracebackRequests.list();
    expect(requests[0]?.url).toBe('https://itg.example/carriers/v1/traceback-requests');
  }
});

test('hands on the octets of a file, and does not end well where they are others', async () => {
  const sha256 = createHash('sha256').update('a file').digest('hex');
  const { fetch } = scripted(() => new Response('a file'));
  const read = (file: { name: string; sizeBytes: number; sha256: string }) =>
    codeOf(collected(client(fetch).productions.file({ productionId: 'p', file })));
  expect(await read({ name: 'a', sizeBytes: 6, sha256 })).toBe('fulfilled');
  expect(await read({ name: 'a', sizeBytes: 5, sha256 })).toBe('response-unreadable');
  expect(await read({ name: 'a', sizeBytes: 7, sha256 })).toBe('response-unreadable');
  expect(await read({ name: 'a', sizeBytes: 6, sha256: '0'.repeat(64) })).toBe('response-unreadable');
});

test('a document that is too large never leaves', async () => {
  const { documentSha256: _sha256, ...submission } = example('DemandSubmission');
  const { requests, fetch } = scripted(() => Response.json({}));
  const created = client(fetch).demands.create({ ...submission, document: new Uint8Array() });
  expect(await codeOf(created)).toBe('invalid-argument');
  expect(requests).toEqual([]);
});

test('an endpoint that a repeated call does not find any longer was deleted by the call before', async () => {
  const lost = scripted(
    () => new Response(null, { status: 503 }),
    () => new Response(null, { status: 404 }),
  );
  await client(lost.fetch).webhookEndpoints.delete({ endpointId: 'e' });
  const unknown = scripted(() => new Response(null, { status: 404 }));
  expect(await codeOf(client(unknown.fetch).webhookEndpoints.delete({ endpointId: 'e' }))).toBe('request-refused');
});

test('rejects an idempotency key that a header field cannot hold', async () => {
  const { webhookEndpoints } = client(scripted(() => Response.json({})).fetch);
  for (const idempotencyKey of ['', 'a b', 'é', 'x'.repeat(129)])
    expect(await codeOf(webhookEndpoints.rotateSecret({ endpointId: 'e' }, { idempotencyKey }))).toBe(
      'invalid-argument',
    );
});

/** A client whose platform answers everything alike, and what it was asked. */
const answeringAll = (answer: () => Response) => {
  const { requests, fetch } = scripted(answer);
  return { asked: requests, calling: client(fetch, { baseUrl: 'https://itg.example/api', maxRetries: 0 }) };
};

const operatorRoute = (rest: Partial<PlatformRoute<string>>): PlatformRoute<string> => ({
  ...{ operationId: 'nameCampaign', method: 'POST', path: '/v1/campaigns/{campaignId}/names', tag: 'Operators' },
  ...{ summary: '', description: '', allowed: ['staff'], problems: [], idempotency: 'key' },
  parameters: [
    { name: 'campaignId', in: 'path', form: 'identifier', description: '', isRequired: true },
    { name: 'why', in: 'query', form: 'line', description: '', isRequired: false },
    { name: 'X-Case', in: 'header', form: 'line', description: '', isRequired: false },
    { name: 'Idempotency-Key', in: 'header', form: 'idempotency-key', description: '', isRequired: true },
  ],
  request: { kind: 'json', body: 'CampaignName' },
  response: { kind: 'json', status: 200, body: 'CampaignName', description: '' },
  ...rest,
});

test('calls a route outside the contract by its own definition', async () => {
  const { calling, asked } = answeringAll(() => Response.json({ name: 'SSA-Suspended-P2' }));
  const parameters = { campaignId: 'c/1', why: 'wrong topic', 'X-Case': '17' };
  const result = await calling.call(operatorRoute({}), { parameters, body: { name: 'SSA-Suspended-P2' } });
  expect(result).toEqual({ kind: 'json', value: { name: 'SSA-Suspended-P2' } });
  const [request] = asked;
  expect(request?.url).toBe('https://itg.example/api/v1/campaigns/c%2F1/names?why=wrong+topic');
  expect(request?.headers.get('x-case')).toBe('17');
  expect(request?.headers.get('idempotency-key')).toMatch(/^[0-9a-f-]{36}$/);
  expect(await request?.json()).toEqual({ name: 'SSA-Suspended-P2' });
});

test('every route of the contract can be called so, but for the stream, the token and the records', async () => {
  const values = { tracebackId: 't-1', 'Last-Event-ID': 'e-1' };
  for (const route of PLATFORM_ROUTES) {
    const { calling, asked } = answeringAll(() =>
      route.response.kind === 'nothing' ? new Response(null, { status: 204 }) : Response.json({}),
    );
    const names = route.parameters.map(({ name }) => [name, 'x-1'] as const);
    const params = { parameters: { ...Object.fromEntries(names), ...values }, body: {}, document: Buffer.from('%PDF') };
    const called = calling.call(route, params);
    if (['streamEvents', 'issueToken', 'sendRecordBatch'].includes(route.operationId)) {
      await expect(called).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(asked).toEqual([]);
    } else {
      const { response } = route;
      expect((await called).kind).toBe(response.kind);
      expect(asked).toHaveLength(1);
    }
  }
});

test('two parts are a form, and the same ones the same octets', async () => {
  const route = operatorRoute({ request: { kind: 'json-and-pdf', jsonPart: 'about', body: 'X', pdfPart: 'paper' } });
  const params = { parameters: { campaignId: 'c-1' }, body: { of: 1 }, document: Buffer.from('%PDF-1.7') };
  const bodies: string[] = [];
  for (let time = 0; time < 2; time += 1) {
    const { calling, asked } = answeringAll(() => Response.json({}));
    await calling.call(route, params);
    const form = await asked[0]!.clone().formData();
    expect(form.get('about')).toBe('{"of":1}');
    expect(await (form.get('paper') as File).text()).toBe('%PDF-1.7');
    bodies.push(await asked[0]!.text());
  }
  expect(bodies[0]).toBe(bodies[1]);
});

test('returns a file as bytes, and rejects a call with a missing body or parameter before anything is sent', async () => {
  const { calling, asked } = answeringAll(() => new Response('a,b\n', { headers: { 'content-type': 'text/csv' } }));
  const route = operatorRoute({ method: 'GET', response: { kind: 'file', status: 200, description: '' } });
  const { request: _none, ...file } = route;
  const result = await calling.call(file, { parameters: { campaignId: 'c-1' } });
  expect(result).toMatchObject({ kind: 'file', mediaType: 'text/csv' });
  expect(result.kind === 'file' && Buffer.from(result.bytes).toString()).toBe('a,b\n');
  expect(asked[0]?.headers.get('idempotency-key')).toBeNull();
  await expect(calling.call(route, { parameters: { campaignId: 'c-1' } })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  await expect(calling.call(file)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(asked).toHaveLength(1);
});
