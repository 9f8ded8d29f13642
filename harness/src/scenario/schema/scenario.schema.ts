import { z } from 'zod';
import type {
  Behaviour,
  BehaviourKind,
  CallingNumbers,
  Scenario,
  ScenarioCalled,
  ScenarioCaller,
  ScenarioCsv,
  ScenarioPhase,
  ScenarioProvider,
  ScenarioThreshold,
  ScenarioTrace,
  ScenarioTrunk,
} from '../scenario.js';
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
  z.strictObject({ kind: z.literal('strips-identity'), ...bounds }),
  z.strictObject({ kind: z.literal('signs-spoofed'), ...bounds }),
  z.strictObject({ kind: z.literal('downgrades'), to: z.enum(['B', 'C']), ...bounds }),
  z.strictObject({ kind: z.literal('signs-as'), provider: id, attestation: z.enum(['A', 'B', 'C']), ...bounds }),
  z.strictObject({ kind: z.literal('alters-identity'), ...bounds }),
  z.strictObject({ kind: z.literal('diverts'), to: number, withoutDiv: z.exactOptional(z.boolean()), ...bounds }),
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
  z.strictObject({ kind: z.literal('forks'), branches: z.int().min(2).max(10), ...bounds }),
  z.strictObject({ kind: z.literal('replays-identity'), ...bounds }),
  z.strictObject({ kind: z.literal('overloads'), perSecond: z.number().positive().max(MAX_PER_SECOND), ...bounds }),
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
  z.strictObject({ kind: z.literal('record-gap'), ...bounds }),
  z.strictObject({ kind: z.literal('purged-records'), ...bounds }),
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
  z.strictObject({ kind: z.literal('late'), hours: z.number().positive().max(MAX_LATE_HOURS), ...times }),
  z.strictObject({ kind: z.literal('refuses'), reason: line(500), ...times }),
  z.strictObject({
    kind: z.literal('names-another'),
    provider: id,
    colludes: z.exactOptional(z.boolean()),
    otherCall: z.exactOptional(z.boolean()),
    ...times,
  }),
  z.strictObject({ kind: z.literal('names-nobody'), name: line(200), ...times }),
  z.strictObject({ kind: z.literal('claims-origin'), ...times }),
  z.strictObject({ kind: z.literal('denies'), ...times }),
] as const;

const all = [...signalling, ...certificates, ...records, ...answers] as const;

/** What a provider does that an honest one does not. */
const BEHAVIOUR: z.ZodType<Behaviour> = z.discriminatedUnion('kind', all);

/** The kind of such a behaviour, where one is spoken of. */
const BEHAVIOUR_KIND: z.ZodType<BehaviourKind> = z.enum(all.map(({ shape }) => shape.kind.value));

const numbers: z.ZodType<CallingNumbers> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('own'), numbers: numberList }),
  z.strictObject({ kind: z.literal('neighbour') }),
  z.strictObject({
    kind: z.literal('snowshoe'),
    prefixes: z.array(numberPrefix).min(1).max(1_000),
    count: z.int().min(1).max(MAX_POOL_NUMBERS),
  }),
  z.strictObject({ kind: z.literal('dno'), numbers: numberList }),
  z.strictObject({ kind: z.literal('invalid') }),
  z.strictObject({ kind: z.literal('victim'), numbers: numberList }),
]);

const field = z
  .int()
  .min(0)
  .max(MAX_CSV_FIELDS - 1);
const wordName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/u, { error: 'must be a name of 1 to 32 letters and digits' });

const csv: z.ZodType<ScenarioCsv> = z.strictObject({
  file: z.exactOptional(line(1_000)),
  calling: z.exactOptional(field),
  called: z.exactOptional(field),
  words: z.exactOptional(z.record(wordName, field)),
  order: z.exactOptional(z.enum(['sequential', 'random', 'user'])),
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
const CALLER: z.ZodType<ScenarioCaller> = z.strictObject({
  id,
  kind: z.enum(['robocaller', 'ordinary']),
  at: id,
  numbers,
  calls: z.array(id).min(1).max(10_000),
  share: z.exactOptional(weight),
  durationSeconds: z.exactOptional(z.strictObject({ from: seconds, to: seconds })),
  order: z.exactOptional(z.enum(['sequential', 'random'])),
  script: z.exactOptional(z.string().max(MAX_SCRIPT_CHARS)),
  callBack: z.exactOptional(z.array(number).min(1).max(1_000)),
  campaign: z.exactOptional(id),
  csv: z.exactOptional(csv),
  daily: z.exactOptional(
    z.strictObject({
      startHour: z.number().min(0).max(24),
      hoursPerSecond: z.exactOptional(z.number().positive().max(24)),
    }),
  ),
  agents: z.exactOptional(z.int().min(1).max(10_000)),
});

/** Numbers that are called. */
const CALLED: z.ZodType<ScenarioCalled> = z
  .strictObject({
    id,
    at: id,
    first: number,
    count: z.exactOptional(z.int().min(1).max(1_000_000_000)),
    by: z.exactOptional(z.enum(['phones', 'sink'])),
    answers: z.exactOptional(share),
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

const provider: z.ZodType<ScenarioProvider> = z.strictObject({
  id,
  name: z.exactOptional(line(200)),
  role: z.enum(['originating', 'ipes', 'gateway', 'transit', 'terminating', 'foreign']),
  spc: z.exactOptional(
    z.string().regex(/^[0-9A-Z]{4}$/u, { error: 'must be four characters in quotes, digits and capital letters' }),
  ),
  country: z.exactOptional(
    z.string().regex(/^[A-Z]{2}$/u, { error: 'must be two capital letters, as ISO 3166-1 has them' }),
  ),
  stir: z.exactOptional(z.boolean()),
  numbers: z.exactOptional(z.array(numberPrefix).max(MAX_NUMBER_ENTRIES)),
  failureAction: z.exactOptional(z.enum(['continue', 'continue_return_reason', 'reject_request'])),
  shares: z.exactOptional(z.enum(['nothing', 'suspicious', 'all-pseudonymous', 'all'])),
  answersTracebacks: z.exactOptional(z.boolean()),
  behaviours: z.exactOptional(z.array(BEHAVIOUR).max(MAX_BEHAVIOURS)),
});

const trunk: z.ZodType<ScenarioTrunk> = z.strictObject({
  from: id,
  to: id,
  cost: z.exactOptional(z.number().positive().max(1_000_000)),
  share: z.exactOptional(share),
});

const perSecond = z.number().min(0).max(MAX_PER_SECOND);

const phase: z.ZodType<ScenarioPhase> = z.strictObject({
  name: id,
  seconds: z.number().positive().max(MAX_PHASE_SECONDS),
  rate: z.discriminatedUnion('shape', [
    z.strictObject({ shape: z.literal('constant'), perSecond }),
    z.strictObject({ shape: z.literal('ramp'), from: perSecond, to: perSecond }),
    z.strictObject({ shape: z.literal('spike'), perSecond, peak: perSecond }),
    z.strictObject({ shape: z.literal('poisson'), perSecond }),
  ]),
  callers: z.exactOptional(z.array(id).min(1).max(MAX_PARTIES)),
});

const thresholdText = z.string().min(1).max(100);

const threshold: z.ZodType<ScenarioThreshold> = z.union([
  thresholdText,
  z.strictObject({
    threshold: thresholdText,
    abortOnFail: z.exactOptional(z.boolean()),
    delayAbortSeconds: z.exactOptional(z.number().min(0).max(MAX_PHASE_SECONDS)),
  }),
]);

const trace: z.ZodType<ScenarioTrace> = z.strictObject({
  through: id,
  behaviour: z.exactOptional(BEHAVIOUR_KIND),
  caller: z.exactOptional(id),
});

/** `US`, or a state of it, `US-TX`. */
const jurisdiction = z
  .string()
  .regex(/^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/u, { error: 'must be a jurisdiction: "US", "US-TX"' });

const members = {
  format: z.literal('hopback.scenario.1'),
  name: id,
  why: z.string().min(1).max(10_000),
  seed: z.exactOptional(z.int().min(0).max(Number.MAX_SAFE_INTEGER)),
  providers: z.array(provider).min(1).max(MAX_PROVIDERS),
  trunks: z.array(trunk).max(MAX_TRUNKS),
  callers: z.array(CALLER).min(1).max(MAX_PARTIES),
  called: z.array(CALLED).min(1).max(MAX_PARTIES),
  phases: z.array(phase).min(1).max(MAX_PHASES),
  maxConcurrent: z.exactOptional(z.int().min(1).max(1_000_000)),
  platform: z.exactOptional(
    z.strictObject({
      traces: z.exactOptional(z.array(trace).max(MAX_TRACES)),
      staffTracebacks: z.exactOptional(z.int().min(0).max(100_000)),
      agencies: z.exactOptional(z.array(jurisdiction).min(1).max(100)),
    }),
  ),
  thresholds: z.exactOptional(z.record(z.string().max(100), z.array(threshold).min(1).max(20))),
} as const;

/** A scenario: members that it does not have are errors, and so is what does not make sense to {@link checkScenario}, which comes after it. */
export const SCENARIO: z.ZodType<Scenario> = z.strictObject(members);

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
