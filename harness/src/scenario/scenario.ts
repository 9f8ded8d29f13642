/**
 * What all behaviours may say: from when to when they hold, seconds from the first call, and for which part of the calls, drawn by the seed. Absent: always,
 * and for all.
 */
export interface BehaviourBounds {
  readonly fromSeconds?: number;
  readonly untilSeconds?: number;
  /** 0 to 1. Behaviours of answers and certificates have none: they are the same for all calls. */
  readonly share?: number;
}

/** What a provider does to the calls that it carries. */
export type SignallingBehaviour =
  /** A link that is not IP: Identity does not survive. */
  | { readonly kind: 'strips-identity' }
  /** Signs whatever its customers show with full attestation. */
  | { readonly kind: 'signs-spoofed' }
  /** Throws away what came and signs anew with less. */
  | { readonly kind: 'downgrades'; readonly to: 'B' | 'C' }
  /** Throws away what came and signs anew in the name of another, whose key it has: third-party signing, or a stolen SPC. */
  | { readonly kind: 'signs-as'; readonly provider: string; readonly attestation: 'A' | 'B' | 'C' }
  /** Writes full attestation into the PASSporT that came, under the signature that it has. */
  | { readonly kind: 'alters-identity' }
  /** Forwards calls to the numbers that it serves to another number, as its subscribers asked, with a div PASSporT. */
  | { readonly kind: 'diverts'; readonly to: string; readonly withoutDiv?: boolean }
  /** Puts another number into the call. `national`: without +1. `prefix`: technical prefix and # before the called number. `calling`: another caller. */
  | { readonly kind: 'rewrites-numbers'; readonly how: 'national' | 'prefix' | 'calling'; readonly value?: string }
  /** Sends each call to several next hops at once; the first answer counts. */
  | { readonly kind: 'forks'; readonly branches: number }
  /** Puts the Identity of an earlier call into a later one. */
  | { readonly kind: 'replays-identity' }
  /** Refuses with 503 what is more than it can carry. */
  | { readonly kind: 'overloads'; readonly perSecond: number }
  /** Ends all calls and answers nothing, as a switch that has crashed, then comes back. */
  | { readonly kind: 'crashes' };

/** What is wrong with its certificate, or with the server that it is fetched from. */
export type CertificateBehaviour =
  | { readonly kind: 'certificate'; readonly fault: 'expired' | 'revoked' | 'wrong-spc' | 'untrusted' }
  | { readonly kind: 'certificate-server'; readonly fault: 'dead' | 'slow' | 'hostile' };

/** What is wrong with its records. */
export type RecordBehaviour =
  /** No records of the time, and it knows. */
  | { readonly kind: 'record-gap' }
  /** They are there, and gone when they are asked for. */
  | { readonly kind: 'purged-records' }
  /** Its clock is wrong: records, and signatures, are so many seconds late. */
  | { readonly kind: 'clock-skew'; readonly seconds: number };

/** What it does with traceback requests. */
export type AnswerBehaviour =
  | { readonly kind: 'silent' }
  /** Answers so many hours after the request, of the platform's clock. */
  | { readonly kind: 'late'; readonly hours: number }
  | { readonly kind: 'refuses'; readonly reason: string }
  /**
   * Names a provider of the network that did not send it the call. With `colludes` that provider says that it did. With `otherCall` the answer discloses
   * another call, six hours later.
   */
  | {
      readonly kind: 'names-another';
      readonly provider: string;
      readonly colludes?: boolean;
      readonly otherCall?: boolean;
    }
  | { readonly kind: 'names-nobody'; readonly name: string }
  /** Says that the call began with it. */
  | { readonly kind: 'claims-origin' }
  /** Says that there was no such call. */
  | { readonly kind: 'denies' };

/** What a provider does that an honest one with good equipment does not. */
export type Behaviour = BehaviourBounds &
  (SignallingBehaviour | CertificateBehaviour | RecordBehaviour | AnswerBehaviour);

/** Every kind there is. */
export type BehaviourKind = Behaviour['kind'];

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

/** Characters of a scenario file: a network of 7,000 carriers with all its trunks has about two million. */
export const MAX_SCENARIO_CHARS = 2_097_152;
/** All carriers of the United States, twice. */
export const MAX_PROVIDERS = 20_000;
/** Each of them at ten others. */
export const MAX_TRUNKS = 200_000;
/** Callers, and called numbers: each has random numbers of its own, which takes memory. */
export const MAX_PARTIES = 20_000;
/** Of one provider: more would not be understood by anybody. */
export const MAX_BEHAVIOURS = 32;
export const MAX_PHASES = 100;
/** Of a phase, seconds: a week. */
export const MAX_PHASE_SECONDS = 604_800;
/** Of calls that staff traces for what became of them: more would not be looked at one by one. */
export const MAX_TRACES = 1_000;
/** Calls a second: more than a carrier has, so that a slip of the keyboard is found. */
export const MAX_PER_SECOND = 100_000;
/** Calls of a whole scenario: what a simulation carries in an hour. */
export const MAX_CALLS = 20_000_000;
/** Entries of a list of numbers. */
export const MAX_NUMBER_ENTRIES = 10_000;
/** Numbers that the ranges of one list may hold together. */
export const MAX_POOL_NUMBERS = 1_000_000;
/** Numbers of one do-not-originate list: they are held, and searched, as they are. */
export const MAX_DNO_NUMBERS = 10_000;
/** Phones of sip.js in a scenario: each is a user agent with a connection of its own. */
export const MAX_PHONES = 50;
/** Characters of a script: ten minutes of talk. */
export const MAX_SCRIPT_CHARS = 20_000;
/** Lines of a CSV file. */
export const MAX_CSV_ROWS = 100_000;
/** Fields of a line. */
export const MAX_CSV_FIELDS = 64;
/** Characters of a CSV file. */
export const MAX_CSV_CHARS = 16_777_216;
/** Aliases of YAML that one scenario may use, and values that they may stand for: a few lines can otherwise stand for more than there is memory. */
export const MAX_YAML_ALIASES = 1_000;
/** Faults that are told of one scenario. */
export const MAX_FAULTS = 100;

/** Numbers one after the other. */
interface NumberRange {
  readonly first: string;
  readonly count: number;
}

/** Reads `12025550100` or `12025550100-12025550199`; absent for what is no range: of two lengths, or backwards. */
export function readNumberRange(text: string): NumberRange | undefined {
  const [first = '', last] = text.split('-');
  if (last === undefined) return { first, count: 1 };
  const count = Number(last) - Number(first) + 1;
  return first.length === last.length && count >= 1 ? { first, count } : undefined;
}

/** The number that is so many after the first, with as many digits. */
export const numberAt = (first: string, offset: number): string =>
  String(Number(first) + offset).padStart(first.length, '0');

/** Whether a number is one of `count` from `first` on. */
export function isInRange(number: string, { first, count }: NumberRange): boolean {
  const offset = Number(number) - Number(first);
  return number.length === first.length && offset >= 0 && offset < count;
}

/** Digits of a North American number: what is made up under a prefix of it has so many. Elsewhere numbers are as long, or four digits longer than the prefix. */
const MADE_DIGITS = 11;

/** All numbers under a prefix. Behind `1`, and behind a North American area code, no digit follows that no area code or exchange begins with. */
export function numbersUnder(prefix: string) {
  const length = prefix.startsWith('1') ? MADE_DIGITS : Math.max(MADE_DIGITS, Math.min(15, prefix.length + 4));
  const digits = Math.max(0, length - prefix.length);
  const isBounded = prefix === '1' || (prefix.length === 4 && prefix.startsWith('1'));
  const room = digits === 0 ? 1 : (isBounded ? 8 : 10) * 10 ** (digits - 1);
  const from = isBounded ? 2 * 10 ** (digits - 1) : 0;
  const at = (place: number): string => (digits === 0 ? prefix : prefix + String(from + place).padStart(digits, '0'));
  return { room, at };
}

/** A script that robocallers read out. */
export interface RobocallScript {
  /** BCP 47. */
  readonly language: string;
  /** What kind of call it is. */
  readonly topic: 'impersonation' | 'tech-support' | 'finance' | 'utility' | 'health' | 'vehicle' | 'travel' | 'debt';
  /** With words in braces that vary from call to call. */
  readonly text: string;
}

/** Words in braces that every script may have. A CSV file may bring others along. */
export const SCRIPT_WORDS: readonly string[] = ['name', 'company', 'amount', 'number', 'key', 'callBack', 'day'];
/** Scripts by name, for {@link ScenarioCaller.script}. All are invented: none is of a real recording. */
export const ROBOCALL_SCRIPTS: Readonly<Record<string, RobocallScript>> = {
  'ssa-suspended': {
    language: 'en',
    topic: 'impersonation',
    text: 'This call is from the inspector of the social security administration. My name is officer {name}. We are compelled to suspend your social security number because of suspicious activity in the south border of Texas. To speak with an officer press {key} now, or call our federal office at {callBack} before you are arrested.',
  },
  'irs-lawsuit': {
    language: 'en',
    topic: 'impersonation',
    text: 'Final notice from the tax crime unit. A lawsuit about unpaid taxes of {amount} dollars is being filed under your name, case number {number}. If we do not hear from you, the local sheriff will be at your door by {day}. Return this call at {callBack} and ask for agent {name}.',
  },
  'shop-order': {
    language: 'en',
    topic: 'impersonation',
    text: 'Hello, {name} here from the fraud desk of your online store. A telephone for {amount} dollars was ordered through your account and leaves the warehouse tonight. If you did not place this order press {key} to cancel it, or call {callBack} to have your money returned.',
  },
  'computer-renewal': {
    language: 'en',
    topic: 'tech-support',
    text: 'Dear customer, the protection plan of your computer is renewed today, and {amount} dollars will be taken from your bank account for {number} months. To cancel the renewal and get a refund call the billing department at {callBack}. Again, the number is {callBack}.',
  },
  'card-rates': {
    language: 'en',
    topic: 'finance',
    text: 'This is {name} with account services. Your good record of payments makes you eligible to lower the interest on all of your credit cards to as little as {number} percent, for a limited time. Press {key} to speak with a specialist, or press {key} to be taken off the list.',
  },
  'student-loan': {
    language: 'en',
    topic: 'finance',
    text: 'Hi, this is {name} with the student loan assistance center. Your file has been pre approved for forgiveness of {amount} dollars under the new program, but we need one document before {day}. Please call me back on {callBack} and mention file {number}.',
  },
  'power-disconnect': {
    language: 'en',
    topic: 'utility',
    text: 'Attention, this is the disconnection department of {company}. Because of a past due balance of {amount} dollars your electric service will be shut off within {number} minutes. To stop the crew that is on its way, call {callBack} or press {key} and have a payment card ready.',
  },
  'medicare-brace': {
    language: 'en',
    topic: 'health',
    text: 'Good afternoon, I am {name} with the senior health line. Our records show that your Medicare covers a back or knee brace at no cost, and a doctor has already signed the order. To have it shipped before {day} press {key} and confirm the number on your red, white and blue card.',
  },
  'vehicle-warranty': {
    language: 'en',
    topic: 'vehicle',
    text: 'We have been trying to reach you about the extended warranty of your vehicle. You should have received a notice in the mail about the coverage that is expiring. Since we have had no answer, this is a final courtesy call before we close your file. Press {key} to renew, or call {callBack}.',
  },
  'free-cruise': {
    language: 'en',
    topic: 'travel',
    text: 'Ahoy! This is captain {name} of {company}. You have been chosen out of {number} guests of our hotels for a cruise to the islands for two, with all taxes paid but a small fee of {amount} dollars. Press {key} to claim the cabin by {day}.',
  },
  'debt-warrant': {
    language: 'en',
    topic: 'debt',
    text: 'This message is for the party at this address. My name is {name} with pre legal services. A claim for {amount} dollars is to be served at your home and your place of work on {day}. To stop it you have the right to call the firm at {callBack}, reference {number}.',
  },
  'seguro-social': {
    language: 'es',
    topic: 'impersonation',
    text: 'Le habla {name} de la oficina del seguro social. Su numero fue usado para abrir cuentas falsas en Texas y sera suspendido hoy mismo. Oprima {key} para hablar con un agente federal o llame al {callBack} antes de que cierre su caso numero {number}.',
  },
  consulado: {
    language: 'es',
    topic: 'impersonation',
    text: 'Buenas tardes, le llamamos del departamento de documentos del consulado. Hay un paquete a su nombre con tarjetas que no son suyas, y la policia abrio el expediente {number}. Para dar su declaracion oprima {key}, o comuniquese con el oficial {name} al {callBack} hoy mismo.',
  },
};
