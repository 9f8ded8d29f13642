import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import { Server } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import { relayFailure } from '@hopback/sdk/switch';
import type { CallIdentity, TrackedCall } from '@hopback/sdk/switch';
import Srf from 'drachtio-srf';
import { abortedAfter } from '@hopback/sdk/internal/runtime';
import type { DrachtioServer } from '../../drachtio/index.js';
import type { SeenHop } from '../../oracle/index.js';
import type { CallRoute } from './call-route.js';

// drachtio-srf is used as published. Its own types leave out half of what it does; what the network uses of it is typed here, and this is the only
// file that casts.

/** A message as an application sees it. */
export interface SrfMessage {
  readonly raw: string;
  readonly body: string;
  readonly status: number;
  readonly get: (name: string) => string | undefined;
  readonly source_address: string;
  readonly source_port: number | string;
}

/** A request that came, or that the application sent. */
export interface SrfRequest extends SrfMessage, EventEmitter {
  readonly uri: string;
  readonly callingNumber: string;
  readonly calledNumber: string;
  locals?: Record<string, unknown>;
  readonly cancel: () => void;
}

/** What a request is answered by. */
export interface SrfResponse extends SrfMessage, EventEmitter {
  readonly finalResponseSent: boolean;
  send(status: number, options?: { readonly headers?: Record<string, string>; readonly body?: string }): void;
  send(
    status: number,
    reason: string,
    options?: { readonly headers?: Record<string, string>; readonly body?: string },
  ): void;
}

/** One side of a call that was answered. */
interface SrfDialog extends EventEmitter {
  readonly connected: boolean;
  readonly sip: {
    readonly callId: string;
    readonly localTag: string;
    readonly remoteTag: string;
  };
  readonly local: { readonly sdp: string };
  readonly remote: { readonly sdp: string };
  readonly res?: SrfMessage;
  readonly destroy: () => Promise<unknown>;
}

/** How a leg is told of: as the call tracker of the sdk takes it. */
interface SrfCallbacks {
  readonly cbRequest?: (...parts: readonly unknown[]) => void;
  readonly cbProvisional?: (response: SrfMessage) => void;
}

/** What a leg is sent with. */
interface SrfLegOptions {
  readonly headers?: Record<string, string>;
  readonly responseHeaders?: unknown;
  readonly localSdp?: string;
  readonly passFailure?: boolean;
}

/** Middleware, as `srf.use` takes it. */
export type SrfHandler = (request: SrfRequest, response: SrfResponse, next: () => void) => void;

/** The part of `Srf` that the network uses. */
export interface SrfFace extends EventEmitter {
  use(method: string, handler: SrfHandler): void;
  readonly invite: (handler: SrfHandler) => void;
  readonly createUAS: (
    request: SrfRequest,
    response: SrfResponse,
    options: { readonly localSdp: string; readonly headers?: Record<string, string> },
  ) => Promise<SrfDialog>;
  readonly createUAC: (uri: string, options: SrfLegOptions, callbacks?: SrfCallbacks) => Promise<SrfDialog>;
  // oxlint-disable-next-line eslint/max-params -- as drachtio-srf has it
  readonly createB2BUA: (
    request: SrfRequest,
    response: SrfResponse,
    uri: string,
    options: SrfLegOptions,
    callbacks?: SrfCallbacks,
  ) => Promise<{ readonly uas: SrfDialog; readonly uac: SrfDialog }>;
  readonly disconnect: () => void;
}

/** An application that is connected to its server. */
export type ConnectedSrf = Awaited<ReturnType<typeof connectSrf>>;

/** Where a drachtio server takes applications. */
export interface SrfControl {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

interface Internals {
  readonly app: { readonly client: { readonly wp: { closing: boolean } } };
}

/** By itself drachtio-srf tries for ever. A server that is there takes an application within moments, milliseconds. */
const CONNECT_MS = 10_000;

interface Connecting {
  readonly connect: (options: object) => void;
  readonly listen: (options: object) => void;
}

type SrfClass = new () => SrfFace & Connecting;

/**
 * Connects an application to a drachtio server.
 * @param to - where the server takes applications, or a server of this process, which connects to the application without a network between
 * @param setUp - gives the application its handlers, before it connects
 * @returns the application
 * @throws {@link HopbackError} `unavailable` where nobody is there
 * @throws the error that the server refuses it with
 */
export async function connectSrf(to: SrfControl | DrachtioServer, setUp: (srf: SrfFace) => void = () => undefined) {
  const srf: SrfFace & Connecting = new (Srf as unknown as SrfClass)();
  let isOpen = false;
  // Without a listener a connection that is lost would end the process.
  srf.on('error', () => undefined);
  srf.on('close', () => {
    isOpen = false;
  });
  setUp(srf);
  const connected = once(srf, 'connect', { signal: abortedAfter(CONNECT_MS) });
  if ('connectTo' in to) {
    const server = new Server();
    srf.listen({ server, secret: to.control.secret });
    to.connectTo(server);
  } else srf.connect({ ...to });
  const stop = (): void => {
    (srf as unknown as Internals).app.client.wp.closing = true;
  };
  const [error, hostPorts = ''] = (await connected.catch(() => {
    stop();
    const { host, port } = 'connectTo' in to ? to.control : to;
    const place = `${host}:${String(port)}`;
    throw new HopbackError('unavailable', `no drachtio server takes applications at ${place}`);
  })) as [Error | null, string | undefined];
  if (error !== null) {
    stop();
    throw error;
  }
  isOpen = true;
  return {
    srf: srf as SrfFace,
    /** Where the server says that it speaks SIP: `udp/127.0.0.1:5060`, several with commas between. */
    hostPorts,
    /** Lets go of the server, and comes back no more. Never rejects. */
    close: async () => {
      // Nobody reconnects from here on.
      stop();
      if (!isOpen) return;
      const closed = once(srf, 'close');
      srf.disconnect();
      await closed;
    },
  };
}

/** Ends the other side of a call where one side ends. */
export function joinEnds(one: SrfDialog, other: SrfDialog): void {
  const end = (dialog: SrfDialog): void => {
    // Whoever is gone already needs no BYE.
    Promise.resolve(dialog.destroy()).catch(() => undefined);
  };
  one.on('destroy', () => end(other));
  other.on('destroy', () => end(one));
}

/** What is answered within that time, milliseconds, gets no 100 Trying. @see RFC 3261 section 17.2.1 */
export const TRYING_HOLD_MS = 200;

/** A session description that nobody sends sound to. */
export const SILENT_SDP: string = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');

/** A leg that is sent out several times. */
interface ForkOptions {
  readonly uri: string;
  readonly headers: Record<string, string>;
  readonly branches: number;
  readonly trunk: string;
  readonly tracked: TrackedCall | undefined;
  readonly identity: CallIdentity | undefined;
  /** Hears of each INVITE that has left. */
  readonly onSent: (request: SrfRequest) => void;
}

/**
 * Sends a call to several at once, and connects the caller to whoever answers first. The others are called off; who had answered in the same moment is
 * hung up on.
 * @see RFC 3261 section 16.7
 */
export async function forkCall(
  srf: SrfFace,
  { req, res }: { readonly req: SrfRequest; readonly res: SrfResponse },
  options: ForkOptions,
): Promise<void> {
  const { uri, headers, branches, tracked, trunk, identity } = options;
  const pending = new Set<SrfRequest>();
  let won: SrfDialog | undefined;
  let isCancelled = false;
  const ring = async (): Promise<SrfDialog> => {
    const leg = tracked?.branch({ trunk });
    let sent: SrfRequest | undefined;
    const callbacks = {
      cbRequest: (...parts: readonly unknown[]) => {
        leg?.cbRequest(...parts);
        sent = parts[1] as SrfRequest | undefined;
        if (sent === undefined || sent === null) return;
        pending.add(sent);
        options.onSent(sent);
      },
    };
    try {
      const dialog = await srf.createUAC(uri, { headers: { ...headers }, localSdp: req.body }, callbacks);
      if (sent !== undefined) pending.delete(sent);
      if (won === undefined && !isCancelled) return (won = dialog);
      await dialog.destroy();
      throw new TypeError('another one has answered');
    } finally {
      if (sent !== undefined) pending.delete(sent);
    }
  };
  const callOff = (): void => {
    for (const request of pending) request.cancel();
    pending.clear();
  };
  req.on('cancel', () => {
    isCancelled = true;
    callOff();
    res.send(487);
  });
  const legs = Array.from({ length: branches }, ring);
  try {
    const uac = await Promise.any(legs);
    callOff();
    const uas = await srf.createUAS(req, res, { localSdp: uac.remote.sdp || SILENT_SDP });
    tracked?.connected({ uas, uac });
    joinEnds(uas, uac);
  } catch (error) {
    const failure = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
    if (!isCancelled) relayFailure(res, failure, { reasonHeaders: identity?.treatment.reasonHeaders ?? [] });
    tracked?.end();
  }
  // What became of the others is on record by itself.
  await Promise.allSettled(legs);
}

/** What a provider saw of a call, and at which hop of its way. */
export interface HopNote {
  readonly index: number;
  readonly hop: number;
  readonly seen: SeenHop;
  /** Final status that it was answered with; absent: none went out. */
  readonly status?: number;
  /** When it was, milliseconds since the epoch. */
  readonly answeredMs: number;
}

/** A call that is at a provider now. */
export interface HopInHand {
  readonly route: CallRoute;
  readonly ingressCallId: string;
  readonly arrivedMs: number;
  /** By the monotonic clock, milliseconds. */
  readonly arrivedAt: number;
  heldUs: number;
  /** Makes its record. */
  tracked?: Pick<TrackedCall, 'end'>;
  readonly egressCallIds: string[];
}

/** Begins to follow an INVITE. */
export function takeInHand(route: CallRoute, request: SrfRequest): HopInHand {
  return {
    route,
    ingressCallId: request.get('Call-ID') ?? '',
    arrivedMs: Date.now(),
    arrivedAt: performance.now(),
    heldUs: 0,
    egressCallIds: [],
  };
}

/** The INVITE has left, or was answered here: what was held until then counts. */
export function letGo(hop: HopInHand): void {
  if (hop.heldUs === 0) hop.heldUs = Math.max(1, Math.round((performance.now() - hop.arrivedAt) * US_PER_MS));
}

const US_PER_MS = 1_000;

/** What is told of it when it has its final response. */
export function noteOf(
  hop: HopInHand,
  provider: string,
  { identity, status }: { readonly identity: CallIdentity | undefined; readonly status: number | undefined },
): HopNote {
  const verdict = identity?.verdict;
  const { route, arrivedMs, heldUs, ingressCallId, egressCallIds } = hop;
  return {
    index: route.call.index,
    hop: route.hop,
    answeredMs: Date.now(),
    ...(status !== undefined && { status }),
    seen: {
      provider,
      atMs: arrivedMs,
      heldUs,
      ingressCallId,
      egressCallIds: [...egressCallIds],
      ...(verdict !== undefined && { verstat: verdict.verstat }),
      ...(verdict?.attestation !== undefined && { attestation: verdict.attestation }),
      ...(verdict?.signer?.spc !== undefined && { signerSpc: verdict.signer.spc }),
      reasons: verdict?.reasons ?? [],
    },
  };
}
