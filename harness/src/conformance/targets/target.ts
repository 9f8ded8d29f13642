import type { Capability, Observed, SentCall, SigningAsk } from '../case.js';

/** The interfaces that are spoken. */
export const TARGET_KINDS = ['atis', '3gpp', 'secsipidx', 'redirect', 'sip'] as const;

/**
 * How a service is asked. `atis`: ATIS-1000082 over HTTP. `3gpp`: Ms of 3GPP TS 24.229. `secsipidx`: its HTTP server. `redirect`: an INVITE over UDP, answered by
 * 302 with what is to be added. `sip`: an INVITE through the device, judged by its response, or by what comes out at the callee.
 */
export type TargetKind = (typeof TARGET_KINDS)[number];

/** Settings of {@link openConformanceTarget}. */
export interface ConformanceTargetOptions {
  readonly kind: TargetKind;
  /** `http://host:port`, with a path in front of `/verification` where that is not `/stir/v1`; or `sip:host:port`. */
  readonly url: string;
  /** Where calls are signed, when elsewhere. */
  readonly signingUrl?: string;
  /** Bearer token of HTTP requests. */
  readonly token?: string;
  /** How long an answer is waited for; default 10,000 ms. */
  readonly timeoutMs?: number;
  /** What this service cannot carry or show although its interface could. */
  readonly lacks?: readonly Capability[];
  /** Of `redirect` and `sip`. */
  readonly sip?: SipTargetOptions;
}

/** How a service is spoken to by SIP. */
export interface SipTargetOptions {
  /** Host in the Request-URI of calls to be verified; default that of the URL. */
  readonly domain?: string;
  /** Host in the Request-URI of calls to be signed; default that of the URL. */
  readonly signingDomain?: string;
  /** Header field in which a request to sign says the attestation; without one that is not said. */
  readonly attestationField?: string;
  /** Header field in which a request to sign says the origid. */
  readonly origIdField?: string;
  /** Where the device sends calls on to, `host:port` of this machine; without one its response is judged. */
  readonly callee?: string;
}

/** A service under test, behind the interface that it has. */
export interface ConformanceTarget extends AsyncDisposable {
  readonly kind: TargetKind;
  readonly url: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** Never rejects: whatever the service does is observed. */
  readonly verify: (call: SentCall) => Promise<Observed>;
  /** Never rejects. */
  readonly sign: (ask: SigningAsk) => Promise<Observed>;
  readonly close: () => Promise<void>;
}

/** Loopback and carriers' networks are faster by far; a service that waits for a certificate may take some seconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;
