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
  /** Whether a switch of somebody else's is in its place: what it does inside is not seen. Absent: it is not. */
  readonly isExternal?: boolean;
}

/** Another number that a call is forwarded to. */
export interface PlannedDiversion {
  /** Place in `way`, from 0, of the provider that forwards it. */
  readonly hop: number;
  /** Place of the behaviour among those of the provider. */
  readonly behaviour: number;
  readonly to: string;
  /** Id of the called numbers that `to` is one of. */
  readonly destination: string;
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
  /** Ids of the providers, from where it begins to where it ends. A provider may be there twice, where a call is diverted. */
  readonly way: readonly string[];
  /** Where it is forwarded to another number, in this order; absent: nowhere. The numbers that it is for in the end are those of the last. */
  readonly diversions?: readonly PlannedDiversion[];
  /** Whether somebody answers, and how long it then lasts, milliseconds. */
  readonly isAnswered: boolean;
  readonly durationMs: number;
  /** What is said, where a robocaller says something. */
  readonly transcript?: string;
  /** Whether an app reports it, and rejects it. */
  readonly isReported: boolean;
  readonly isRejected: boolean;
}

/** A network whose calls are not yet made: {@link plannedCalls} makes them one after the other. */
export interface PlannedNetwork {
  /** Shortened where a scale was asked for: its seconds are those of the plan. */
  readonly scenario: Scenario;
  readonly seed: number;
  /** Each caller calls once. */
  readonly onceOnly: boolean;
  readonly providers: readonly PlannedProvider[];
  /** From the beginning to the end of the last phase, milliseconds. Calls that are up then last longer. */
  readonly durationMs: number;
  /** Numbers of the do-not-originate list. */
  readonly doNotOriginate: readonly string[];
  /** Ids of callers whose calls somebody else places: they are waited for. Absent: none. */
  readonly externalCallers?: readonly string[];
}

/** A network and its calls. The same scenario and seed make the same plan. */
export interface NetworkPlan extends PlannedNetwork {
  readonly calls: readonly PlannedCall[];
}
