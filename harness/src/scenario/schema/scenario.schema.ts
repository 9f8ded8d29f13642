import { z } from 'zod';
import {
  MAX_BEHAVIOURS,
  MAX_CSV_FIELDS,
  MAX_CSV_ROWS,
  MAX_NUMBER_ENTRIES,
  MAX_PARTIES,
  MAX_PER_SECOND,
  MAX_PHASE_SECONDS,
  MAX_PHASES,
  MAX_PHONES,
  MAX_POOL_NUMBERS,
  MAX_PROVIDERS,
  MAX_SCRIPT_CHARS,
  MAX_TRACES,
  MAX_TRUNKS,
} from '../scenario.js';

/** A value of which nothing can be changed. */
export type ReadonlyDeep<Value> = Value extends object
  ? { readonly [Member in keyof Value]: ReadonlyDeep<Value[Member]> }
  : Value;

// Words that the parts of a scenario share. What is said to people of a value that does not fit stands beside its form.

/** Names by which parts of a scenario speak of each other; also names of folders and of SIP users. */
const id: z.ZodString = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/u, {
  error: 'must be 1 to 64 letters, digits and dashes, and begin and end with a letter or digit',
});

/** A telephone number: digits with country code (E.164), or as a prefix of those. */
const number: z.ZodString = z
  .string()
  .regex(/^[0-9]{3,15}$/u, { error: 'must be 3 to 15 digits in quotes, country code first' });

const numberPrefix: z.ZodString = z
  .string()
  .regex(/^[0-9]{1,15}$/u, { error: 'must be 1 to 15 digits in quotes, country code first' });

/** One number, or the first and the last of a range. */
const numberOrRange = z.string().regex(/^[0-9]{3,15}(?:-[0-9]{3,15})?$/u, {
  error: 'must be a number of 3 to 15 digits, country code first, or a range of them: "12025550100-12025550199"',
});

const numberList: z.ZodArray<z.ZodString> = z.array(numberOrRange).min(1).max(MAX_NUMBER_ENTRIES);

/** A part of a whole. */
const share: z.ZodNumber = z.number().min(0).max(1);

/** What people are told: bounded, and without what cannot be seen. */
const line = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, { error: 'must be one line' });

/** What a variable is worth: text, a number, true or false. */
export type VariableValue = string | number | boolean;

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/u, {
  error: 'must be 1 to 64 letters, digits, _ and -, and begin with no digit',
});

/** Variables that a file brings along, with what they are worth where nobody says otherwise. */
export const VARIABLES_SECTION: z.ZodType<Readonly<Record<string, VariableValue>>> = z.record(
  variableName,
  z.union([z.string().max(10_000), z.number(), z.boolean()]),
);

const phaseSeconds = z.number().min(0).max(MAX_PHASE_SECONDS);
const times = { fromSeconds: z.exactOptional(phaseSeconds), untilSeconds: z.exactOptional(phaseSeconds) };
/** Those of answers and certificates are the same for all calls: they have no share. */
const bounds = { ...times, share: z.exactOptional(share) };

const signalling = [
  /** A link that is not IP: Identity does not survive. */
  z.strictObject({ kind: z.literal('strips-identity'), ...bounds }),
  /** Signs whatever its customers show with full attestation. */
  z.strictObject({ kind: z.literal('signs-spoofed'), ...bounds }),
  /** Throws away what came and signs anew with less. */
  z.strictObject({ kind: z.literal('downgrades'), to: z.enum(['B', 'C']), ...bounds }),
  /** Throws away what came and signs anew in the name of another, whose key it has: third-party signing, or a stolen SPC. */
  z.strictObject({ kind: z.literal('signs-as'), provider: id, attestation: z.enum(['A', 'B', 'C']), ...bounds }),
  /** Writes full attestation into the PASSporT that came, under the signature that it has. */
  z.strictObject({ kind: z.literal('alters-identity'), ...bounds }),
  /** Forwards calls to the numbers that it serves to another number, as its subscribers asked, with a div PASSporT. */
  z.strictObject({ kind: z.literal('diverts'), to: number, withoutDiv: z.exactOptional(z.boolean()), ...bounds }),
  /** Puts another number into the call. `national`: without +1. `prefix`: technical prefix and # before the called number. `calling`: another caller. */
  z.strictObject({
    kind: z.literal('rewrites-numbers'),
    how: z.enum(['national', 'prefix', 'calling']),
    value: z.exactOptional(
      z
        .string()
        .regex(/^[0-9]{1,15}$/u, { error: 'must be 1 to 15 digits in quotes: a number, or a technical prefix' }),
    ),
    ...bounds,
  }),
  /** Sends each call to several next hops at once; the first answer counts. */
  z.strictObject({ kind: z.literal('forks'), branches: z.int().min(2).max(10), ...bounds }),
  /** Puts the Identity of an earlier call into a later one. */
  z.strictObject({ kind: z.literal('replays-identity'), ...bounds }),
  /** Refuses with 503 what is more than it can carry. */
  z.strictObject({ kind: z.literal('overloads'), perSecond: z.number().positive().max(MAX_PER_SECOND), ...bounds }),
  /** Ends all calls and answers nothing, as a switch that has crashed, then comes back. */
  z.strictObject({ kind: z.literal('crashes'), ...times }),
] as const;

const certificates = [
  z.strictObject({
    kind: z.literal('certificate'),
    fault: z.enum(['expired', 'revoked', 'wrong-spc', 'untrusted']),
    ...times,
  }),
  z.strictObject({ kind: z.literal('certificate-server'), fault: z.enum(['dead', 'slow', 'hostile']), ...times }),
] as const;

/** A day: a clock that is more than that wrong has been set to another date. */
const MAX_SKEW_SECONDS = 86_400;

const records = [
  /** No records of the time, and it knows. */
  z.strictObject({ kind: z.literal('record-gap'), ...bounds }),
  /** They are there, and gone when they are asked for. */
  z.strictObject({ kind: z.literal('purged-records'), ...bounds }),
  /** Its clock is wrong: records, and signatures, are so many seconds late. */
  z.strictObject({
    kind: z.literal('clock-skew'),
    seconds: z.number().min(-MAX_SKEW_SECONDS).max(MAX_SKEW_SECONDS),
    ...times,
  }),
] as const;

/** A year: beyond it every platform has given up. */
const MAX_LATE_HOURS = 8_760;

const answers = [
  z.strictObject({ kind: z.literal('silent'), ...times }),
  /** Answers so many hours after the request, of the platform's clock. */
  z.strictObject({ kind: z.literal('late'), hours: z.number().positive().max(MAX_LATE_HOURS), ...times }),
  z.strictObject({ kind: z.literal('refuses'), reason: line(500), ...times }),
  /**
   * Names a provider of the network that did not send it the call. With `colludes` that provider says that it did. With `otherCall` the answer discloses
   * another call, six hours later.
   */
  z.strictObject({
    kind: z.literal('names-another'),
    provider: id,
    colludes: z.exactOptional(z.boolean()),
    otherCall: z.exactOptional(z.boolean()),
    ...times,
  }),
  z.strictObject({ kind: z.literal('names-nobody'), name: line(200), ...times }),
  /** Says that the call began with it. */
  z.strictObject({ kind: z.literal('claims-origin'), ...times }),
  /** Says that there was no such call. */
  z.strictObject({ kind: z.literal('denies'), ...times }),
] as const;

const all = [...signalling, ...certificates, ...records, ...answers] as const;

/** The schema of a behaviour. */
export const Behaviour = z.discriminatedUnion('kind', all);

/**
 * What a provider does that an honest one with good equipment does not. All may say from when to when they hold, seconds from the first call, and for which
 * part of the calls, drawn by the seed. Absent: always, and for all. Those of answers and certificates have no share: they are the same for all calls.
 */
export type Behaviour = ReadonlyDeep<z.output<typeof Behaviour>> & {
  readonly fromSeconds?: number;
  readonly untilSeconds?: number;
  /** 0 to 1. */
  readonly share?: number;
};

/** Every kind there is. */
export type BehaviourKind = Behaviour['kind'];

const BEHAVIOUR: z.ZodType<Behaviour> = Behaviour;

/** The kind of such a behaviour, where one is spoken of. */
const BEHAVIOUR_KIND = z.enum(all.map(({ shape }) => shape.kind.value));

const numbers = z.discriminatedUnion('kind', [
  /** Numbers that its provider has given to it. */
  z.strictObject({ kind: z.literal('own'), numbers: numberList }),
  /** The first six digits after the country code are those of the called number. */
  z.strictObject({ kind: z.literal('neighbour') }),
  /** Many numbers, few calls from each. `count` numbers under `prefixes`. */
  z.strictObject({
    kind: z.literal('snowshoe'),
    prefixes: z.array(numberPrefix).min(1).max(1_000),
    count: z.int().min(1).max(MAX_POOL_NUMBERS),
  }),
  /** Numbers from which nobody calls. They are on the do-not-originate list of the scenario. */
  z.strictObject({ kind: z.literal('dno'), numbers: numberList }),
  /** No numbers at all: unassignable area codes and exchanges. */
  z.strictObject({ kind: z.literal('invalid') }),
  /** The number of somebody who has nothing to do with it. */
  z.strictObject({ kind: z.literal('victim'), numbers: numberList }),
]);

const field = z
  .int()
  .min(0)
  .max(MAX_CSV_FIELDS - 1);
const wordName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/u, { error: 'must be a name of 1 to 32 letters and digits' });

const csv = z.strictObject({
  /** Path of the file, from that of the scenario; {@link readScenario} puts what is in it into `rows` and `order`. */
  file: z.exactOptional(line(1_000)),
  /** Field of a line, from 0, that has the number that is shown. Default `numbers` decides. */
  calling: z.exactOptional(field),
  /** Field that has the number that is called: one that the caller's `calls` have. Default drawn from those. */
  called: z.exactOptional(field),
  /** Fields that have words of the script, by the name that they have in braces there. */
  words: z.exactOptional(z.record(wordName, field)),
  /**
   * `sequential`: line by line, and again from the first; `random`: drawn by the seed; `user`: each line is a subscriber, who is not taken
   * again before its call has ended. Default `sequential`.
   */
  order: z.exactOptional(z.enum(['sequential', 'random', 'user'])),
  /** Fields of the lines. */
  rows: z.exactOptional(
    z
      .array(z.array(z.string().max(1_000)).min(1).max(MAX_CSV_FIELDS))
      .min(1)
      .max(MAX_CSV_ROWS),
  ),
});

/** A call of an hour and more is none that a test waits for. */
const seconds = z.number().min(0).max(7_200);
/** Weights of callers: any relation that people write. */
const weight = z.number().positive().max(1_000_000);

/** Somebody who calls. */
const CALLER = z.strictObject({
  id,
  kind: z.enum(['robocaller', 'ordinary']),
  /** Provider whose customer it is. */
  at: id,
  numbers,
  /** Ids of members of `called` that it calls. */
  calls: z.array(id).min(1).max(10_000),
  /** Part of the calls of each phase that are its own, in relation to the other callers. Default 1. */
  share: z.exactOptional(weight),
  /** How long a call lasts that is answered, seconds. Default 6 to 20 for a robocaller, 30 to 240 for others; a phase may shorten all. */
  durationSeconds: z.exactOptional(z.strictObject({ from: seconds, to: seconds })),
  /** `sequential` dials one number after the other. Default `random`. */
  order: z.exactOptional(z.enum(['sequential', 'random'])),
  /**
   * What a robocaller says: a text, or the name of one of {@link ROBOCALL_SCRIPTS}. Words in braces, as `{name}` and `{callBack}`, vary from call to call.
   * Default one of those scripts, by the campaign; empty: it says nothing.
   */
  script: z.exactOptional(z.string().max(MAX_SCRIPT_CHARS)),
  /** Numbers that the script names to be called back. */
  callBack: z.exactOptional(z.array(number).min(1).max(1_000)),
  /** Name of the campaign that its calls belong to; callers of the same name are of one campaign. Default its `id` for a robocaller. */
  campaign: z.exactOptional(id),
  /** Numbers and words that come from a file, line by line, in the place of `numbers`, `calls` and what the script would make up. */
  csv: z.exactOptional(csv),
  /** It calls at hours of the day: a part of its calls, which depends on the hour, is not made. Default it does not know the hour. */
  daily: z.exactOptional(
    z.strictObject({
      startHour: z.number().min(0).max(24),
      hoursPerSecond: z.exactOptional(z.number().positive().max(24)),
    }),
  ),
  /** A call centre: so many people call, one call each; while all of them do no other call is made. Default any number of people. */
  agents: z.exactOptional(z.int().min(1).max(10_000)),
});

/** Numbers that are called. */
const CALLED = z
  .strictObject({
    id,
    /** Provider that serves them. */
    at: id,
    /** First number, digits with country code. */
    first: number,
    /** How many, from `first` on. Default 1. */
    count: z.exactOptional(z.int().min(1).max(1_000_000_000)),
    /**
     * Who answers. `phones`: phones of sip.js that register, one for each number, at most 50; `sink`: one that answers all of them, for volume. Default `sink`.
     */
    by: z.exactOptional(z.enum(['phones', 'sink'])),
    /** Part of the calls that are answered, 0 to 1. Default 1. */
    answers: z.exactOptional(share),
    /**
     * A call-blocking app: which part of the robocalls that come in it reports with what was heard, and whether it rejects them with 607.
     * Default none.
     */
    app: z.exactOptional(z.strictObject({ reports: share, rejects: z.exactOptional(z.boolean()) })),
  })
  .describe(`Numbers that are called; of phones at most ${String(MAX_PHONES)} in all.`);

/** What editors say of members, by their place: names of objects and lists on the way to them, kinds left out. */
const MEMBER_DESCRIPTIONS: Readonly<Record<string, string>> = {
  format: 'Version of the form of this file.',
  name: 'Letters, digits and dashes: names the folder of a run.',
  why: 'Why anybody would run it: a paragraph.',
  seed: 'What is drawn depends on it alone. Default 1.',
  variables: 'What ${name} is worth where neither the command line nor HOPBACK_NAME says otherwise.',
  maxConcurrent: 'Calls that are up at a time, at most; those above it are not placed, and counted. Default 1000.',

  providers: 'The carriers.',
  'providers.id': 'Short name by which the rest of the scenario speaks of it.',
  'providers.name': 'Name of the business. Default made of id.',
  'providers.role': 'Which part it plays for the calls of the scenario.',
  'providers.spc': 'Service provider code in its certificate, four characters. Default one of its own.',
  'providers.country': 'ISO 3166-1 alpha-2. Default US; a foreign one has to say.',
  'providers.stir': 'Whether it takes part in STIR/SHAKEN. Default true for all but foreign.',
  'providers.numbers': 'Prefixes of the numbers that it may sign with A: digits, country code first. Default none.',
  'providers.failureAction': 'What becomes of calls that fail verification. Default continue_return_reason.',
  'providers.shares':
    'What the platform sees of its live calls. Default suspicious for terminating providers, nothing for others.',
  'providers.answersTracebacks': 'Whether it answers tracebacks by itself. Default true for all but foreign.',
  'providers.behaviours':
    'What it does that an honest one with good equipment does not. Several add up, in their order.',
  'providers.behaviours.kind': 'What it does.',
  'providers.behaviours.fromSeconds': 'It holds for calls from this second of the run on. Default from the beginning.',
  'providers.behaviours.untilSeconds': 'It holds for calls before this second of the run. Default to the end.',
  'providers.behaviours.share': 'Part of the calls for which it holds, drawn by the seed. Default all.',
  'providers.behaviours.to':
    'Attestation that it signs with; or the number that calls are forwarded to, which somebody serves.',
  'providers.behaviours.provider': 'Another provider of the network.',
  'providers.behaviours.attestation': 'Attestation that it signs with.',
  'providers.behaviours.withoutDiv': 'It forwards without a div PASSporT. Default false.',
  'providers.behaviours.how':
    'national: without country code. prefix: digits and # before the called number. calling: another calling number.',
  'providers.behaviours.value': 'The prefix, or the calling number.',
  'providers.behaviours.branches': 'Next hops that each call is sent to at once.',
  'providers.behaviours.perSecond': 'Calls a second that it can carry; the others are refused with 503.',
  'providers.behaviours.fault': 'What is wrong with the certificate, or with the server that it is fetched from.',
  'providers.behaviours.seconds': 'How far its clock is ahead; negative: behind.',
  'providers.behaviours.hours': 'From the request to its answer, of the clock of the platform.',
  'providers.behaviours.reason': 'Why it refuses, as it says.',
  'providers.behaviours.otherCall':
    'Its answer discloses another call, six hours later, as if the request were about that one. Default false.',
  'providers.behaviours.colludes': 'The one that it names says that it sent the call. Default false.',
  'providers.behaviours.name': 'Name of somebody who does not exist.',

  trunks: 'Calls go from one provider to another by them.',
  'trunks.from': 'Provider that sends.',
  'trunks.to': 'Provider that receives.',
  'trunks.cost': 'Of a call; the cheapest way is taken. Default 1.',
  'trunks.share': 'Part of the calls among trunks of equal cost to the same end, in relation to theirs. Default 1.',

  callers: 'Who calls.',
  'callers.id': 'Short name.',
  'callers.kind': 'A robocaller belongs to a campaign, and says something.',
  'callers.at': 'Provider whose customer it is.',
  'callers.numbers': 'Which numbers it shows.',
  'callers.numbers.kind': 'Where they come from.',
  'callers.numbers.numbers': 'Numbers, or ranges of them: "12025550100-12025550199".',
  'callers.numbers.prefixes': 'What they begin with, country code first.',
  'callers.numbers.count': 'How many there are.',
  'callers.calls': 'Entries of called that it calls.',
  'callers.share': 'Part of the calls of a phase, in relation to the other callers. Default 1.',
  'callers.durationSeconds':
    'How long a call lasts that is answered. Default 6 to 20 for robocallers, 30 to 240 for others.',
  'callers.durationSeconds.from': 'At least, seconds.',
  'callers.durationSeconds.to': 'At most, seconds.',
  'callers.order': 'sequential dials one number after the other. Default random.',
  'callers.script': 'What it says: a text with words in braces, or the name of a script. Empty: nothing.',
  'callers.callBack': 'Numbers that {callBack} stands for.',
  'callers.campaign': 'Campaign of its calls; callers of the same name are of one campaign. Default its id.',
  'callers.csv': 'Numbers and words from a CSV file as SIPp reads them.',
  'callers.csv.file': 'Path, from that of this file.',
  'callers.csv.calling': 'Field, from 0, that has the number that is shown.',
  'callers.csv.called': 'Field that has the number that is called.',
  'callers.csv.words': 'Fields that have words of the script, by name.',
  'callers.csv.order': 'In which order rows are taken. Default what the first line of the file says.',
  'callers.csv.rows': 'The rows themselves, in the place of a file.',
  'callers.daily': 'It calls more at some hours of the day than at others.',
  'callers.daily.startHour': 'Hour at which the run begins.',
  'callers.daily.hoursPerSecond': 'Hours that pass in a second of the run. Default by the clock.',
  'callers.agents': 'A call centre: so many people, one call each. Default any number.',

  called: 'Numbers that are called.',
  'called.id': 'Short name.',
  'called.at': 'Provider that serves them.',
  'called.first': 'First number, digits with country code.',
  'called.count': 'How many, from first on. Default 1.',
  'called.by':
    'phones: one of sip.js for each number, at most 50 in all. sink: one that answers all of them. Default sink.',
  'called.answers': 'Part of the calls that are answered. Default 1.',
  'called.app': 'They have a call-blocking app.',
  'called.app.reports': 'Part of the robocalls that it reports.',
  'called.app.rejects': 'Whether it rejects those with 607. Default false.',

  phases: 'Stretches of time with calls, one after the other.',
  'phases.name': 'Short name.',
  'phases.seconds': 'How long it is.',
  'phases.rate': 'New calls each second.',
  'phases.rate.shape': 'The same all the time; from one to another; peak for the middle third; at random.',
  'phases.rate.perSecond': 'Calls a second; of a spike outside its middle third, of poisson on average.',
  'phases.rate.from': 'Calls a second at the beginning.',
  'phases.rate.to': 'Calls a second at the end.',
  'phases.rate.peak': 'Calls a second in the middle third.',
  'phases.callers': 'Callers of the phase. Default all.',

  platform: 'What the traceback group does. Without it there is no platform: calls alone.',
  'platform.traces': 'Calls that staff traces whatever the seed draws: the first that fits each entry. Default none.',
  'platform.traces.through': 'A provider that the call came through.',
  'platform.traces.behaviour': 'What that provider did to it, or says of it. Default anything.',
  'platform.traces.caller': 'Who placed it. Default anybody.',
  'platform.staffTracebacks': 'Calls that staff traces besides, drawn by the seed. Default 0.',
  'platform.agencies': 'Agencies that are to be alerted, by jurisdiction. Default US.',

  thresholds: 'Metrics, and what they are held to: rate==1, p(99)<20, count>0.',
  'thresholds.threshold': 'What it is held to.',
  'thresholds.abortOnFail':
    'Ends the run as soon as it does not hold; for metrics of calls and verdicts. Default false.',
  'thresholds.delayAbortSeconds': 'Not before so many seconds. Default 0.',
};

const provider = z.strictObject({
  /** Short name by which the rest of the scenario speaks of it: letters, digits and dashes. */
  id,
  /** Name of the business. Default made of `id`. */
  name: z.exactOptional(line(200)),
  role: z.enum(['originating', 'ipes', 'gateway', 'transit', 'terminating', 'foreign']),
  /** Service provider code in its certificate, four characters. Default one of its own, made from its place in the list. */
  spc: z.exactOptional(
    z.string().regex(/^[0-9A-Z]{4}$/u, { error: 'must be four characters in quotes, digits and capital letters' }),
  ),
  /** ISO 3166-1 alpha-2. Default `US`; a `foreign` one has to say. */
  country: z.exactOptional(
    z.string().regex(/^[A-Z]{2}$/u, { error: 'must be two capital letters, as ISO 3166-1 has them' }),
  ),
  /**
   * Whether it takes part in STIR/SHAKEN. Default true for all but `foreign`. One that does not neither signs nor verifies, and hands Identity on as it
   * came.
   */
  stir: z.exactOptional(z.boolean()),
  /** Numbers that it may sign with full attestation for its customers: prefixes of digits, country code first. Default none. */
  numbers: z.exactOptional(z.array(numberPrefix).max(MAX_NUMBER_ENTRIES)),
  /** What becomes of calls that fail verification. Default `continue_return_reason`. */
  failureAction: z.exactOptional(z.enum(['continue', 'continue_return_reason', 'reject_request'])),
  /** Default `suspicious` for terminating providers, `nothing` for the others. */
  shares: z.exactOptional(z.enum(['nothing', 'suspicious', 'all-pseudonymous', 'all'])),
  /** Whether it has the SDK's responder, so that it answers tracebacks by itself. Default true for all but `foreign`. */
  answersTracebacks: z.exactOptional(z.boolean()),
  /** What it does that it should not, or that makes work. Default none: it is honest. Several add up, in their order. */
  behaviours: z.exactOptional(z.array(BEHAVIOUR).max(MAX_BEHAVIOURS)),
});

const trunk = z.strictObject({
  from: id,
  to: id,
  /** Of a call; the cheapest way is taken. Default 1. */
  cost: z.exactOptional(z.number().positive().max(1_000_000)),
  /**
   * Part of the calls that take this trunk where others of the same `from` lead to the same end at the same cost, in relation to theirs. Default 1.
   */
  share: z.exactOptional(share),
});

const perSecond = z.number().min(0).max(MAX_PER_SECOND);

const phase = z.strictObject({
  name: id,
  seconds: z.number().positive().max(MAX_PHASE_SECONDS),
  /** New calls each second: the same all the time; from one to another; `peak` for the middle third; at random, so many on average. */
  rate: z.discriminatedUnion('shape', [
    z.strictObject({ shape: z.literal('constant'), perSecond }),
    z.strictObject({ shape: z.literal('ramp'), from: perSecond, to: perSecond }),
    z.strictObject({ shape: z.literal('spike'), perSecond, peak: perSecond }),
    z.strictObject({ shape: z.literal('poisson'), perSecond }),
  ]),
  /** Ids of the callers of the phase. Default all. */
  callers: z.exactOptional(z.array(id).min(1).max(MAX_PARTIES)),
});

const thresholdText = z.string().min(1).max(100);

const threshold = z.union([
  thresholdText,
  z.strictObject({
    threshold: thresholdText,
    abortOnFail: z.exactOptional(z.boolean()),
    delayAbortSeconds: z.exactOptional(z.number().min(0).max(MAX_PHASE_SECONDS)),
  }),
]);

const trace = z.strictObject({
  /** Id of a provider that it came through. */
  through: id,
  /** What that provider did to the call, or says of it: the kind of one of its behaviours. Default anything. */
  behaviour: z.exactOptional(BEHAVIOUR_KIND),
  /** Id of who placed it. Default anybody. */
  caller: z.exactOptional(id),
});

/** `US`, or a state of it, `US-TX`. */
const jurisdiction = z
  .string()
  .regex(/^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/u, { error: 'must be a jurisdiction: "US", "US-TX"' });

const members = {
  format: z.literal('hopback.scenario.1'),
  /** Letters, digits and dashes: names the folder of a run. */
  name: id,
  /** Why anybody would run it: a paragraph. */
  why: z.string().min(1).max(10_000),
  /** Default 1. */
  seed: z.exactOptional(z.int().min(0).max(Number.MAX_SAFE_INTEGER)),
  providers: z.array(provider).min(1).max(MAX_PROVIDERS),
  trunks: z.array(trunk).max(MAX_TRUNKS),
  callers: z.array(CALLER).min(1).max(MAX_PARTIES),
  called: z.array(CALLED).min(1).max(MAX_PARTIES),
  phases: z.array(phase).min(1).max(MAX_PHASES),
  /** Calls that are up at a time, at most. Default 1,000. Calls above it are not placed, and counted. */
  maxConcurrent: z.exactOptional(z.int().min(1).max(1_000_000)),
  platform: z.exactOptional(
    z.strictObject({
      traces: z.exactOptional(z.array(trace).max(MAX_TRACES)),
      staffTracebacks: z.exactOptional(z.int().min(0).max(100_000)),
      agencies: z.exactOptional(z.array(jurisdiction).min(1).max(100)),
    }),
  ),
  /** Metric, and what it is held to, as k6 writes it: `rate==1`, `p(99)<20`, `count>0`. */
  thresholds: z.exactOptional(z.record(z.string().max(100), z.array(threshold).min(1).max(20))),
} as const;

/** A scenario: members that it does not have are errors, and so is what does not make sense to `checkScenario`, which comes after it. */
export const Scenario = z.strictObject(members);
/**
 * A network, who calls in it, and what it is held to. What {@link readScenario} makes of a file, and {@link defineScenario} of an object: variables are
 * filled in, CSV files are read, defaults are not yet put in.
 */
export type Scenario = ReadonlyDeep<z.output<typeof Scenario>>;
/** A carrier of the network. */
export type ScenarioProvider = Scenario['providers'][number];
/** Which part a provider plays for the calls of a scenario. `ipes`: an interconnected VoIP provider; `foreign`: outside the United States. */
export type ProviderRole = ScenarioProvider['role'];
/** What a provider lets the platform see of its live calls. */
export type ScenarioSharing = NonNullable<ScenarioProvider['shares']>;
/** Calls go from one provider to another by it. */
export type ScenarioTrunk = Scenario['trunks'][number];
/** Somebody who calls. */
export type ScenarioCaller = Scenario['callers'][number];
/** Which numbers a caller shows. Where numbers are listed an entry is one number, digits with country code, or a range of them, `first-last`. */
export type CallingNumbers = ScenarioCaller['numbers'];
/** Lines of a CSV file as SIPp reads them: fields separated by `;`, and a first line that says in which order they are taken. */
export type ScenarioCsv = NonNullable<ScenarioCaller['csv']>;
/** Numbers that are called. */
export type ScenarioCalled = Scenario['called'][number];
/** A stretch of time with calls. */
export type ScenarioPhase = Scenario['phases'][number];
/** What the traceback group does. Without it there is no platform: calls alone. */
export type ScenarioPlatform = NonNullable<Scenario['platform']>;
/** A call that staff traces for what became of it on its way. */
export type ScenarioTrace = NonNullable<ScenarioPlatform['traces']>[number];
/** What a metric is held to. */
export type ScenarioThreshold = NonNullable<Scenario['thresholds']>[string][number];

/** A variable in the place of a number or of a word of a list, as files may have it. */
const VARIABLE = { type: 'string', pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_-]*(:-[^}]*)?\\}$' } as const;

/**
 * The schema of a scenario file for editors, which complete and check as one writes: what {@link readScenario} takes, with variables in the place of
 * values. What does not make sense although its form is right, as a provider that is nowhere, only the reader finds.
 * @returns plain JSON; never throws
 * @see JSON Schema draft-7
 * @example
 * ```ts
 * console.log(scenarioJsonSchema()['title']); // Scenario of a Hopback test network
 * ```
 */
export const scenarioJsonSchema = (): Readonly<Record<string, unknown>> => {
  const { $schema, ...schema } = z.toJSONSchema(
    z.strictObject({ ...members, variables: z.exactOptional(VARIABLES_SECTION) }),
    {
      ...({ target: 'draft-7', io: 'input' } as const),
      override: ({ jsonSchema }) => {
        if (!('enum' in jsonSchema) && !['number', 'integer', 'boolean'].includes(String(jsonSchema.type))) return;
        const own = { ...jsonSchema };
        for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key];
        jsonSchema.anyOf = [own, { ...VARIABLE }] as NonNullable<typeof jsonSchema.anyOf>;
      },
    },
  );
  return { $schema, title: 'Scenario of a Hopback test network', ...(described(schema, []) as object) };
};

/** The same schema with what editors say of its members. */
function described(schema: unknown, trail: readonly string[]): unknown {
  if (Array.isArray(schema)) return schema.map((part) => described(part, trail));
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key !== 'properties') return [key, described(value, trail)];
      const named = Object.entries(value as object).map(([name, member]) => {
        const place = [...trail, name];
        const description = MEMBER_DESCRIPTIONS[place.join('.')];
        return [
          name,
          { ...(description === undefined ? {} : { description }), ...(described(member, place) as object) },
        ];
      });
      return [key, Object.fromEntries(named) as unknown];
    }),
  );
}

/** Names of all members that any object of a scenario has, for suggestions. */
export const MEMBER_NAMES: readonly string[] = [...namesIn(z.toJSONSchema(z.strictObject(members), { io: 'input' }))];

function namesIn(schema: unknown, found: Set<string> = new Set()): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return found;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value as object)) found.add(name);
    namesIn(value, found);
  }
  return found;
}
