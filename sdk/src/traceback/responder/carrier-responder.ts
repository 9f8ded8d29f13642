import { join } from 'node:path';
import type { ProviderReference } from '../../core/traceback-request.js';
import { createLogSigner } from '../../log/index.js';
import {
  createPlatformClient,
  mergeTracebackRequestSources,
  pollTracebackRequests,
  privateKeyJwt,
  streamTracebackRequests,
} from '../../platform/index.js';
import type {
  PlatformClient,
  PlatformFetch,
  PrivateKeyJwtOptions,
  RequestSourceState,
  TracebackRequestSource,
} from '../../platform/index.js';
import type { RecordStore } from '../../records/store/record-store.js';
import { readTrunkDirectory } from '../directory/read-trunk-directory.js';
import { createTrunkDirectory } from '../directory/trunk-directory.js';
import { openEvidenceStore } from '../evidence/index.js';
import type { EvidenceStore, EvidenceStoreOptions } from '../evidence/index.js';
import { DEFAULT_TRACEBACK_POLICY } from '../policy/default-policy.js';
import { createClientAnswerTransport } from './client-answer-transport.js';
import { createLocalAnswerSigner } from './local-answer-signer.js';
import type { LocalAnswerSignerOptions } from './local-answer-signer.js';
import { officeDeadline } from './office-deadline.js';
import { createReceiptVerifier } from './receipt-verifier.js';
import type { StandingRequests, TracebackResponder, TracebackResponderOptions } from './responder-contract.js';
import { lockResponder, openResponder } from './responder.js';
import { storeKnowledge } from './store-knowledge.js';

/** Where the platform is, and how the carrier says to it who it is. */
export interface CarrierPlatform extends Pick<PrivateKeyJwtOptions, 'clientId' | 'key' | 'keyId' | 'algorithm'> {
  /** Address in front of `/v1`: `https:`, or `http:` on this very machine. */
  readonly baseUrl: string;
  /** Default `/oauth/token` below `baseUrl`. */
  readonly tokenUrl?: string;
  /** Public keys that the platform signs receipts with, as a JWK set (RFC 7517). */
  readonly receiptKeys: Parameters<typeof createReceiptVerifier>[0];
  /** Default `globalThis.fetch`; that of `createTlsFetch` for mutual TLS. */
  readonly fetch?: PlatformFetch;
}

/**
 * Where answers leave their evidence, what the custodian certifies about the systems that write the records, and who else is to know what the log
 * was.
 */
export interface CarrierEvidence extends Pick<
  EvidenceStoreOptions,
  'practices' | 'certificatePem' | 'heldCheckpoints' | 'onCheckpoint' | 'formerPublicKeys'
> {
  /** Name of the log, `example.com/evidence`: 1 to 128 characters. */
  readonly logId: string;
  /** PEM of the key that signs the log and the packs, Ed25519 or P-256. */
  readonly privateKeyPem: string;
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
  readonly platform: CarrierPlatform;
  /** The key that answers are signed with: never one that signs calls. */
  readonly answerKey: LocalAnswerSignerOptions;
  /** Without it answers stand without evidence. */
  readonly evidence?: CarrierEvidence;
  /** Makes a way of requests beside stream and polling, such as webhooks; it is closed with the responder. */
  readonly moreRequests?: (parts: CarrierRequestParts) => TracebackRequestSource;
}

/** What a further way of requests may go by. */
export interface CarrierRequestParts extends StandingRequests {
  readonly client: PlatformClient;
}

/** A responder at work, and the client that it speaks to the platform with. */
export interface CarrierResponder extends TracebackResponder {
  readonly client: PlatformClient;
}

/**
 * Opens all that a carrier answers tracebacks with, put together as most carriers have it: requests come by the event stream, and by polling
 * what the stream missed; tokens for the carrier's key; the store, the trunk directory and the policy; answers signed, delivered and kept
 * with their receipts, their evidence beside them. Whoever wants another way of requests or another signer puts it together with
 * `createTracebackResponder`.
 * @param options - records, trunks, keys, and where the platform is
 * @returns the responder, at work; to be closed, the store after it
 * @throws {@link HopbackError} `invalid-configuration` for an address or a trunk directory that is none; `key-unusable` for a key that cannot
 * sign; `storage-failed` when the directory cannot be used, or another process has it
 * @see 47 CFR 64.1200(n)(1); docs/guides/answer-tracebacks.md
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await using platform = await startTestPlatform();
 * const { client, answerKey } = platform.credentials('prv-birch');
 * await using store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
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
export async function createCarrierResponder(options: CarrierResponderOptions): Promise<CarrierResponder> {
  const { directory, zone, store, provider, policy = DEFAULT_TRACEBACK_POLICY, platform, clock } = options;
  const trunks = createTrunkDirectory(readTrunkDirectory(options.trunks));
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
    const parts: TracebackResponderOptions = {
      ...settingsOf(options),
      ...{ directory, provider, policy, trunks, signer },
      ...storeKnowledge(store, { trunks, ...(options.isHeld !== undefined && { isHeld: options.isHeld }) }),
      deadlineOf: officeDeadline({ zone }),
      platform: { transport: createClientAnswerTransport(client), verifyReceipt },
      requests: ({ open }) => requestsOf(client, { ...options, open }),
      ...(evidence !== undefined && { evidence: evidence.writer }),
    };
    return { ...(await openResponder(parts, { close })), client };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The client goes by the clock of the responder: a platform believes no assertion of another time. */
async function clientOf(
  { baseUrl, receiptKeys: _keys, tokenUrl, ...rest }: CarrierPlatform,
  clock: CarrierResponderOptions['clock'],
): Promise<PlatformClient> {
  const base = baseUrl.replace(/\/$/, '');
  const timed = clock === undefined ? {} : { clock };
  const authorization = await privateKeyJwt({ ...rest, ...timed, tokenUrl: tokenUrl ?? `${base}/oauth/token` });
  const { fetch } = rest;
  return createPlatformClient({ baseUrl: base, authorization, ...timed, ...(fetch !== undefined && { fetch }) });
}

/** What the stream missed, while there was none, polling finds: requests, and that one which stands open here is open no longer there. */
function requestsOf(
  client: PlatformClient,
  { open, clock, onProblem, moreRequests }: StandingRequests & CarrierResponderOptions,
): TracebackRequestSource {
  const onState = ({ via, status, code = 'internal', httpStatus }: RequestSourceState): void => {
    if (status === 'hearing') return;
    const answer = httpStatus === undefined ? '' : ` (HTTP status ${String(httpStatus)})`;
    onProblem?.({ kind: 'source', detail: `${via} is ${status}: ${code}${answer}` });
  };
  const parts = { client, onState, open, ...(clock !== undefined && { clock }) };
  const more = moreRequests?.({ client, open });
  const sources = [streamTracebackRequests(parts), pollTracebackRequests(parts), ...(more === undefined ? [] : [more])];
  return mergeTracebackRequestSources(sources);
}

async function evidenceOf({ evidence, directory }: CarrierResponderOptions): Promise<EvidenceStore | undefined> {
  if (evidence === undefined) return undefined;
  const { privateKeyPem, ...settings } = evidence;
  const signer = createLogSigner(privateKeyPem);
  return openEvidenceStore({ ...settings, directory: join(directory, 'evidence'), signer });
}

function settingsOf({
  escalations,
  notify,
  limits,
  onProblem,
  clocks,
  clock,
}: CarrierResponderOptions): Partial<TracebackResponderOptions> {
  return {
    ...(escalations !== undefined && { escalations }),
    ...(notify !== undefined && { notify }),
    ...(limits !== undefined && { limits }),
    ...(onProblem !== undefined && { onProblem }),
    ...(clocks !== undefined && { clocks }),
    ...(clock !== undefined && { clock }),
  };
}
