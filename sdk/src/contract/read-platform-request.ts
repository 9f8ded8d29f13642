import { readBySchema } from '../core/schema-findings.js';
import { isRecord, parsedJson } from '../core/text.js';
import type { WireSchema } from './bodies.js';
import type { ProblemCode, ProblemLocation } from './common.js';
import { isParameterInForm } from './component-schemas.js';
import { MEDIA_TYPES } from './route.js';
import type { PlatformRoute, RouteRequest } from './route.js';

/** A route that a request is meant for, and what its path says. */
export interface MatchedRoute<Route extends PlatformRoute<string> = PlatformRoute> {
  readonly route: Route;
  /** Parameters of the path by their names, without their escapes. */
  readonly path: Readonly<Record<string, string>>;
}

/**
 * Makes a function that finds the route which a request is meant for.
 * @param routes - of the contract, or others beside them
 * @returns a function of the method and the path below the address of the platform, with its escapes; what it gives is undefined where
 * there is no such route. It never throws for peer input.
 * @see RFC 3986 section 3.3 for paths
 * @example
 * ```ts
 * const match = createRouteMatcher(PLATFORM_ROUTES);
 * console.log(match('GET', '/v1/campaigns/c-1')?.path['campaignId']); // c-1
 * ```
 */
export function createRouteMatcher<Route extends PlatformRoute<string>>(
  routes: readonly Route[],
): (method: string, pathname: string) => MatchedRoute<Route> | undefined {
  const entries = routes.map((route) => ({ route, parts: route.path.split('/') }));
  return (method, pathname) => {
    const given = pathname.split('/');
    for (const { route, parts } of entries) {
      const path = route.method === method ? pathOf(parts, given) : undefined;
      if (path !== undefined) return { route, path };
    }
    return undefined;
  };
}

function pathOf(parts: readonly string[], given: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (parts.length !== given.length) return undefined;
  const path: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith('{') && value !== '') path[part.slice(1, -1)] = unescaped(value);
    else if (part !== value) return undefined;
  }
  return path;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Members of a value that a schema left out when it read it: those that the contract does not know.
 * @returns JSON Pointers (RFC 6901), at most some dozens
 */
function unknownMembers(given: unknown, read: unknown): readonly string[] {
  // Most have none, and no place has to be named.
  return hasUnknown(given, read) ? placesOf(given, read, '') : [];
}

function hasUnknown(given: unknown, read: unknown): boolean {
  if (Array.isArray(given) && Array.isArray(read)) return given.some((item, index) => hasUnknown(item, read[index]));
  if (!isRecord(given) || !isRecord(read)) return false;
  for (const name of Object.keys(given)) {
    const member = given[name];
    if (member === undefined) continue;
    if (!Object.hasOwn(read, name)) return true;
    if (typeof member === 'object' && hasUnknown(member, read[name])) return true;
  }
  return false;
}

function placesOf(given: unknown, read: unknown, pointer: string): readonly string[] {
  if (Array.isArray(given) && Array.isArray(read))
    return given.flatMap((item, index) => placesOf(item, read[index], `${pointer}/${index}`)).slice(0, MAX_POINTERS);
  if (!isRecord(given) || !isRecord(read)) return [];
  return Object.keys(given)
    .flatMap((name) => {
      const place = `${pointer}/${escaped(name)}`;
      if (given[name] === undefined) return [];
      return Object.hasOwn(read, name) ? placesOf(given[name], read[name], place) : [place];
    })
    .slice(0, MAX_POINTERS);
}

/** More than anybody reads. */
const MAX_POINTERS = 50;

/** @see RFC 6901 section 3 */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Octets of a body that are read: the PDF of a demand, and room. */
const MAX_BODY_BYTES = 24 * 1_048_576;
/** Places that a problem names. */
const MAX_LOCATIONS = 50;

/** A request as the contract has it. */
export interface ReadPlatformRequest {
  /** Parameters of path, query and header fields by their names, where they are there. */
  readonly parameters: Readonly<Record<string, string>>;
  /** In the form of the route's body; undefined where it has none. */
  readonly body?: unknown;
  /** The PDF beside it, where the route has one. */
  readonly document?: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What was read, or what is wrong with it; beside that, what a platform lets pass and a sender should not send. */
type PlatformRequestReading =
  | {
      readonly status: 'read';
      readonly request: ReadPlatformRequest;
      readonly surplus: readonly ProblemLocation[];
    }
  | {
      readonly status: 'refused';
      readonly code: ProblemCode;
      readonly errors: readonly ProblemLocation[];
    };

/** Schemas of bodies by their names. */
type BodySchemas<Body extends string> = Readonly<Record<Body, WireSchema<unknown>>>;

/**
 * Reads a request to a platform by its route: parameters and body are held against their forms.
 * @param request - as it came, its body unread
 * @param options - the route, what its path says, and the schemas of bodies
 * @returns what was read, or why it is refused
 * @throws TypeError where the body breaks off
 * @see RFC 9110 section 8.3 for media types, RFC 7578 section 4 for the parts of a form
 * @example
 * ```ts
 * const request = new Request('https://itg.example/v1/campaigns?limit=0');
 * const url = new URL(request.url);
 * const matched = createRouteMatcher(PLATFORM_ROUTES)(request.method, url.pathname);
 * if (matched !== undefined) {
 *   const reading = await readPlatformRequest(request, { ...matched, url, schemas: WIRE_SCHEMAS });
 *   console.log(reading.status); // refused
 * }
 * ```
 */
export async function readPlatformRequest<Body extends string>(
  request: Request,
  options: MatchedRoute<PlatformRoute<Body>> & { readonly url: URL; readonly schemas: BodySchemas<Body> },
): Promise<PlatformRequestReading> {
  const { route, path, url, schemas } = options;
  const parameters: Record<string, string> = {};
  const errors: ProblemLocation[] = [];
  for (const { name, in: place, form, isRequired } of route.parameters) {
    const value = { path: path[name], query: url.searchParams.get(name), header: request.headers.get(name) }[place];
    if (value === null || value === undefined) {
      if (isRequired) errors.push({ pointer: name, code: 'missing' });
    } else if (isParameterInForm(value, form)) parameters[name] = value;
    else errors.push({ pointer: name, code: 'invalid_format' });
  }
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (errors.length > 0) return { status: 'refused', code: 'invalid-parameter', errors };
  const body = await readBody(route.request, {
    bytes,
    schemas,
    contentType: request.headers.get('content-type') ?? '',
  });
  if (body.status === 'refused') return body;
  const known = new Set(route.parameters.filter((one) => one.in === 'query').map(({ name }) => name));
  const surplus = [...url.searchParams.keys()]
    .filter((name) => !known.has(name))
    .map((name) => ({ pointer: name, code: 'unknown-parameter' }));
  return {
    status: 'read',
    request: {
      parameters,
      bytes,
      ...(body.value !== undefined && { body: body.value }),
      ...(body.document !== undefined && { document: body.document }),
    },
    surplus: [...surplus, ...body.surplus],
  };
}

type BodyReading =
  | {
      readonly status: 'read';
      readonly value?: unknown;
      readonly document?: Uint8Array;
      readonly surplus: readonly ProblemLocation[];
    }
  | (PlatformRequestReading & { readonly status: 'refused' });

interface GivenBody<Body extends string> {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly schemas: BodySchemas<Body>;
}

async function readBody<Body extends string>(
  request: RouteRequest<Body> | undefined,
  given: GivenBody<Body>,
): Promise<BodyReading> {
  const { bytes, contentType, schemas } = given;
  if (bytes.length > MAX_BODY_BYTES) return { status: 'refused', code: 'too-large', errors: [] };
  if (request === undefined) {
    const surplus = bytes.length === 0 ? [] : [{ pointer: '', code: 'unknown-body' }];
    return { status: 'read', surplus };
  }
  if (contentType.split(';')[0]?.trim().toLowerCase() !== MEDIA_TYPES[request.kind])
    return { status: 'refused', code: 'unsupported-media-type', errors: [] };
  if (request.kind === 'lines') return { status: 'read', surplus: [] };
  if (request.kind === 'json-and-pdf') return readParts(request, given);
  const text = Buffer.from(bytes).toString('utf8');
  const schema = schemas[request.body];
  if (request.kind === 'form') return readValue(schema, Object.fromEntries(new URLSearchParams(text)));
  return readText(schema, text);
}

function readText(schema: WireSchema<unknown>, text: string): BodyReading {
  const given = parsedJson(text);
  if (given === undefined)
    return { status: 'refused', code: 'invalid-body', errors: [{ pointer: '', code: 'not-json' }] };
  return readValue(schema, given);
}

/** @see RFC 7578 section 4 */
async function readParts<Body extends string>(
  { jsonPart, body, pdfPart }: Extract<RouteRequest<Body>, { readonly kind: 'json-and-pdf' }>,
  { bytes, contentType, schemas }: GivenBody<Body>,
): Promise<BodyReading> {
  const form = new Response(Buffer.from(bytes), { headers: { 'content-type': contentType } });
  const parts = await form.formData().catch(() => undefined);
  if (parts === undefined)
    return { status: 'refused', code: 'invalid-body', errors: [{ pointer: '', code: 'not-multipart' }] };
  const [stated, pdf] = [parts.get(jsonPart), parts.get(pdfPart)];
  const missing = [
    ...(stated === null ? [{ pointer: jsonPart, code: 'missing' }] : []),
    ...(pdf === null || typeof pdf === 'string' ? [{ pointer: pdfPart, code: 'missing' }] : []),
  ];
  if (stated === null || pdf === null || typeof pdf === 'string')
    return { status: 'refused', code: 'invalid-body', errors: missing };
  const reading = readText(schemas[body], typeof stated === 'string' ? stated : await stated.text());
  if (reading.status === 'refused') return reading;
  const unknown = [...parts.keys()].filter((name) => name !== jsonPart && name !== pdfPart);
  const surplus = unknown.map((name) => ({ pointer: name, code: 'unknown-part' }));
  const document = new Uint8Array(await pdf.arrayBuffer());
  return { ...reading, document, surplus: [...reading.surplus, ...surplus] };
}

function readValue(schema: WireSchema<unknown>, given: unknown): BodyReading {
  const { value, errors, surplus } = readWireBody(schema, given);
  return errors.length > 0 ? { status: 'refused', code: 'invalid-body', errors } : { status: 'read', value, surplus };
}

/**
 * Holds a value against the schema of a body: what is wrong, and which members the contract does not know.
 * @param schema - one of `WIRE_SCHEMAS`, or of a platform's own
 * @param given - what JSON was parsed to
 * @returns the value where nothing is wrong; never throws for peer input
 * @see RFC 6901 for the pointers
 * @example
 * ```ts
 * console.log(readWireBody(WIRE_SCHEMAS.RequestAcknowledgement, 17).errors[0]?.code); // invalid_type
 * ```
 */
export function readWireBody(
  schema: WireSchema<unknown>,
  given: unknown,
): {
  readonly value?: unknown;
  readonly errors: readonly ProblemLocation[];
  readonly surplus: readonly ProblemLocation[];
} {
  const reading = readBySchema(schema, given);
  if (!reading.success) {
    const errors = reading.error.issues.slice(0, MAX_LOCATIONS).map(({ path, code }) => ({
      pointer: path.map((part) => `/${String(part)}`).join(''),
      code: code ?? 'invalid',
    }));
    return { errors, surplus: [] };
  }
  const surplus = unknownMembers(given, reading.data).map((pointer) => ({ pointer, code: 'unknown-member' }));
  return { value: reading.data, errors: [], surplus };
}
