import type { Behaviour, BehaviourKind } from './behaviour.js';

/** Which part a provider plays for the calls of a scenario. `ipes`: an interconnected VoIP provider; `foreign`: outside the United States. */
export type ProviderRole = 'originating' | 'ipes' | 'gateway' | 'transit' | 'terminating' | 'foreign';

/** What a provider lets the platform see of its live calls. */
export type ScenarioSharing = 'nothing' | 'suspicious' | 'all-pseudonymous' | 'all';

/** A carrier of the network. */
export interface ScenarioProvider {
  /** Short name by which the rest of the scenario speaks of it: letters, digits and dashes. */
  readonly id: string;
  /** Name of the business. Default made of `id`. */
  readonly name?: string;
  readonly role: ProviderRole;
  /** Service provider code in its certificate, four characters. Default one of its own, made from its place in the list. */
  readonly spc?: string;
  /** ISO 3166-1 alpha-2. Default `US`; a `foreign` one has to say. */
  readonly country?: string;
  /**
   * Whether it takes part in STIR/SHAKEN. Default true for all but `foreign`. One that does not neither signs nor verifies, and hands Identity on as it
   * came.
   */
  readonly stir?: boolean;
  /** Numbers that it may sign with full attestation for its customers: prefixes of digits, country code first. Default none. */
  readonly numbers?: readonly string[];
  /** What becomes of calls that fail verification. Default `continue_return_reason`. */
  readonly failureAction?: 'continue' | 'continue_return_reason' | 'reject_request';
  /** Default `suspicious` for terminating providers, `nothing` for the others. */
  readonly shares?: ScenarioSharing;
  /** Whether it has the SDK's responder, so that it answers tracebacks by itself. Default true for all but `foreign`. */
  readonly answersTracebacks?: boolean;
  /** What it does that it should not, or that makes work. Default none: it is honest. Several add up, in their order. */
  readonly behaviours?: readonly Behaviour[];
}

/** Calls go from one provider to another by it. */
export interface ScenarioTrunk {
  readonly from: string;
  readonly to: string;
  /** Of a call; the cheapest way is taken. Default 1. */
  readonly cost?: number;
  /**
   * Part of the calls that take this trunk where others of the same `from` lead to the same end at the same cost, in relation to theirs. Default 1.
   */
  readonly share?: number;
}

/**
 * Which numbers a caller shows. Where numbers are listed an entry is one number, digits with country code, or a range of them, `first-last`.
 */
export type CallingNumbers =
  /** Numbers that its provider has given to it. */
  | { readonly kind: 'own'; readonly numbers: readonly string[] }
  /** The first six digits after the country code are those of the called number. */
  | { readonly kind: 'neighbour' }
  /** Many numbers, few calls from each. `count` numbers under `prefixes`. */
  | { readonly kind: 'snowshoe'; readonly prefixes: readonly string[]; readonly count: number }
  /** Numbers from which nobody calls. They are on the do-not-originate list of the scenario. */
  | { readonly kind: 'dno'; readonly numbers: readonly string[] }
  /** No numbers at all: unassignable area codes and exchanges. */
  | { readonly kind: 'invalid' }
  /** The number of somebody who has nothing to do with it. */
  | { readonly kind: 'victim'; readonly numbers: readonly string[] };

/** Somebody who calls. */
export interface ScenarioCaller {
  readonly id: string;
  readonly kind: 'robocaller' | 'ordinary';
  /** Provider whose customer it is. */
  readonly at: string;
  readonly numbers: CallingNumbers;
  /** Ids of {@link ScenarioCalled} that it calls. */
  readonly calls: readonly string[];
  /** Part of the calls of each phase that are its own, in relation to the other callers. Default 1. */
  readonly share?: number;
  /** How long a call lasts that is answered, seconds. Default 6 to 20 for a robocaller, 30 to 240 for others; a phase may shorten all. */
  readonly durationSeconds?: { readonly from: number; readonly to: number };
  /** `sequential` dials one number after the other. Default `random`. */
  readonly order?: 'sequential' | 'random';
  /**
   * What a robocaller says: a text, or the name of one of {@link ROBOCALL_SCRIPTS}. Words in braces, as `{name}` and `{callBack}`, vary from call to call.
   * Default one of those scripts, by the campaign; empty: it says nothing.
   */
  readonly script?: string;
  /** Numbers that the script names to be called back. */
  readonly callBack?: readonly string[];
  /** Name of the campaign that its calls belong to; callers of the same name are of one campaign. Default its `id` for a robocaller. */
  readonly campaign?: string;
  /** Numbers and words that come from a file, line by line, in the place of `numbers`, `calls` and what the script would make up. */
  readonly csv?: ScenarioCsv;
  /** It calls at hours of the day: a part of its calls, which depends on the hour, is not made. Default it does not know the hour. */
  readonly daily?: ScenarioDay;
  /** A call centre: so many people call, one call each; while all of them do no other call is made. Default any number of people. */
  readonly agents?: number;
}

/** Lines of a CSV file as SIPp reads them: fields separated by `;`, and a first line that says in which order they are taken. */
export interface ScenarioCsv {
  /** Path of the file, from that of the scenario; {@link readScenario} puts what is in it into `rows` and `order`. */
  readonly file?: string;
  /** Field of a line, from 0, that has the number that is shown. Default `numbers` decides. */
  readonly calling?: number;
  /** Field that has the number that is called: one that the caller's `calls` have. Default drawn from those. */
  readonly called?: number;
  /** Fields that have words of the script, by the name that they have in braces there. */
  readonly words?: Readonly<Record<string, number>>;
  /**
   * `sequential`: line by line, and again from the first; `random`: drawn by the seed; `user`: each line is a subscriber, who is not taken
   * again before its call has ended. Default `sequential`.
   */
  readonly order?: 'sequential' | 'random' | 'user';
  /** Fields of the lines. */
  readonly rows?: readonly (readonly string[])[];
}

/** Hours of a day, which pass faster than they do in life. */
export interface ScenarioDay {
  /** Hour at which the run begins, 0 to 24. */
  readonly startHour: number;
  /** How many hours pass in a second of the run. Default 1/3600: it goes by the clock. */
  readonly hoursPerSecond?: number;
}

/** Numbers that are called. */
export interface ScenarioCalled {
  readonly id: string;
  /** Provider that serves them. */
  readonly at: string;
  /** First number, digits with country code. */
  readonly first: string;
  /** How many, from `first` on. Default 1. */
  readonly count?: number;
  /**
   * Who answers. `phones`: phones of sip.js that register, one for each number, at most 50; `sink`: one that answers all of them, for volume. Default `sink`.
   */
  readonly by?: 'phones' | 'sink';
  /** Part of the calls that are answered, 0 to 1. Default 1. */
  readonly answers?: number;
  /**
   * A call-blocking app: which part of the robocalls that come in it reports with what was heard, and whether it rejects them with 607.
   * Default none.
   */
  readonly app?: { readonly reports: number; readonly rejects?: boolean };
}

/** A stretch of time with calls. */
export interface ScenarioPhase {
  readonly name: string;
  readonly seconds: number;
  /** New calls each second: the same all the time; from one to another; `peak` for the middle third; at random, so many on average. */
  readonly rate:
    | { readonly shape: 'constant'; readonly perSecond: number }
    | { readonly shape: 'ramp'; readonly from: number; readonly to: number }
    | { readonly shape: 'spike'; readonly perSecond: number; readonly peak: number }
    | { readonly shape: 'poisson'; readonly perSecond: number };
  /** Ids of the callers of the phase. Default all. */
  readonly callers?: readonly string[];
}

/** A call that staff traces for what became of it on its way. */
export interface ScenarioTrace {
  /** Id of a provider that it came through. */
  readonly through: string;
  /** What that provider did to the call, or says of it: the kind of one of its behaviours. Default anything. */
  readonly behaviour?: BehaviourKind;
  /** Id of who placed it. Default anybody. */
  readonly caller?: string;
}

/** What the traceback group does. Without it there is no platform: calls alone. */
export interface ScenarioPlatform {
  /**
   * Calls that staff traces whatever the seed draws: for each entry the first one that came to its callee and fits. Where none does the run has a trouble.
   * Default none.
   */
  readonly traces?: readonly ScenarioTrace[];
  /** Calls that staff traces besides those of campaigns, drawn from the plan by the seed. Default 0. */
  readonly staffTracebacks?: number;
  /** Agencies that are to be alerted, by jurisdiction (`US`, `US-TX`). Default `US`. */
  readonly agencies?: readonly string[];
}

/**
 * A network, who calls in it, and what it is held to. What {@link readScenario} makes of a file, and {@link defineScenario} of an object: variables are
 * filled in, CSV files are read, defaults are not yet put in.
 */
export interface Scenario {
  readonly format: 'hopback.scenario.1';
  /** Letters, digits and dashes: names the folder of a run. */
  readonly name: string;
  /** Why anybody would run it: a paragraph. */
  readonly why: string;
  /** Default 1. */
  readonly seed?: number;
  readonly providers: readonly ScenarioProvider[];
  readonly trunks: readonly ScenarioTrunk[];
  readonly callers: readonly ScenarioCaller[];
  readonly called: readonly ScenarioCalled[];
  readonly phases: readonly ScenarioPhase[];
  /** Calls that are up at a time, at most. Default 1,000. Calls above it are not placed, and counted. */
  readonly maxConcurrent?: number;
  readonly platform?: ScenarioPlatform;
  /** Metric, and what it is held to, as k6 writes it: `rate==1`, `p(99)<20`, `count>0`. */
  readonly thresholds?: Readonly<Record<string, readonly ScenarioThreshold[]>>;
}

/** What a metric is held to. */
export type ScenarioThreshold =
  string | { readonly threshold: string; readonly abortOnFail?: boolean; readonly delayAbortSeconds?: number };
