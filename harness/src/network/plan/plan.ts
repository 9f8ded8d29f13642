import type { Behaviour, ProviderRole, Scenario, ScenarioSharing } from '../../scenario/index.js';

/** A provider with all that a scenario left open. */
export interface PlannedProvider {
  readonly id: string;
  readonly name: string;
  /** As registries have it: `prv-` and ten digits. */
  readonly providerId: string;
  readonly role: ProviderRole;
  readonly spc: string;
  readonly country: string;
  readonly stir: boolean;
  readonly numbers: readonly string[];
  readonly failureAction: 'continue' | 'continue_return_reason' | 'reject_request';
  readonly shares: ScenarioSharing;
  readonly answersTracebacks: boolean;
  readonly behaviours: readonly Behaviour[];
  /** Providers that it sends calls to, and that send it calls: ids. */
  readonly downstream: readonly string[];
  readonly upstream: readonly string[];
  /** Ids of the callers that are its customers, and of the called numbers that it serves. */
  readonly callers: readonly string[];
  readonly serves: readonly string[];
}

/** A call that is to be placed. */
export interface PlannedCall {
  /** From 0, in the order of `atMs`. With the seed it names the call: the rest follows from both. */
  readonly index: number;
  /** From the beginning of the run, milliseconds. */
  readonly atMs: number;
  readonly phase: string;
  readonly caller: string;
  /** Campaign that it belongs to; absent for ordinary calls. */
  readonly campaign?: string;
  /** Digits with country code, as the caller shows and dials them; an `invalid` caller's may have any digits. */
  readonly calling: string;
  readonly called: string;
  /** Id of the called numbers that it is for. */
  readonly destination: string;
  /** Ids of the providers, from where it begins to where it ends. A provider may be there twice. */
  readonly way: readonly string[];
  /** Whether somebody answers, and how long it then lasts, milliseconds. */
  readonly isAnswered: boolean;
  readonly durationMs: number;
  /** What is said, where a robocaller says something. */
  readonly transcript?: string;
  /** Whether an app reports it, and rejects it. */
  readonly isReported: boolean;
  readonly isRejected: boolean;
}

/** A network and its calls. The same scenario and seed make the same plan. */
export interface NetworkPlan {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly providers: readonly PlannedProvider[];
  readonly calls: readonly PlannedCall[];
  /** Whole run, milliseconds. */
  readonly durationMs: number;
  /** Numbers of the do-not-originate list. */
  readonly doNotOriginate: readonly string[];
}
