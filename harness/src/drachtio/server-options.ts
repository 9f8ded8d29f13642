import type { LookupFunction } from 'node:net';
import { HopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/internal/runtime';
import { MESSAGE_LIMITS } from './message/parse-message.js';
import type { MessageTap } from './observe/tap.js';
import type { TimerBase } from './transaction/transition.js';
import type { ConnectionLimits, TlsFiles } from './transport/connections.js';
import type { ListenAddress } from './transport/transports.js';

/** What a server refuses to take on. */
export interface ServerLimits {
  /** INVITEs without a final response at a time; one more gets 503 with Retry-After. */
  readonly maxPendingInvites: number;
  /** Octets that may wait for an application to read, before new calls and other requests outside calls get 503; at four times as many it is cut off. */
  readonly maxAppBacklogBytes: number;
  /** How long an application may leave a request without any answer, milliseconds. drachtio-server waits 64 s. */
  readonly appAnswerMs: number;
  /** Octets of one header field with its name and folded lines; a request with a longer one gets 400. 1,024 to 65,535. */
  readonly maxHeaderBytes: number;
}

/**
 * 20,000 INVITEs: at a thousand a second, more than anybody lets ring. 32 MiB: some ten thousand messages, seconds behind.
 * 8 KiB a header field, as drachtio-server.
 */
export const SERVER_LIMITS: ServerLimits = {
  maxPendingInvites: 20_000,
  maxAppBacklogBytes: 32 * 1_048_576,
  appAnswerMs: 64_000,
  maxHeaderBytes: MESSAGE_LIMITS.maxHeaderBytes,
};

/** Messages of calls that go on are not refused: an application that leaves so many times the limit unread does not come back. */
export const CUT_OFF_BACKLOGS = 4;

/** Seconds after which a caller that was refused for overload may try again. */
export const RETRY_AFTER_SECONDS = 2;

/** Settings of {@link DrachtioServer}; everything has a default. */
export interface DrachtioServerOptions {
  /** Where SIP is spoken; default one UDP socket on 127.0.0.1 and a port that the system chooses. The first is the one named first to applications. */
  readonly listen?: readonly ListenAddress[];
  /** Where applications connect; default 127.0.0.1 and a port that the system chooses. */
  readonly control?: {
    readonly host?: string;
    readonly port?: number;
    /** What applications authenticate with; default `cymru`, as in drachtio-server's own configuration. */
    readonly secret?: string;
  };
  /**
   * Host in Via and Contact in place of the listening address, for peers that reach this machine by another one, as behind NAT. Without it, a
   * listener at 0.0.0.0 or :: names the address of this machine that routes to the peer.
   */
  readonly advertisedHost?: string;
  /** Whether call detail records are written to applications that ask for them. Default false, as in drachtio-server. */
  readonly cdrs?: boolean;
  /** Requests larger than this, octets, leave by TCP in place of UDP. Default: none do. RFC 3261 section 18.1.1 says 1,300. */
  readonly mtuBytes?: number;
  /** Default those of RFC 3261: 500, 4,000 and 5,000 ms. */
  readonly timers?: Partial<TimerBase>;
  /** What it refuses to take on; default {@link SERVER_LIMITS}. */
  readonly limits?: Partial<ServerLimits>;
  /** What a peer may take of a listener for connections; default {@link CONNECTION_LIMITS}. */
  readonly connectionLimits?: Partial<ConnectionLimits>;
  /** Resolves the host names in URIs; default that of Node, which asks the system. A test may have names of its own. */
  readonly lookup?: LookupFunction;
  /** Key and certificate for `tls` and `wss`. */
  readonly tls?: TlsFiles;
  /**
   * How long an INVITE goes without 100 Trying, milliseconds: what is answered sooner needs none. Default 0, as drachtio-server does; at most
   * 200, which RFC 3261 section 17.2.1 allows.
   */
  readonly tryingHoldMs?: number;
  /**
   * How long the first response to a request outside dialogs, other than an INVITE, is held back after the application was told that it
   * went out; default 6 ms. `await srf.request(…)` misses what comes sooner.
   */
  readonly firstResponseHoldMs?: number;
  /**
   * How long requests within a call, such as a BYE, are held back after the application was told that the call was answered; default 6 ms.
   * Applications listen for them once their promise of the call has resolved, and miss what comes in the same read.
   */
  readonly answerHoldMs?: number;
  /** Sees every message from the first on. */
  readonly onMessage?: MessageTap;
  /** Time and timers; default Node's, on the machine's monotonic clock. */
  readonly clock?: TimerClock;
  /** 36 characters, different at each call; default `crypto.randomUUID`. */
  readonly randomUuid?: () => string;
}

/** @see RFC 3261 section 17.2.1 */
const MAX_TRYING_HOLD_MS = 200;

/** @throws HopbackError `invalid-configuration` for a setting that makes no sense, before anything is opened */
export function checkServerOptions(options: DrachtioServerOptions, listen: readonly ListenAddress[]): void {
  const wantsTls = listen.some(({ transport }) => transport === 'tls' || transport === 'wss');
  if (wantsTls && options.tls === undefined) {
    throw new HopbackError('invalid-configuration', 'to listen on tls or wss, give a key and a certificate as tls');
  }
  if (listen.length === 0) throw new HopbackError('invalid-configuration', 'a server that listens nowhere has no use');
  const { mtuBytes, tryingHoldMs = 0 } = options;
  if (!(tryingHoldMs >= 0 && tryingHoldMs <= MAX_TRYING_HOLD_MS)) {
    throw new HopbackError(
      'invalid-configuration',
      `tryingHoldMs must be 0 to ${MAX_TRYING_HOLD_MS}, not ${tryingHoldMs}`,
    );
  }
  const { maxHeaderBytes } = { ...SERVER_LIMITS, ...options.limits };
  if (!(maxHeaderBytes >= 1_024 && maxHeaderBytes <= MESSAGE_LIMITS.maxMessageBytes)) {
    throw new HopbackError(
      'invalid-configuration',
      `limits.maxHeaderBytes must be 1024 to ${MESSAGE_LIMITS.maxMessageBytes}, not ${maxHeaderBytes}`,
    );
  }
  if (mtuBytes !== undefined && !(mtuBytes >= 500)) {
    throw new HopbackError('invalid-configuration', `mtuBytes must be 500 or more, not ${mtuBytes}`);
  }
}
