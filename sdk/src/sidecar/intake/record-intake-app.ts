import { Hono } from 'hono';
import { HopbackError } from '../../errors.js';
import type { Pushed, PushedReject, RecordIntake, SourceConfiguration } from '../../records/index.js';
import { formDocument } from './form-document.js';
import { mediaTypeOf } from './media-type.js';
import { problem } from './problem.js';
import { createTakeIn, DEFAULT_INTAKE_LIMITS } from './take-in.js';
import type { IntakeLimits, TakeIn } from './take-in.js';

/** The source of records in our own form that are sent to `/v1/records`; the records name the sources that they are of. */
export const HTTP_RECORDS_SOURCE: SourceConfiguration = { id: 'http', format: 'hopback', time: { zone: 'utc' } };

/** Options of {@link recordIntakeApp}. */
export interface RecordIntakeAppOptions {
  /** Takes records in; among its sources are those that are sent. Its owner closes it. */
  readonly intake: Pick<RecordIntake, 'push'>;
  /** Name of the source of `/v1/records`. Default that of {@link HTTP_RECORDS_SOURCE}. */
  readonly recordsSource?: string;
  readonly limits?: Partial<IntakeLimits>;
  /** Told what the store refused with, for logs. May not throw. */
  readonly onFailed?: (cause: unknown) => void;
}

/** What became of rows that were sent: the answer of `/v1/records`. */
export interface RecordsAnswer {
  /** Records that are new, and durable. */
  readonly accepted: number;
  /** Records that were there already. */
  readonly repeated: number;
  /** Records older than retention, which were not stored. */
  readonly expired: number;
  /** Lines that are empty, or no legs. */
  readonly skipped: number;
  /** Lines that could not be read. */
  readonly rejected: number;
  /** Those of them, {@link MAX_PUSHED_REJECTS} at most. */
  readonly rejects: readonly PushedReject[];
  /** Whether the reject file has all of them, for `hopback records rejects`. */
  readonly areRejectsKept: boolean;
}

/**
 * Makes the routes by which call records come over HTTP. Whatever is acknowledged is durable: in the store, and in the spool where it may
 * leave. What was not acknowledged may be sent again, and is not doubled.
 *
 * - `POST /v1/records`: records in our own form, one a line, `application/x-ndjson`, also in gzip. 200 with a {@link RecordsAnswer}.
 * - `POST /v1/records/SOURCE`: rows of a source that is sent, in the format that it declares, whatever the media type.
 * - `POST /v1/freeswitch/json_cdr/SOURCE`: a document of `mod_json_cdr`, bare or in the field `cdr` of a form. 200 when it is stored; 202
 *   when it cannot be read and is in the reject file: FreeSWITCH takes every 2xx for done, and sends all else again.
 *
 * Refusals are problem documents: 400, 404 where no such source is sent, 413, 415, and 503 with `Retry-After` where the disk refuses, takes
 * too long, or too much is being taken in. Who may send is for whoever serves the routes.
 * @param options - intake, limits
 * @returns the routes, to be mounted; they never throw
 * @throws {@link HopbackError} `invalid-configuration` when a limit is out of its bounds
 * @see RFC 9457; https://github.com/ndjson/ndjson-spec; {@link openRecordIntake}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const intake = await openRecordIntake({ directory, sources: [HTTP_RECORDS_SOURCE], clock: { nowMs: Date.now } });
 * const headers = { 'content-type': 'application/x-ndjson' };
 * const response = await recordIntakeApp({ intake }).request('/v1/records', { method: 'POST', headers, body: '{}\n' });
 * const { accepted, rejected } = (await response.json()) as RecordsAnswer;
 * console.log(response.status, accepted, rejected); // 200 0 1
 * await intake.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export function recordIntakeApp(options: RecordIntakeAppOptions): Hono {
  const { intake, recordsSource = HTTP_RECORDS_SOURCE.id, onFailed = () => undefined } = options;
  const takeIn = createTakeIn({ intake, limits: checkedLimits(options.limits), onFailed });
  const app = new Hono();
  app.post('/v1/records', async ({ req: { raw } }) => {
    if (!NDJSON.has(mediaTypeOf(raw.headers))) return problem('media-type-unknown', 'application/x-ndjson is taken');
    return recordsAnswer(await takeIn(raw, { sourceId: recordsSource }));
  });
  app.post('/v1/records/:source', async ({ req }) =>
    recordsAnswer(await takeIn(req.raw, { sourceId: req.param('source') })),
  );
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
  return answered(200, { accepted, repeated, expired, skipped, rejected, rejects, areRejectsKept });
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
  const taken = await takeIn(
    request,
    form === 'bare' ? { sourceId } : { sourceId, rowsIn: (octets) => formDocument(octets, form) },
  );
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

function answered(status: 200 | 202, value: RecordsAnswer | Readonly<Record<string, unknown>>): Response {
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
