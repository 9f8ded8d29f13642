import { z } from 'zod';
import {
  MAX_BEHAVIOURS,
  MAX_NUMBER_ENTRIES,
  MAX_PARTIES,
  MAX_PER_SECOND,
  MAX_PHASES,
  MAX_PHASE_SECONDS,
  MAX_PROVIDERS,
  MAX_TRACES,
  MAX_TRUNKS,
} from '../scenario.js';
import type {
  Scenario,
  ScenarioPhase,
  ScenarioProvider,
  ScenarioThreshold,
  ScenarioTrace,
  ScenarioTrunk,
} from '../scenario.js';
import { BEHAVIOUR, BEHAVIOUR_KIND } from './behaviour.schema.js';
import { MEMBER_DESCRIPTIONS } from './member-descriptions.js';
import { CALLED, CALLER } from './parties.schema.js';
import { VARIABLES_SECTION } from './variables.schema.js';
import { id, line, numberPrefix, share } from './words.schema.js';

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
