import { cloudEventFields } from '../../core/cloud-event.js';
import { HopbackError } from '../../errors.js';
import type { BatchEncoding, DeliveryResult, RecordBatch, RecordTransport } from '../../contract/record-batch.js';

/** Loads the optional packages, when they are needed. @throws Error with the code `ERR_MODULE_NOT_FOUND` where one is not installed */
async function loadNatsModules() {
  const [{ connect, headers }, { jetstream }] = await Promise.all([
    import('@nats-io/transport-node'),
    import('@nats-io/jetstream'),
  ]);
  return { connect, headers, jetstream };
}

/** How long the server may take to acknowledge: it syncs its disk, and a message that was lost with it is never answered. */
const DEFAULT_PUBLISH_TIMEOUT_MS = 5_000;

/** Octets of header fields of a message, which count towards the server's limit on messages: our own are some 400. */
const FIELDS_BYTES = 1_024;

/** Where batches are published. */
export interface JetStreamRecordTransportOptions {
  /** `host:port` or `nats://host:port`, `tls://host:port`, one or more of a cluster. */
  readonly servers: string | readonly string[];
  /** Subject that a stream with file storage listens to; its server runs with `sync_interval: always`. */
  readonly subject: string;
  /** How bodies are compressed; consumers read it in the field `content-encoding`. Default `br`, which costs the sender least. */
  readonly encoding?: BatchEncoding;
  /** Milliseconds until the acknowledgement. Default 5,000. */
  readonly timeoutMs?: number;
  /** More for `connect` of `@nats-io/transport-node`: credentials, TLS. */
  readonly connection?: Readonly<Record<string, unknown>>;
}

type Connected = Awaited<ReturnType<typeof connectTo>>;

/**
 * Makes the way to the platform over NATS JetStream: one message a batch, its attributes in `ce-` fields, its id the `Nats-Msg-Id`. A
 * batch is acknowledged when the server has stored it; which records the platform then rejects it says elsewhere.
 * Needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`, which are loaded with the first batch.
 * @param options - servers, subject, credentials
 * @returns the transport; `deliver` never rejects
 * @throws {@link HopbackError} `invalid-configuration` when the subject is none to publish to
 * @see CloudEvents NATS Protocol Binding 1.0.2 section 3.1, https://docs.nats.io/using-nats/developer/develop_jetstream/model_deep_dive
 * @example
 * ```ts
 * const transport = createJetStreamRecordTransport({ servers: 'nats.example:4222', subject: 'records.example' });
 * await transport.close();
 * ```
 */
export function createJetStreamRecordTransport(options: JetStreamRecordTransportOptions): RecordTransport {
  const { subject } = options;
  if (!/^[^\s.*>]+(?:\.[^\s.*>]+)*$/.test(subject))
    throw new HopbackError('invalid-configuration', 'a subject to publish to has names between dots and no * or >');
  const timeoutMs = options.timeoutMs ?? DEFAULT_PUBLISH_TIMEOUT_MS;
  let connecting: Promise<Connected> | undefined;
  let isClosed = false;

  /** The library connects again by itself once it was connected; until then every batch tries. */
  const connected = (): Promise<Connected> => {
    if (connecting !== undefined) return connecting;
    const attempt = connectTo(options, timeoutMs);
    connecting = attempt;
    const forget = (): void => {
      if (connecting === attempt) connecting = undefined;
    };
    attempt.then(({ connection }) => connection.closed().then(forget, forget), forget);
    return attempt;
  };

  return {
    encoding: options.encoding ?? 'br',
    deliver: async (batch, signal) => {
      if (isClosed || signal.aborted) return { status: 'unavailable', reason: 'connection-failed', detail: 'closed' };
      try {
        const { connection, client, headers } = await connected();
        const most = connection.info?.max_payload;
        if (most !== undefined && batch.body.length + FIELDS_BYTES > most)
          return { status: 'refused', reason: 'too-large', detail: `the server takes messages of ${most} octets` };
        const fields = headers();
        for (const [name, value] of Object.entries(fieldsOf(batch))) fields.set(name, value);
        const published = client.publish(subject, batch.body, { msgID: batch.id, headers: fields, timeout: timeoutMs });
        return await acknowledgedUnless(published, signal);
      } catch (error) {
        return resultOf(error);
      }
    },
    close: async () => {
      isClosed = true;
      const established = await connecting?.catch(() => undefined);
      await established?.connection.close();
    },
  };
}

async function connectTo(options: JetStreamRecordTransportOptions, timeoutMs: number) {
  const { connect, headers, jetstream } = await loadNatsModules();
  const servers = typeof options.servers === 'string' ? options.servers : [...options.servers];
  // Forever: the stream holds the records meanwhile, and its breaker says so.
  const lasting = { maxReconnectAttempts: -1, reconnectTimeWait: 500, timeout: timeoutMs };
  const connection = await connect({ ...lasting, ...options.connection, servers });
  return { connection, client: jetstream(connection), headers };
}

function fieldsOf(batch: RecordBatch): Readonly<Record<string, string>> {
  return {
    ...cloudEventFields(batch),
    'content-type': 'application/x-ndjson',
    'content-encoding': batch.encoding,
    'hopback-record-count': String(batch.count),
  };
}

/** The library has no signal: what is given up runs into its own timeout, unheard. */
function acknowledgedUnless(published: Promise<unknown>, signal: AbortSignal): Promise<DeliveryResult> {
  return new Promise((resolve) => {
    const settle = (result: DeliveryResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const onAbort = (): void => settle({ status: 'unavailable', reason: 'connection-failed', detail: 'given up' });
    signal.addEventListener('abort', onAbort, { once: true });
    published.then(
      () => settle({ status: 'acknowledged', rejected: [] }),
      (error: unknown) => settle(resultOf(error)),
    );
  });
}

/** Error code of a server whose stream takes no message of that size. @see nats-server errors.json, JSStreamMessageExceedsMaximumErr */
const MESSAGE_EXCEEDS_MAXIMUM = 10_054;

/** By the names of the library's errors, since its classes are not there before it is loaded. */
function resultOf(error: unknown): DeliveryResult {
  const { name, code } = named(error);
  if (code === MESSAGE_EXCEEDS_MAXIMUM) return { status: 'refused', reason: 'too-large', detail: name };
  if (name === 'AuthorizationError' || name === 'UserAuthenticationExpiredError' || name === 'PermissionViolationError')
    return { status: 'barred', reason: 'unauthorized', detail: name };
  if (name === 'ERR_MODULE_NOT_FOUND')
    return { status: 'barred', reason: 'no-such-receiver', detail: '@nats-io/transport-node is not installed' };
  if (name === 'StreamNotFoundError' || name === 'JetStreamNotEnabled')
    return { status: 'barred', reason: 'no-such-receiver', detail: name };
  if (name === 'TimeoutError') return { status: 'unavailable', reason: 'timeout', detail: name };
  const reason = name.startsWith('JetStream') ? 'receiver-failed' : 'connection-failed';
  return { status: 'unavailable', reason, detail: name };
}

function named(error: unknown): { readonly name: string; readonly code?: number } {
  if (!(error instanceof Error)) return { name: 'unknown' };
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND') return { name: code };
  return typeof code === 'number' ? { name: error.name, code } : { name: error.name };
}
