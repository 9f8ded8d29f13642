import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Hono } from 'hono';
import { valueWithin } from '../../core/runtime/deadline.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import type { Pushed, RecordIntake, SourceConfiguration } from '../../records/index.js';

/** The media type of a field `Content-Type`, lower-case, without parameters; empty where there is none. RFC 9110 section 8.3 */
export function mediaTypeOf(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** What can be wrong with what is sent, as a word that does not change between releases: its status and title. */
const KINDS = {
  'body-malformed': [400, 'The body cannot be read'],
  'body-too-large': [413, 'The body is too large'],
  busy: [503, 'Too much is being taken in'],
  internal: [500, 'Something broke'],
  'media-type-unknown': [415, 'The body is of another media type'],
  'not-found': [404, 'There is no such thing here'],
  'not-stored': [503, 'It could not be stored now'],
  'source-unknown': [404, 'No such source is sent here'],
} as const;

/** Seconds after which what was refused for want of room or of a disk may come again. */
const RETRY_AFTER_SECONDS = 5;

/**
 * A refusal as a response, `application/problem+json`.
 * @param code - what is wrong
 * @param detail - what was wrong this time, for people; without numbers of people
 * @see RFC 9457 section 3; RFC 9110 section 10.2.3 for `Retry-After`, which every 503 has
 */
function problem(code: keyof typeof KINDS, detail?: string): Response {
  const [status, title] = KINDS[code];
  return new Response(
    JSON.stringify({
      type: 'about:blank',
      title,
      status,
      code,
      detail,
    }),
    {
      status,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        ...(status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}),
      },
    },
  );
}

/** A document in a form, or why there is none. */
type FormReading =
  { readonly status: 'read'; readonly octets: Uint8Array } | { readonly status: 'refused'; readonly detail: string };

const FIELD = 'cdr=';
const OPENING_BRACE = 0x7b;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/**
 * The document that `mod_json_cdr` puts into the field `cdr` of a form, octet by octet as it was: `encode` true makes percent-encoding,
 * `base64` base64 under a media type of its own. With `disable-100-continue` the module sends the bare document under the media type
 * of a form; that is taken, too. Never throws for peer input.
 * @param octets - of the body
 * @param encoding - which the media type says
 * @see https://url.spec.whatwg.org/#urlencoded-parsing; RFC 4648 section 4
 */
export function formDocument(octets: Uint8Array, encoding: 'percent' | 'base64'): FormReading {
  if (octets[0] === OPENING_BRACE) return { status: 'read', octets };
  const body = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  const at = fieldAt(body);
  if (at === undefined) return { status: 'refused', detail: 'a form without the field cdr' };
  const end = body.indexOf('&', at);
  const value = body.subarray(at, end < 0 ? undefined : end);
  if (encoding === 'percent') return { status: 'read', octets: percentDecoded(value, SPACE) };
  // FreeSWITCH writes base64 as it is, with its plus signs; others put it into a form as forms have it.
  const base64 = Buffer.from(percentDecoded(value, PLUS)).toString('latin1');
  return { status: 'read', octets: Buffer.from(base64, 'base64') };
}

function fieldAt(body: Buffer): number | undefined {
  if (body.subarray(0, FIELD.length).toString('latin1') === FIELD) return FIELD.length;
  const at = body.indexOf(`&${FIELD}`);
  return at < 0 ? undefined : at + 1 + FIELD.length;
}

/** A percent sign without two hexadecimal digits behind it stands for itself, as the URL standard has it. */
function percentDecoded(value: Uint8Array, plus: number): Uint8Array {
  const decoded = new Uint8Array(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    const octet = value[at] ?? 0;
    const high = octet === PERCENT ? digitOf(value[at + 1]) : -1;
    const low = high < 0 ? -1 : digitOf(value[at + 2]);
    if (low >= 0) at += 2;
    decoded[length] = low >= 0 ? high * 16 + low : octet === PLUS ? plus : octet;
    length += 1;
  }
  return decoded.subarray(0, length);
}

function digitOf(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** A body that was read, or why it was not. */
type OctetsReading =
  | { readonly status: 'read'; readonly octets: Uint8Array }
  | {
      readonly status: 'refused';
      readonly code: 'body-malformed' | 'body-too-large' | 'media-type-unknown';
      readonly detail: string;
    };

/** Runs on the threads of libuv: everything else goes on. */
const unpack = promisify(gunzip);

/**
 * The octets that a body holds, unpacked where it is packed, as many as may be, sent and unpacked. Never rejects for what a peer sends.
 * @see RFC 9110 section 8.4 for `Content-Encoding`: `gzip`, or none
 */
export async function boundedOctets(request: Request, maxBytes: number): Promise<OctetsReading> {
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  const isPacked = encoding === 'gzip' || encoding === 'x-gzip';
  if (!isPacked && encoding !== 'identity')
    return { status: 'refused', code: 'media-type-unknown', detail: 'Content-Encoding is gzip, or none' };
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return tooLarge(maxBytes);
  const sent = await sentOctets(request, maxBytes);
  if (sent === 'too-large') return tooLarge(maxBytes);
  if (sent === 'broken') return malformed('the connection broke');
  if (!isPacked) return { status: 'read', octets: sent };
  try {
    return { status: 'read', octets: await unpack(sent, { maxOutputLength: maxBytes }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : malformed('it is not in gzip, or cut off');
  }
}

async function sentOctets(request: Request, maxBytes: number): Promise<Uint8Array | 'too-large' | 'broken'> {
  const reader = (request.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      size += value.length;
      if (size > maxBytes) {
        // Nobody waits for the rest, which may never end.
        reader.cancel().catch(() => undefined);
        return 'too-large';
      }
      chunks.push(value);
    }
  } catch {
    return 'broken';
  }
}

function tooLarge(maxBytes: number): OctetsReading {
  return {
    status: 'refused',
    code: 'body-too-large',
    detail: `more than ${String(maxBytes)} octets, sent or unpacked`,
  };
}

function malformed(detail: string): OctetsReading {
  return { status: 'refused', code: 'body-malformed', detail };
}

/** How much is taken in at a time. */
type IntakeLimits = Required<NonNullable<Parameters<typeof recordIntakeApp>[0]['limits']>>;

/** The limits where nothing else is said. */
export const DEFAULT_INTAKE_LIMITS: IntakeLimits = {
  maxBodyBytes: 8_388_608,
  maxInFlightBytes: 67_108_864,
  storeTimeoutMs: 10_000,
};

/** Takes the body of a request in as rows of a source. */
type TakeIn = (
  request: Request,
  sourceId: string,
  /** The rows in a body. Default they are the body. */
  rowsIn?: (octets: Uint8Array) => FormReading,
) => Promise<Pushed | Response>;

/** Makes it: what comes back is what was pushed and is durable, or the problem to answer with. Never rejects. */
function createTakeIn(
  intake: Pick<RecordIntake, 'push'>,
  { maxBodyBytes, maxInFlightBytes, storeTimeoutMs }: IntakeLimits,
  onFailed: (cause: unknown) => void,
): TakeIn {
  let inFlightBytes = 0;
  const pushed = async (sourceId: string, octets: Uint8Array): Promise<Pushed | Response> => {
    try {
      const outcome = await intake.push(sourceId, octets);
      return outcome.status === 'taken' ? outcome : problem('source-unknown');
    } catch (error) {
      onFailed(error);
      const isLater =
        isHopbackError(error) && (error.retryable || error.code === 'closed' || error.code === 'storage-failed');
      return isLater ? problem('not-stored') : problem('internal');
    }
  };
  return async (request, sourceId, rowsIn) => {
    // What a body may become is taken for what it is: one that is packed, or of no known length, may be as large as allowed.
    const room = Math.min(maxBodyBytes, declaredBytes(request) ?? maxBodyBytes);
    if (inFlightBytes + room > maxInFlightBytes) return problem('busy');
    inFlightBytes += room;
    const free = (): void => void (inFlightBytes -= room);
    const body = await boundedOctets(request, maxBodyBytes);
    const rows = body.status === 'read' && rowsIn !== undefined ? rowsIn(body.octets) : body;
    if (rows.status === 'refused') {
      free();
      return problem(body.status === 'refused' ? body.code : 'body-malformed', rows.detail);
    }
    // A store that takes its time keeps the octets, whoever has gone meanwhile.
    const outcome = pushed(sourceId, rows.octets).finally(free);
    const late = problem('not-stored', 'not durable in time; it may be stored yet');
    return valueWithin(outcome, { timeoutMs: storeTimeoutMs, late });
  };
}

function declaredBytes({ headers }: Request): number | undefined {
  const length = headers.get('content-length');
  if (length === null || headers.has('content-encoding') || !/^\d{1,15}$/.test(length)) return undefined;
  return Number(length);
}

/** The source of records in our own form that are sent to `/v1/records`; the records name the sources that they are of. */
export const HTTP_RECORDS_SOURCE: SourceConfiguration = { id: 'http', format: 'hopback', time: { zone: 'utc' } };

/**
 * Makes the routes by which call records come over HTTP. Whatever is acknowledged is durable: in the store, and in the spool where it may
 * leave. What was not acknowledged may be sent again, and is not doubled.
 *
 * - `POST /v1/records`: records in our own form, one a line, `application/x-ndjson`, also in gzip. 200 with the counts of its lines.
 * - `POST /v1/records/SOURCE`: rows of a source that is sent, in the format that it declares, whatever the media type.
 * - `POST /v1/freeswitch/json_cdr/SOURCE`: a document of `mod_json_cdr`, bare or in the field `cdr` of a form. 200 when it is stored; 202
 *   when it cannot be read and is in the reject file: FreeSWITCH takes every 2xx for done, and sends all else again.
 *
 * Refusals are problem documents: 400, 404 where no such source is sent, 413, 415, and 503 with `Retry-After` where the disk refuses, takes
 * too long, or too much is being taken in. Who may send is for whoever serves the routes.
 * @param options - intake, limits
 * @returns the routes, to be mounted; they never throw
 * @throws {@link HopbackError} `invalid-configuration` when a limit is out of its bounds
 * @see RFC 9457; https://github.com/ndjson/ndjson-spec; {@link RecordIntake}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const intake = await RecordIntake.open({ directory, sources: [HTTP_RECORDS_SOURCE] });
 * const headers = { 'content-type': 'application/x-ndjson' };
 * const response = await recordIntakeApp({ intake }).request('/v1/records', { method: 'POST', headers, body: '{}\n' });
 * const { accepted, rejected } = (await response.json()) as Readonly<Record<string, number>>;
 * console.log(response.status, accepted, rejected); // 200 0 1
 * await intake.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export function recordIntakeApp(options: {
  /** Takes records in; among its sources are those that are sent. Its owner closes it. */
  readonly intake: Pick<RecordIntake, 'push'>;
  /** Name of the source of `/v1/records`. Default that of {@link HTTP_RECORDS_SOURCE}. */
  readonly recordsSource?: string;
  readonly limits?: {
    /** Octets of a body, sent and unpacked, 1,024 to 268,435,456. Default 8 MiB: 4,096 records of 2 KiB, as many as the store takes at once. */
    readonly maxBodyBytes?: number;
    /** Octets of the bodies that are being taken in, `maxBodyBytes` or more; others are to come again. Default 64 MiB. */
    readonly maxInFlightBytes?: number;
    /** Milliseconds that the store may take until the caller is told to come again, 1 or more. Default 10,000. */
    readonly storeTimeoutMs?: number;
  };
  /** Told what the store refused with, for logs. May not throw. */
  readonly onFailed?: (cause: unknown) => void;
}): Hono {
  const { intake, recordsSource = HTTP_RECORDS_SOURCE.id, onFailed = () => undefined } = options;
  const takeIn = createTakeIn(intake, checkedLimits(options.limits), onFailed);
  const app = new Hono();
  app.post('/v1/records', async ({ req: { raw } }) => {
    if (!NDJSON.has(mediaTypeOf(raw.headers))) return problem('media-type-unknown', 'application/x-ndjson is taken');
    return recordsAnswer(await takeIn(raw, recordsSource));
  });
  app.post('/v1/records/:source', async ({ req }) => recordsAnswer(await takeIn(req.raw, req.param('source'))));
  app.post('/v1/freeswitch/json_cdr/:source', ({ req }) => takeInDocument(req.raw, req.param('source'), takeIn));
  app.notFound(() => problem('not-found'));
  app.onError((error) => {
    onFailed(error);
    return problem('internal');
  });
  return app;
}

const NDJSON: ReadonlySet<string> = new Set(['application/x-ndjson', 'application/ndjson']);

function recordsAnswer(taken: Pushed | Response): Response {
  if (taken instanceof Response) return taken;
  const { inserted: accepted, repeated, expired, skipped, rejected, rejects, areRejectsKept } = taken;
  return answered(200, {
    accepted,
    repeated,
    expired,
    skipped,
    rejected,
    rejects,
    areRejectsKept,
  });
}

/** By media type: how the document is in the body. */
const DOCUMENT_IN: Readonly<Record<string, 'bare' | 'percent' | 'base64'>> = {
  'application/json': 'bare',
  'application/x-www-form-urlencoded': 'percent',
  'application/x-www-form-base64-encoded': 'base64',
};

async function takeInDocument(request: Request, sourceId: string, takeIn: TakeIn): Promise<Response> {
  const form = Object.hasOwn(DOCUMENT_IN, mediaTypeOf(request.headers))
    ? DOCUMENT_IN[mediaTypeOf(request.headers)]
    : undefined;
  if (form === undefined) return problem('media-type-unknown', 'JSON, or the forms of mod_json_cdr, are taken');
  const rowsIn = form === 'bare' ? undefined : (octets: Uint8Array) => formDocument(octets, form);
  const taken = await takeIn(request, sourceId, rowsIn);
  if (taken instanceof Response) return taken;
  const [reject] = taken.rejects;
  if (reject === undefined) {
    const { inserted, repeated, expired } = taken;
    if (inserted + repeated + expired === 0) return problem('body-malformed', 'there is no document in it');
    return answered(200, { status: inserted > 0 ? 'stored' : repeated > 0 ? 'repeated' : 'expired' });
  }
  // Sent again, it would be refused again: FreeSWITCH is to forget it, once it is kept for people.
  return taken.areRejectsKept ? answered(202, { status: 'rejected', ...reject }) : problem('not-stored');
}

function answered(status: 200 | 202, value: Readonly<Record<string, unknown>>): Response {
  return Response.json(value, { status, headers: { 'cache-control': 'no-store' } });
}

const MIN_BODY_BYTES = 1_024;
/** As the bodies that are taken apart in one piece may have. */
const MAX_BODY_BYTES = 268_435_456;

function checkedLimits(given: Partial<IntakeLimits> = {}): IntakeLimits {
  const limits = { ...DEFAULT_INTAKE_LIMITS, ...given };
  const { maxBodyBytes, maxInFlightBytes, storeTimeoutMs } = limits;
  const isBody = Number.isInteger(maxBodyBytes) && maxBodyBytes >= MIN_BODY_BYTES && maxBodyBytes <= MAX_BODY_BYTES;
  if (isBody && maxInFlightBytes >= maxBodyBytes && storeTimeoutMs >= 1) return limits;
  throw new HopbackError('invalid-configuration', 'A limit of the intake over HTTP is out of its bounds.');
}
