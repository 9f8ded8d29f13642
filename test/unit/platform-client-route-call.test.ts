import { expect, test } from 'vitest';
import { bearerToken, createPlatformClient, PLATFORM_ROUTES } from '../../sdk/src/platform/index.js';
import type { PlatformRoute } from '../../sdk/src/platform/index.js';

/** A client whose platform answers everything alike, and what it was asked. */
function clientWith(answer: () => Response): {
  readonly client: ReturnType<typeof createPlatformClient>;
  readonly asked: Request[];
} {
  const asked: Request[] = [];
  const client = createPlatformClient({
    ...{ baseUrl: 'https://itg.example/api', authorization: bearerToken('c2VjcmV0'), maxRetries: 0 },
    fetch: async (url, init) => {
      asked.push(new Request(url, init));
      return answer();
    },
  });
  return { client, asked };
}

const operatorRoute = (rest: Partial<PlatformRoute<string, string>>): PlatformRoute<string, string> => ({
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

test('a route beside the contract is called by what it says of itself', async () => {
  const { client, asked } = clientWith(() => Response.json({ name: 'SSA-Suspended-P2' }));
  const parameters = { campaignId: 'c/1', why: 'wrong topic', 'X-Case': '17' };
  const result = await client.call(operatorRoute({}), { parameters, body: { name: 'SSA-Suspended-P2' } });
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
    const { client, asked } = clientWith(() =>
      route.response.kind === 'nothing' ? new Response(null, { status: 204 }) : Response.json({}),
    );
    const names = route.parameters.map(({ name }) => [name, 'x-1'] as const);
    const params = { parameters: { ...Object.fromEntries(names), ...values }, body: {}, document: Buffer.from('%PDF') };
    const calling = client.call(route, params);
    if (['streamEvents', 'issueToken', 'sendRecordBatch'].includes(route.operationId)) {
      await expect(calling).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(asked).toEqual([]);
    } else {
      const { response } = route;
      expect((await calling).kind).toBe(response.kind);
      expect(asked).toHaveLength(1);
    }
  }
});

test('two parts are a form, and the same ones the same octets', async () => {
  const route = operatorRoute({ request: { kind: 'json-and-pdf', jsonPart: 'about', body: 'X', pdfPart: 'paper' } });
  const params = { parameters: { campaignId: 'c-1' }, body: { of: 1 }, document: Buffer.from('%PDF-1.7') };
  const bodies: string[] = [];
  for (let time = 0; time < 2; time += 1) {
    const { client, asked } = clientWith(() => Response.json({}));
    await client.call(route, params);
    const form = await asked[0]!.clone().formData();
    expect(form.get('about')).toBe('{"of":1}');
    expect(await (form.get('paper') as File).text()).toBe('%PDF-1.7');
    bodies.push(await asked[0]!.text());
  }
  expect(bodies[0]).toBe(bodies[1]);
});

test('a file comes as its octets, and what is missing is refused before anything is sent', async () => {
  const { client, asked } = clientWith(() => new Response('a,b\n', { headers: { 'content-type': 'text/csv' } }));
  const route = operatorRoute({ method: 'GET', response: { kind: 'file', status: 200, description: '' } });
  const { request: _none, ...file } = route;
  const result = await client.call(file, { parameters: { campaignId: 'c-1' } });
  expect(result).toMatchObject({ kind: 'file', mediaType: 'text/csv' });
  expect(result.kind === 'file' && Buffer.from(result.bytes).toString()).toBe('a,b\n');
  expect(asked[0]?.headers.get('idempotency-key')).toBeNull();
  await expect(client.call(route, { parameters: { campaignId: 'c-1' } })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  await expect(client.call(file)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(asked).toHaveLength(1);
});

test('a refusal is what it is for every call', async () => {
  const { client } = clientWith(() =>
    Response.json(
      { type: 'about:blank', title: 'Forbidden', status: 403, code: 'forbidden' },
      { status: 403, headers: { 'content-type': 'application/problem+json' } },
    ),
  );
  const params = { parameters: { campaignId: 'c-1' }, body: {} };
  await expect(client.call(operatorRoute({}), params)).rejects.toMatchObject({
    code: 'unauthorized',
    details: { httpStatus: 403, problemCode: 'forbidden' },
  });
});
