import type { IncomingHttpHeaders } from 'node:http';
import type { CallVerdict, VerificationRequest } from '../../stir/index.js';
import type { SidecarMetrics } from '../metrics.js';
import type { SidecarServices } from '../services/sidecar-services.js';

/** A call that was verified here, for whoever keeps records. */
export interface VerifiedCall {
  readonly verdict: CallVerdict;
  readonly request: VerificationRequest;
  readonly requestId: string;
  readonly trunk?: string;
  readonly address?: string;
  /** SIP Call-ID, where the whole INVITE was given. */
  readonly callId?: string;
}

/** What answers to calls are made with. */
export interface CallContext {
  readonly services: SidecarServices;
  readonly metrics: SidecarMetrics;
  /** Milliseconds that only go forward. */
  readonly elapsedMs: () => number;
  /** Hears of each verified call; returns at once. */
  readonly onVerified: (call: VerifiedCall) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** One request on the way of a call. */
export interface CallRequest {
  readonly text: string;
  /** Path behind the route's, and query. */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Name of the client. */
  readonly client: string;
  readonly requestId: string;
}
