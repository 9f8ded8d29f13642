import type { Verstat } from '@hopback/sdk/stir';

/** What was seen of a call at one provider. */
export interface SeenHop {
  readonly provider: string;
  readonly atMs: number;
  /** Absent: nothing was verified. */
  readonly verstat?: Verstat;
  readonly attestation?: string;
  readonly signerSpc?: string;
  readonly reasons: readonly string[];
  /** How long the INVITE was held here, microseconds. */
  readonly heldUs: number;
  /** Call-IDs on both sides, by which the ladder is drawn. */
  readonly ingressCallId: string;
  readonly egressCallIds: readonly string[];
}

/** What was seen of a call. Whoever carries a plan out makes it: over SIP, or in a simulation. */
export interface SeenCall {
  readonly index: number;
  /** When it was placed, milliseconds since the epoch; absent where it was not: the run ended, or too many calls were up. */
  readonly placedAtMs?: number;
  /** Final status of the INVITE at the caller; absent: none came. */
  readonly finalStatus?: number;
  /** From INVITE to final response at the caller, milliseconds. */
  readonly setupMs?: number;
  readonly hops: readonly SeenHop[];
  /** What reached the callee's side, where it did: verstat in the caller's field, and the Reason header fields that came back. */
  readonly shownVerstat?: Verstat;
  /** Whether it came to a callee that tells of it; absent: it is not known to. */
  readonly isAtCallee?: boolean;
  readonly reasons: readonly string[];
}

/** What a provider told a traceback. */
export interface SeenAnswer {
  readonly provider: string;
  readonly kind: string;
  /** Whom it named: id of a provider of the network, or the name that it gave. */
  readonly named?: string;
  /** From request to answer, milliseconds of the platform's clock. */
  readonly afterMs: number;
}

/** What became of a traceback. */
export interface SeenTraceback {
  readonly tracebackId: string;
  /** Campaign that the platform began it for; absent: somebody asked for it. */
  readonly campaignId?: string;
  readonly callIndex: number;
  readonly state: string;
  readonly outcome?: { readonly kind: string; readonly provider?: string };
  readonly openedAtMs: number;
  readonly concludedAtMs?: number;
  readonly answers: readonly SeenAnswer[];
}

/** A campaign that was found. */
export interface SeenCampaign {
  readonly campaignId: string;
  readonly name: string;
  /** Indexes of the calls that were put into it, of those that the plan has. */
  readonly calls: readonly number[];
  readonly firstSeenMs: number;
}

/** An alert that somebody got. */
export interface SeenAlert {
  readonly campaignId: string;
  readonly agency: string;
  readonly atMs: number;
}

/** Records that a provider made, and that the platform has of it. */
export interface SeenRecords {
  readonly provider: string;
  readonly stored: number;
  readonly streamed: number;
  readonly received: number;
}

/** How a provider came to its answers: by itself, or through somebody at its desk. */
export interface SeenAnswering {
  readonly provider: string;
  readonly automatic: number;
  readonly byPerson: number;
}

/** All that was seen of a run. */
export interface RunFacts {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly calls: readonly SeenCall[];
  readonly records: readonly SeenRecords[];
  readonly campaigns: readonly SeenCampaign[];
  readonly alerts: readonly SeenAlert[];
  readonly tracebacks: readonly SeenTraceback[];
  /** Absent where nobody sits at any desk. */
  readonly answering?: readonly SeenAnswering[];
  /** What went wrong in the network itself, none of which is planned: each with where and what. */
  readonly troubles: readonly { readonly where: string; readonly what: string }[];
}
