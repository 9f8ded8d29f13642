import { z } from 'zod';
import { RecordFormat } from '../../contract/call-record.js';
import { readBySchema } from '../../core/schema-findings.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../configuration-error.schema.js';
import { createAsteriskCdrReader } from './formats/asterisk-cdr.js';
import { CEL_COLUMNS } from './formats/asterisk-cel-event.js';
import type { CelColumn } from './formats/asterisk-cel-event.js';
import { createAsteriskCelReader } from './formats/asterisk-cel.js';
import { createBroadworksReader } from './formats/broadworks.js';
import { columnMap, createColumnsReader } from './formats/columns.js';
import { createFreeswitchCsvReader, createFreeswitchJsonReader } from './formats/freeswitch.js';
import { createHepReader } from './hep-reader.js';
import type { HepReader } from './hep-reader.js';
import { createHopbackNdjsonReader } from './formats/hopback-ndjson.js';
import { createKamailioAccReader } from './formats/kamailio-acc.js';
import { kamailioAccLayout } from './formats/kamailio-row.js';
import { createOracleSbcReader, oracleSbcFields } from './formats/oracle-sbc.js';
import type { RecordReader, SourceDescription, SourceNumbers } from './record-reader.js';
import { createRibbonActReader } from './formats/ribbon-act.js';

// Written by hand, and read when a process starts: a member that nobody knows is a typing error, and is refused.

/** Longest name of a source, trunk, column or provider, as the readers have it. */
const MAX_NAME_CHARS = 256;
const MAX_SOURCE_ID_CHARS = 128;
/** PATH_MAX of Linux. */
const MAX_PATH_CHARS = 4_096;
/** A large carrier has some thousands of trunks. */
const MAX_PROVIDERS = 100_000;
const MAX_LIST = 1_024;
const MAX_SHORT_LIST = 64;
/** A week: nothing that a carrier measures here is longer. */
const MAX_MS = 604_800_000;

const name = z.string().min(1).max(MAX_NAME_CHARS);
const digits = z.string().regex(/^[0-9]{1,15}$/, 'must be digits');
const zone = z.string().min(1).max(64);
const path = z.string().min(1).max(MAX_PATH_CHARS);
const milliseconds = z.int().min(1).max(MAX_MS);

const timeSchema: z.ZodType<SourceDescription['time']> = z.strictObject({
  zone: zone.describe('`utc`, or the IANA name of the zone in which the switch writes its times'),
  repeatedHour: z.exactOptional(
    z.enum(['earlier', 'later']).describe('which is meant by a time in the hour that comes twice; default earlier'),
  ),
});

const plan: z.ZodType<NumberingPlan> = z.strictObject({
  countryCode: z.string().regex(/^[1-9][0-9]{0,2}$/, 'must be a country code without +'),
  nationalPrefixes: z.exactOptional(z.array(digits).max(MAX_SHORT_LIST)),
  internationalPrefixes: z.exactOptional(z.array(digits).max(MAX_SHORT_LIST)),
  nationalLength: z.exactOptional(z.int().min(1).max(15)),
  nationalFirstDigits: z.exactOptional(z.string().regex(/^[0-9]{1,10}$/, 'must be digits')),
  emergencyNumbers: z.exactOptional(z.array(digits).max(MAX_SHORT_LIST)),
  shortNumberDigits: z.exactOptional(z.int().min(0).max(15)),
});

const numbersSchema: z.ZodType<SourceNumbers> = z.strictObject({
  plan: z.exactOptional(plan),
  techPrefixes: z.exactOptional(
    z
      .array(z.string().regex(/^[0-9*]{1,30}#?$/, 'must be digits, with # behind them or without'))
      .max(MAX_LIST)
      .describe('technical prefixes that routing puts before a number, longest first'),
  ),
});

/** What every source has. */
const COMMON = {
  id: z
    .string()
    .min(1)
    .max(MAX_SOURCE_ID_CHARS)
    .describe('name of the switch or feed: part of every record id, never to be changed'),
  time: timeSchema,
  numbers: z.exactOptional(numbersSchema),
  providers: z.exactOptional(
    z
      .record(name, name)
      .refine((all) => Object.keys(all).length <= MAX_PROVIDERS, 'has too many entries')
      .describe('providers by the trunk, realm or peer that the switch names, or by signalling address'),
  ),
  keepRaw: z.exactOptional(z.boolean().describe('whether records keep the bytes of their rows; default false')),
  stuckAfterMs: z.exactOptional(
    milliseconds.describe(
      'how long something may wait to be taken in without any progress; then the source is reported as stuck',
    ),
  ),
};

/** What sources in files have besides. */
const FILES = {
  ...COMMON,
  path: z.exactOptional(path.describe('a file, a directory, or a pattern with * and ? in its last part')),
  rotated: z.exactOptional(
    z
      .array(z.string().min(1).max(255))
      .max(MAX_SHORT_LIST)
      .readonly()
      .describe('names of rotated files where they do not begin with the name of the file: patterns with * and ?'),
  ),
  longestCallMs: z.exactOptional(milliseconds.describe('how long a call may last before its row is written')),
  longestSilenceMs: z.exactOptional(milliseconds.describe('how long the source may be silent and counts as running')),
};

const celColumnsSchema: z.ZodType<readonly CelColumn[]> = z.array(z.enum(CEL_COLUMNS)).min(1).max(MAX_SHORT_LIST);

const address = z.string().min(2).max(64);
const endpoint = z.strictObject({ host: address, port: z.int().min(0).max(65_535) });
/** Where captured signalling comes in, and its bounds: those of the listener and of its reader. */
const listenSchema = z.strictObject({
  udp: z.exactOptional(endpoint),
  tcp: z.exactOptional(endpoint),
  agents: z.exactOptional(z.array(address).min(1).max(MAX_LIST).readonly()),
  key: z.exactOptional(z.string().min(1).max(MAX_NAME_CHARS)),
  maxConnections: z.exactOptional(z.int().min(1).max(65_536)),
  idleTimeoutMs: z.exactOptional(milliseconds),
  maxCallAgeMs: z.exactOptional(milliseconds),
  lingerUs: z.exactOptional(z.int().min(0).max(600_000_000)),
  maxCalls: z.exactOptional(z.int().min(1).max(10_000_000)),
});

/** Formats of which nothing is to be declared. */
const PLAIN_FORMATS = {
  'asterisk-cdr': createAsteriskCdrReader,
  'freeswitch-csv': createFreeswitchCsvReader,
  'freeswitch-json': createFreeswitchJsonReader,
  'ribbon-act': createRibbonActReader,
  broadworks: createBroadworksReader,
  hopback: createHopbackNdjsonReader,
};

const sources = [
  z.strictObject({ format: z.enum(Object.keys(PLAIN_FORMATS) as (keyof typeof PLAIN_FORMATS)[]), ...FILES }),
  z.strictObject({ format: z.literal('asterisk-cel'), ...FILES, celColumns: z.exactOptional(celColumnsSchema) }),
  z.strictObject({ format: z.literal('columns'), ...FILES, columns: columnMap }),
  z.strictObject({ format: z.literal('kamailio-acc'), ...FILES, layout: kamailioAccLayout }),
  z.strictObject({ format: z.literal('oracle-sbc'), ...FILES, fields: z.exactOptional(oracleSbcFields) }),
  z.strictObject({
    format: z.literal('hep'),
    ...COMMON,
    ownAddresses: z.array(address).min(1).max(MAX_LIST).readonly(),
    listen: listenSchema,
  }),
] as const;

/** A source as a carrier writes it. Keys that are not known are errors. */
const SourceConfiguration = z.discriminatedUnion('format', sources, {
  error: ({ code }) => (code === 'invalid_union' ? `must be one of ${RecordFormat.options.join(', ')}` : undefined),
});

/** A source as a carrier declares it: which format, how to read its times and numbers, and where it is. Plain JSON. */
export type SourceConfiguration = z.infer<typeof SourceConfiguration>;

/** Signalling that agents capture and send as HEP3. */
export type HepConfiguration = Extract<SourceConfiguration, { readonly format: 'hep' }>;

/** A source whose records are in files. */
export type FileSourceConfiguration = Exclude<SourceConfiguration, HepConfiguration>;

/**
 * Reads the configuration of a source, out of a file or a part of one.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the source. Default `the source`
 * @returns the configuration; whether zone, columns and layout can be, {@link createSourceReader} says
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is missing, not known or out of its bounds, the first in
 * `details.member`
 * @see {@link createSourceReader}
 * @example
 * ```ts
 * const source = readSourceConfiguration({ id: 'pbx-1', format: 'asterisk-cdr', time: { zone: 'America/New_York' } });
 * console.log(source.format); // asterisk-cdr
 * ```
 */
export function readSourceConfiguration(value: unknown, options: { readonly at?: string } = {}): SourceConfiguration {
  const result = readBySchema(SourceConfiguration, value);
  if (result.success) return result.data;
  throw configurationError(options.at ?? 'the source', { error: result.error, value });
}

/**
 * Makes the reader of a source in files, by its format.
 * @param configuration - of the source; of members that say where it is nothing is used
 * @returns a new reader, for one import or one follower
 * @throws {@link HopbackError} `invalid-configuration` where a zone does not exist, or the columns or the layout cannot be
 * @see `createSourceHepReader` for sources that are listened to
 * @example
 * ```ts
 * const reader = createSourceReader({ id: 'proxy-1', format: 'kamailio-acc', time: { zone: 'utc' }, layout: { form: 'json' } });
 * console.log(reader.framing); // lines
 * ```
 */
export function createSourceReader(configuration: FileSourceConfiguration): RecordReader {
  switch (configuration.format) {
    case 'asterisk-cel':
      return createAsteriskCelReader(configuration);
    case 'columns':
      return createColumnsReader(configuration);
    case 'kamailio-acc':
      return createKamailioAccReader(configuration, configuration.layout);
    case 'oracle-sbc':
      return createOracleSbcReader(configuration, configuration.fields);
    default:
      // Where somebody gets past the types.
      if (!Object.hasOwn(PLAIN_FORMATS, configuration.format)) throw notInFiles(configuration);
      return PLAIN_FORMATS[configuration.format](configuration);
  }
}

/**
 * Makes the reader of a source that is listened to.
 * @param configuration - of the source
 * @returns a new reader, for one listener
 * @throws {@link HopbackError} `invalid-configuration` where no address of the switch is named, or one is none
 * @see {@link SourceListener}, which listens with it
 */
export function createSourceHepReader(configuration: HepConfiguration): HepReader {
  return createHepReader(configuration, configuration.listen);
}

function notInFiles({ format }: { readonly format: string }): HopbackError {
  return new HopbackError('invalid-configuration', `A source of the format "${format}" is not in files.`);
}
