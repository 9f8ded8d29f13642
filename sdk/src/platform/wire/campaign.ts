import type { ProviderReference } from '../../core/traceback-request.js';
import type { Spc } from '../../core/terms.js';

/** Whether calls still come. */
export type CampaignState = 'live' | 'dormant' | 'closed';

/** Which part a provider has in a campaign, as tracebacks found it. */
export type CampaignRole = 'origin' | 'point-of-entry' | 'transit' | 'terminating';

/** A provider that calls of a campaign came through. */
export interface CampaignProvider {
  readonly provider: ProviderReference;
  readonly role: CampaignRole;
  /** Tracebacks in which it had that part. */
  readonly tracebacks: number;
}

/** Why calls belong to a campaign, and of how many that holds. */
export interface CampaignReason {
  /** `same-script`, `same-recording`, `neighbour-spoofing`, `same-signer`. */
  readonly reason: string;
  /** Of how many calls that holds. */
  readonly calls: number;
}

/** A signer of calls of a campaign. */
export interface CampaignSigner {
  readonly spc: Spc;
  /** How many it signed. */
  readonly calls: number;
}

/** With which attestation calls of a campaign came, of those on carriers' records. */
export interface CampaignAttestation {
  /** `failed`: the signature did not fit the call; `none`: there was no signature, or it was not looked at. */
  readonly attestation: 'A' | 'B' | 'C' | 'failed' | 'none';
  /** How many came so. */
  readonly calls: number;
}

/** Where calls of a campaign probably enter, and what says so. */
export interface CampaignEntryPoint {
  readonly provider: ProviderReference;
  /** Tracebacks that ended there; its signature on calls; or that carriers had calls from it. The first is the surest. */
  readonly basis: 'traceback' | 'signer' | 'upstream';
  /** Tracebacks or calls that say so. */
  readonly count: number;
}

/** How many calls a campaign has made in all, as far as that can be told. */
export interface CampaignVolume {
  /** Calls, or their estimate. */
  readonly calls: number;
  /**
   * `observed`: no more is known than the calls on record; `capture-recapture`: of how many calls in reports there are carriers' records
   * too, by Chapman's estimate.
   */
  readonly basis: 'observed' | 'capture-recapture';
  /** What it was reckoned from: calls on carriers' records. */
  readonly recorded: number;
  /** Calls in reports of applications. */
  readonly reported: number;
  /** Calls in both. */
  readonly both: number;
}

/** Calls of a campaign to an area. */
export interface CampaignArea {
  /** Area code of the numbers called, three digits. */
  readonly areaCode: string;
  /** How many went there. */
  readonly calls: number;
}

/** Calls that belong together: the same script, recording or way of calling. */
export interface Campaign {
  readonly format: 'hopback.campaign.1';
  readonly campaignId: string;
  /** Topic, detail, script variant: `SSA-Suspended-P2`. */
  readonly name: string;
  readonly description?: string;
  readonly state: CampaignState;
  /** RFC 3339 in UTC. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly updatedAt: string;
  /** Calls that were placed and of which at least one record or report came, each counted once. */
  readonly observedCalls: number;
  /** Records of carriers that the calls were counted from: each carrier on the way of a call may have one. */
  readonly carrierRecords?: number;
  /** Reports of applications that the calls were counted from. */
  readonly appReports?: number;
  /** Different numbers that called. */
  readonly callingNumbers: number;
  /** What is said, as one call had it. */
  readonly transcript?: string;
  readonly recordingSha256?: readonly string[];
  /** Signals that hold it together, as words: `same-script`, `sequential-dialling`. */
  readonly signals: readonly string[];
  /** By how many tracebacks, most first. */
  readonly providers: readonly CampaignProvider[];
  readonly tracebackIds: readonly string[];
  /** Kind of fraud, as a word: `government-impersonation`, `unknown`. */
  readonly class?: string;
  /** Why it is in its state, as a word: `calls-came`, `no-calls`, `closed-by-analyst`. */
  readonly stateReason?: string;
  /** Since when it is in its state, RFC 3339 in UTC. */
  readonly stateSince?: string;
  /** Calls an hour at `updatedAt`, of those on record. */
  readonly callsPerHour?: number;
  /** How many calls it has made in all, as far as that can be told. */
  readonly estimatedVolume?: CampaignVolume;
  /** Why calls belong to it; most calls first. */
  readonly reasons?: readonly CampaignReason[];
  /** Who signed its calls; most calls first. */
  readonly signers?: readonly CampaignSigner[];
  /** With which attestation its calls came; most calls first. */
  readonly attestations?: readonly CampaignAttestation[];
  /** For agencies and the traceback group. */
  readonly entryPoints?: readonly CampaignEntryPoint[];
  /** Areas that were called; most calls first. */
  readonly calledAreas?: readonly CampaignArea[];
}
