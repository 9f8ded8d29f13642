import { WIRE_SCHEMAS, type WireBodyName } from '../../sdk/src/contract/bodies.js';
import { WIRE_EXAMPLES } from '../../sdk/src/contract/examples/wire-examples.js';
import type { PlatformRoute, RouteParameter } from '../../sdk/src/contract/route.js';
import { PLATFORM_ROUTES } from '../../sdk/src/contract/routes.js';
import type { PlatformFetch } from '../../sdk/src/platform/http/platform-fetch.js';

/** A platform that answers each route of the contract with the first example of it, and complains of requests that are not in its form. */
export function contractFetch() {
  const operations: string[] = [];
  const complaints: string[] = [];
  return {
    /** Operations that were called, in their order. */
    operations: operations as readonly string[],
    complaints: complaints as readonly string[],
    fetch: async (...[address, request]: Parameters<PlatformFetch>): Promise<Response> => {
      const url = new URL(address);
      const route = PLATFORM_ROUTES.find(
        ({ method, path }) => method === request.method && pathForm(path).test(url.pathname),
      );
      if (route === undefined) {
        complaints.push(`no route ${request.method} ${url.pathname}`);
        return new Response(null, { status: 404 });
      }
      operations.push(route.operationId);
      const body = await readBody(route, request.headers, request.body);
      complaints.push(
        ...complaintsOf(route, url, { headers: request.headers, body }).map((text) => `${route.operationId}: ${text}`),
      );
      return answerOf(route);
    },
  };
}

const pathForm = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);

function complaintsOf(
  route: PlatformRoute,
  url: URL,
  { headers, body }: { readonly headers: Record<string, string>; readonly body: unknown },
): readonly string[] {
  const query = new Map(route.parameters.filter((one) => one.in === 'query').map((one) => [one.name, one]));
  const unknown = [...url.searchParams.keys()].filter((name) => !query.has(name)).map((name) => `no parameter ${name}`);
  const outside = [...query.values()]
    .filter((one) => !isInForm(one, url.searchParams.get(one.name)))
    .map(({ name }) => `${name} in no form`);
  const missing = route.parameters
    .filter((one) => one.in === 'header' && one.isRequired && headers[one.name.toLowerCase()] === undefined)
    .map(({ name }) => `no field ${name}`);
  const unsafe = request(route) !== undefined && headers['idempotency-key'] === undefined ? ['no idempotency key'] : [];
  return [...unknown, ...outside, ...missing, ...unsafe, ...bodyComplaints(route, body)];
}

const request = (route: PlatformRoute): WireBodyName | undefined =>
  route.request === undefined || route.request.kind === 'lines' ? undefined : route.request.body;

function bodyComplaints(route: PlatformRoute, body: unknown): readonly string[] {
  const name = request(route);
  if (name === undefined) return body === undefined ? [] : ['a body where there is none'];
  const reading = WIRE_SCHEMAS[name].safeParse(body);
  return reading.success
    ? []
    : reading.error.issues.map((issue) => `${name}: ${issue.path.join('.')} ${issue.message}`);
}

function isInForm({ form }: RouteParameter, value: string | null): boolean {
  return value === null || !Array.isArray(form) || form.includes(value);
}

async function readBody(route: PlatformRoute, headers: Record<string, string>, bytes: Uint8Array | undefined) {
  if (bytes === undefined) return undefined;
  const received = new Request('https://itg.example', {
    method: 'POST',
    headers,
    body: bytes as Uint8Array<ArrayBuffer>,
  });
  const kind = route.request?.kind;
  if (kind === 'form') return Object.fromEntries(new URLSearchParams(await received.text()));
  if (kind !== 'json-and-pdf') return received.json();
  const form = await received.formData();
  const [json, pdf] = [form.get('demand'), form.get('document')];
  if (json === null || !(pdf instanceof Blob) || pdf.type !== 'application/pdf') return undefined;
  return JSON.parse(typeof json === 'string' ? json : await json.text()) as unknown;
}

function answerOf({ response }: PlatformRoute): Response {
  if (response.kind === 'json')
    return Response.json(WIRE_EXAMPLES[response.body][0].value, { status: response.status });
  if (response.kind === 'file') return new Response('a file');
  if (response.kind === 'nothing') return new Response(null, { status: 204 });
  return new Response(': hello\n\n', { headers: { 'content-type': 'text/event-stream' } });
}
