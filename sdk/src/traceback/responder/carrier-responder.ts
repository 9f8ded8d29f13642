import { join } from 'node:path';
import { defined } from '../../core/text.js';
import type { ProblemCode, ProviderReference } from '../../contract/common.js';
import { isHopbackError } from '../../errors.js';
import type { HopbackError } from '../../errors.js';
import { createLogSigner } from '../../log/index.js';
import {
  PlatformClient,
  mergeTracebackRequestSources,
  pollTracebackRequests,
  privateKeyJwt,
  streamTracebackRequests,
} from '../../platform/index.js';
import type {
  PlatformFetch,
  PrivateKeyJwtOptions,
  RequestSourceState,
  TracebackRequestSource,
} from '../../platform/index.js';
import { matchesQuery } from '../../records/store/record-store.js';
import type { RecordLookup, RecordStore } from '../../records/store/record-store.js';
import { tracebackDeadline } from '../deadline/traceback-deadline.js';
import type { RespondingOffice } from '../deadline/office-clock.js';
import { readTrunkDirectory } from '../directory/read-trunk-directory.js';
import { TrunkDirectory } from '../directory/trunk-directory.js';
import { EvidenceStore } from '../evidence/evidence-store.js';
import type { EvidenceStoreOptions } from '../evidence/evidence-store.js';
import { findMatch } from '../match/match-call.js';
import type { MatchOptions } from '../match/match-options.js';
import { DEFAULT_TRACEBACK_POLICY } from '../policy/traceback-policy.js';
import { createLocalAnswerSigner, createReceiptVerifier } from './answer-signer.js';
import type { LocalAnswerSignerOptions } from './answer-signer.js';
import type { AnswerDelivery, AnswerTransport, TracebackResponderOptions } from './responder-contract.js';
import { TracebackResponder, lockResponder } from './responder.js';

/**
 * The way of answers to the platform by its client. The same answer goes out in the same bytes under the same key; where the platform says that it
 * has another under this key, or wants none any longer, the receipt of the one that it has is asked for: it tells whether it is the same after
 * all. Refused is an answer only where the platform says so by a problem of its contract; whatever else says no stands before it, or is not it.
 * @param client - of the platform; its own retries are left out, the responder has its own
 * @returns the transport; `deliver` never rejects
 * @see RFC 9457; draft-ietf-httpapi-idempotency-key-header-07 section 2
 * @example
 * ```ts
 * const client = new PlatformClient({ baseUrl: 'http://127.0.0.1:9', authorization: bearerToken('c2VjcmV0') });
 * const transport = createClientAnswerTransport(client);
 * const answer = { requestId: 'r-1', answerId: 'a-1', jws: 'e30.e30.AA', idempotencyKey: 'a-1' };
 * console.log((await transport.deliver(answer, new AbortController().signal)).status); // unavailable
 * ```
 */
export function createClientAnswerTransport(client: Pick<PlatformClient, 'tracebackRequests'>): AnswerTransport {
  const { tracebackRequests } = client;
  const asked = async (ask: () => Promise<{ readonly receipt: string }>): Promise<AnswerDelivery> => {
    try {
      return { status: 'taken', receipt: (await ask()).receipt };
    } catch (error) {
      return deliveryOf(error);
    }
  };
  return {
    deliver: async ({ requestId, answerId, jws, idempotencyKey }, signal) => {
      const how = { signal, maxRetries: 0 };
      const said = await asked(() => tracebackRequests.answer({ requestId, answer: jws }, { ...how, idempotencyKey }));
      const mayHaveIt = said.status === 'cancelled' || (said.status === 'refused' && said.reason === 'conflict');
      if (!mayHaveIt) return said;
      const known = await asked(() => tracebackRequests.receipt({ requestId, answerId }, how));
      // Known another time; that there is none, what it said before says already.
      return known.status === 'refused' || known.status === 'cancelled' ? said : known;
    },
  };
}

function deliveryOf(error: unknown): AnswerDelivery {
  if (!isHopbackError(error)) return { status: 'unavailable', detail: 'the client of the platform threw' };
  const detail = error.message;
  const { retryAfterMs } = error.details;
  if (error.code === 'unauthorized') return { status: 'barred', detail };
  if (error.code === 'request-refused' && !error.retryable) return refusalOf(error);
  return {
    status: 'unavailable',
    detail,
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

/** What the platform can have against an answer, by the word of its problem document. */
const REFUSALS: ReadonlyMap<unknown, 'conflict' | 'content'> = new Map<ProblemCode, 'conflict' | 'content'>([
  ['conflict', 'conflict'],
  ['answer-out-of-sequence', 'conflict'],
  ['idempotency-key-reused', 'conflict'],
  ['invalid-body', 'content'],
  ['invalid-parameter', 'content'],
  ['too-large', 'content'],
  ['unsupported-media-type', 'content'],
  ['answer-signature-invalid', 'content'],
  ['answer-mismatch', 'content'],
  // It does not know the request, or has forgotten it.
  ['not-found', 'content'],
  ['gone', 'content'],
]);

function refusalOf({ message, details }: HopbackError): AnswerDelivery {
  const said = details['detail'];
  const detail = typeof said === 'string' ? `${message}: ${said}` : message;
  const problem = details['problemCode'];
  if (problem === CANCELLED) return { status: 'cancelled', detail };
  const reason = REFUSALS.get(problem);
  return reason === undefined ? { status: 'barred', detail } : { status: 'refused', reason, detail };
}

const CANCELLED: ProblemCode = 'request-cancelled';

/**
 * The deadline of requests to one office, for {@link TracebackResponder}: the 24 hours of the rule as {@link tracebackDeadline} counts
 * them, or what the requester asks for where that is earlier.
 * @param office - whose local time counts, and how the rule is read
 * @returns computes deadlines; where the rule gives none, such as for an office that never opens, 24 hours from the receipt; never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const deadlineOf = officeDeadline({ zone: 'America/New_York' });
 * const request: TracebackRequest = {
 *   format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: '2026-11-20T20:00:00Z', provider: { name: 'Example LLC' },
 *   call: { called: '+12025550101', at: { asWritten: '9:41 AM', local: '2026-11-02T09:41', zone: 'UTC', precision: 'minute' } },
 * };
 * console.log(new Date(deadlineOf(request, Date.UTC(2026, 10, 20, 20)).dueAtMs).toISOString()); // 2026-11-23T20:00:00.000Z
 * ```
 */
export function officeDeadline(office: RespondingOffice): TracebackResponderOptions['deadlineOf'] {
  return (request, receivedAtMs) => {
    const computed = tracebackDeadline(Math.round(receivedAtMs), office);
    const [deemedReceivedAtMs, ruleMs] =
      computed.status === 'deadline'
        ? [computed.deemedReceivedAt.atMs, computed.dueAt.atMs]
        : [receivedAtMs, receivedAtMs + DAY_MS];
    const askedMs = request.dueAt === undefined ? Number.NaN : Date.parse(request.dueAt);
    // A time before the receipt is a mistake, not a deadline.
    const isAsked = askedMs > receivedAtMs;
    return { deemedReceivedAtMs, dueAtMs: isAsked ? Math.min(ruleMs, askedMs) : ruleMs };
  };
}

const DAY_MS = 86_400_000;

/**
 * What a responder has to know, out of a store of call records: the call that is meant, the sources that have to be complete, and what is under
 * a legal hold. A store that is only looked up, such as a PostgreSQL table, knows no holds: whoever answers from one says with `isHeld` that
 * there are none.
 * @param store - of the provider's own records
 * @param options - the trunk directory, how requests are read, and `isHeld` for a store without holds
 * @returns for {@link TracebackResponder}; making it never throws, what it asks rejects as the store does
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * await using store = createMemoryRecordStore({ clock: { nowMs: () => 1_793_000_000_000 } });
 * const trunks = new TrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] });
 * const knowledge = storeKnowledge(store, { trunks });
 * console.log(await knowledge.sources()); // []
 * ```
 */
export function storeKnowledge(
  store: RecordStore | RecordLookup,
  options: {
    readonly trunks: TracebackResponderOptions['trunks'];
    readonly match?: MatchOptions;
    readonly isHeld?: NonNullable<TracebackResponderOptions['isHeld']>;
  },
): Required<Pick<TracebackResponderOptions, 'findMatch' | 'sources' | 'isHeld'>> {
  const { trunks, match, isHeld } = options;
  return {
    findMatch: (request) => findMatch(request, { store, directory: trunks, ...defined({ options: match }) }),
    sources: async () => (await store.scope()).sources,
    isHeld:
      isHeld ??
      (async ({ legs, ingressLeg }) => {
        // Not known is treated as held: a person looks.
        if (!('holds' in store)) return true;
        const holds = await store.holds();
        // Records that came after the hold are meant as well.
        return [ingressLeg, ...legs].some((leg) => holds.some(({ query }) => matchesQuery(leg, query)));
      }),
  };
}

/** What a carrier has: its records, its trunks, its keys. */
export interface CarrierResponderOptions extends Pick<
  TracebackResponderOptions,
  'isHeld' | 'escalations' | 'notify' | 'limits' | 'onProblem' | 'clocks' | 'clock'
> {
  /** For journal, inbox and evidence; made when it is not there. One process a directory. */
  readonly directory: string;
  /** Who answers, as the platform's registry has it. */
  readonly provider: ProviderReference;
  /** IANA name of the zone of the responding office: deadlines run by its local time. */
  readonly zone: string;
  /** The carrier's own call records. It stays open when the responder is closed. */
  readonly store: RecordStore;
  /** Who is at the other end of which trunk, as {@link readTrunkDirectory} reads it. */
  readonly trunks: unknown;
  /** Default {@link DEFAULT_TRACEBACK_POLICY}. */
  readonly policy?: TracebackResponderOptions['policy'];
  /** Where the platform is, and how the carrier says to it who it is. */
  readonly platform: Pick<PrivateKeyJwtOptions, 'clientId' | 'key' | 'keyId' | 'algorithm'> & {
    /** Address in front of `/v1`: `https:`, or `http:` on this very machine. */
    readonly baseUrl: string;
    /** Default `/oauth/token` below `baseUrl`. */
    readonly tokenUrl?: string;
    /** Public keys that the platform signs receipts with, as a JWK set (RFC 7517). */
    readonly receiptKeys: Parameters<typeof createReceiptVerifier>[0];
    /** Default `globalThis.fetch`; that of `createTlsFetch` for mutual TLS. */
    readonly fetch?: PlatformFetch;
  };
  /** The key that answers are signed with: never one that signs calls. */
  readonly answerKey: LocalAnswerSignerOptions;
  /**
   * Where answers leave their evidence, what the custodian certifies about the systems that write the records, and who else is to know what the log
   * was. Without it answers stand without evidence.
   */
  readonly evidence?: Pick<
    EvidenceStoreOptions,
    'practices' | 'certificatePem' | 'heldCheckpoints' | 'onCheckpoint' | 'formerPublicKeys'
  > & {
    /** Name of the log, `example.com/evidence`: 1 to 128 characters. */
    readonly logId: string;
    /** PEM of the key that signs the log and the packs, Ed25519 or P-256. */
    readonly privateKeyPem: string;
  };
  /** Makes a way of requests beside stream and polling, such as webhooks; it is closed with the responder. */
  readonly moreRequests?: (parts: {
    readonly client: PlatformClient;
    /** As of `requests` of {@link TracebackResponderOptions}. */
    readonly open: () => readonly string[];
  }) => TracebackRequestSource;
}

/**
 * Opens all that a carrier answers tracebacks with, put together as most carriers have it: requests come by the event stream, and by polling
 * what the stream missed; tokens for the carrier's key; the store, the trunk directory and the policy; answers signed, delivered and kept
 * with their receipts, their evidence beside them. Whoever wants another way of requests or another signer puts it together with
 * {@link TracebackResponder}.
 * @param options - records, trunks, keys, and where the platform is
 * @returns the responder, at work, and the client that it speaks to the platform with; to be closed, the store after it
 * @throws {@link HopbackError} `invalid-configuration` for an address or a trunk directory that is none; `key-unusable` for a key that cannot
 * sign; `storage-failed` when the directory cannot be used, or another process has it
 * @see 47 CFR 64.1200(n)(1); docs/guides/answer-tracebacks.md
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await using platform = await TestPlatform.start();
 * const { client, answerKey } = platform.credentials('prv-birch');
 * await using store = createMemoryRecordStore();
 * await store.insert([sampleCallRecord()]);
 * await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
 * const responder = await createCarrierResponder({
 *   directory,
 *   provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
 *   zone: 'America/New_York',
 *   store,
 *   trunks: TEST_TRUNKS,
 *   platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
 *   answerKey,
 * });
 * const { outcome } = await platform.closed(platform.openTraceback());
 * console.log(outcome); // point-of-entry
 * await responder.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function createCarrierResponder(
  options: CarrierResponderOptions,
): Promise<TracebackResponder & { readonly client: PlatformClient }> {
  const { directory, zone, store, provider, policy = DEFAULT_TRACEBACK_POLICY, platform, clock } = options;
  const trunks = new TrunkDirectory(readTrunkDirectory(options.trunks));
  const verifyReceipt = createReceiptVerifier(platform.receiptKeys);
  const client = await clientOf(platform, clock);
  const signer = await createLocalAnswerSigner(options.answerKey);
  // The evidence lies in the same directory: nobody touches it before it is ours, or after it is another's.
  const lock = await lockResponder(directory);
  let evidence: EvidenceStore | undefined;
  const close = async (): Promise<void> => {
    // What could not be written was not said to be durable.
    await evidence?.close().catch(() => undefined);
    await lock.close();
  };
  try {
    evidence = await evidenceOf(options);
    const { isHeld, escalations, notify, limits, onProblem, clocks } = options;
    const parts: TracebackResponderOptions = {
      ...defined({
        escalations,
        notify,
        limits,
        onProblem,
        clocks,
        clock,
        evidence,
      }),
      directory,
      provider,
      policy,
      trunks,
      signer,
      ...storeKnowledge(store, { trunks, ...defined({ isHeld }) }),
      deadlineOf: officeDeadline({ zone }),
      platform: { transport: createClientAnswerTransport(client), verifyReceipt },
      requests: ({ open }) => requestsOf(client, { ...options, open }),
    };
    return Object.assign(await TracebackResponder.open(parts, { close }), { client });
  } catch (error) {
    await close();
    throw error;
  }
}

/** The client goes by the clock of the responder: a platform believes no assertion of another time. */
async function clientOf(
  { baseUrl, receiptKeys: _keys, tokenUrl, ...rest }: CarrierResponderOptions['platform'],
  clock: CarrierResponderOptions['clock'],
): Promise<PlatformClient> {
  const base = baseUrl.replace(/\/$/, '');
  const timed = defined({ clock });
  const authorization = await privateKeyJwt({ ...rest, ...timed, tokenUrl: tokenUrl ?? `${base}/oauth/token` });
  return new PlatformClient({ baseUrl: base, authorization, ...timed, ...defined({ fetch: rest.fetch }) });
}

/** What the stream missed, while there was none, polling finds: requests, and that one which stands open here is open no longer there. */
function requestsOf(
  client: PlatformClient,
  { open, clock, onProblem, moreRequests }: CarrierResponderOptions & { readonly open: () => readonly string[] },
): TracebackRequestSource {
  const onState = ({ via, status, code = 'internal', httpStatus }: RequestSourceState): void => {
    if (status === 'hearing') return;
    const answer = httpStatus === undefined ? '' : ` (HTTP status ${String(httpStatus)})`;
    onProblem?.({ kind: 'source', detail: `${via} is ${status}: ${code}${answer}` });
  };
  const parts = { client, onState, open, ...defined({ clock }) };
  const more = moreRequests?.({ client, open });
  const sources = [streamTracebackRequests(parts), pollTracebackRequests(parts), ...(more === undefined ? [] : [more])];
  return mergeTracebackRequestSources(sources);
}

async function evidenceOf({ evidence, directory }: CarrierResponderOptions): Promise<EvidenceStore | undefined> {
  if (evidence === undefined) return undefined;
  const { privateKeyPem, ...settings } = evidence;
  const signer = createLogSigner(privateKeyPem);
  return EvidenceStore.open({ ...settings, directory: join(directory, 'evidence'), signer });
}
