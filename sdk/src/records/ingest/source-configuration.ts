import { readBySchema } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../configuration-error.schema.js';
import { createAsteriskCdrReader } from './asterisk-cdr.js';
import type { CelColumn } from './asterisk-cel-event.js';
import { createAsteriskCelReader } from './asterisk-cel.js';
import { createBroadworksReader } from './broadworks.js';
import type { ColumnMap } from './column-map.js';
import { createColumnsReader } from './columns.js';
import { createFreeswitchCsvReader } from './freeswitch-csv.js';
import { createFreeswitchJsonReader } from './freeswitch-json.js';
import type { HepListenerOptions } from './hep-listener.js';
import { createHepReader } from './hep-reader.js';
import type { HepReader, HepReaderOptions, HepSource } from './hep-reader.js';
import { createHopbackNdjsonReader } from './hopback-ndjson.js';
import { createKamailioAccReader } from './kamailio-acc.js';
import type { KamailioAccLayout } from './kamailio-layout.js';
import { createOracleSbcReader } from './oracle-sbc.js';
import type { OracleSbcFields } from './oracle-sbc.js';
import type { RecordReader, SourceDescription } from './record-reader.js';
import { createRibbonActReader } from './ribbon-act.js';
import type { RowCoverageOptions } from './row-coverage.js';
import { sourceConfigurationSchema } from './source-configuration.schema.js';

/** What a source in files has, whatever its format. */
export interface FileSource extends Omit<SourceDescription, 'format'>, Omit<RowCoverageOptions, 'sourceId'> {
  /** What is followed: a file, a directory with all files in it, or a pattern with `*` and `?` in its last part. */
  readonly path?: string;
  /** Names of rotated files where they do not begin with the name of the file and `.`, `-` or `_`: patterns with `*` and `?`. */
  readonly rotated?: readonly string[];
  /** How long something may wait to be taken in without any progress; then the source is reported as stuck. Default five minutes. */
  readonly stuckAfterMs?: number;
}

/** A source of one of the formats whose layout is known as a whole. */
export interface PlainSourceConfiguration extends FileSource {
  readonly format: 'asterisk-cdr' | 'freeswitch-csv' | 'freeswitch-json' | 'ribbon-act' | 'broadworks' | 'hopback';
}

/** Channel events of Asterisk. */
export interface AsteriskCelConfiguration extends FileSource {
  readonly format: 'asterisk-cel';
  /** The order of the columns where `cel_custom.conf` has one of its own. */
  readonly celColumns?: readonly CelColumn[];
}

/** Rows of any other switch. */
export interface ColumnsConfiguration extends FileSource {
  readonly format: 'columns';
  readonly columns: ColumnMap;
}

/** Accounting rows of Kamailio or OpenSIPS. */
export interface KamailioAccConfiguration extends FileSource {
  readonly format: 'kamailio-acc';
  readonly layout: KamailioAccLayout;
}

/** Local CDR files of an Oracle SBC. */
export interface OracleSbcConfiguration extends FileSource {
  readonly format: 'oracle-sbc';
  readonly fields?: OracleSbcFields;
}

/** Where captured signalling comes in, and its bounds: those of the listener and of its reader. */
export interface HepListening extends Omit<HepListenerOptions, 'reader' | 'onReadings'>, HepReaderOptions {}

/** Signalling that agents capture and send as HEP3. */
export interface HepConfiguration extends HepSource {
  readonly listen: HepListening;
  /** How long records may wait to be stored without any progress; then the source is reported as stuck. Default five minutes. */
  readonly stuckAfterMs?: number;
}

/** A source whose records are in files. */
export type FileSourceConfiguration =
  | PlainSourceConfiguration
  | AsteriskCelConfiguration
  | ColumnsConfiguration
  | KamailioAccConfiguration
  | OracleSbcConfiguration;

/** A source as a carrier declares it: which format, how to read its times and numbers, and where it is. Plain JSON. */
export type SourceConfiguration = FileSourceConfiguration | HepConfiguration;

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
  const result = readBySchema(sourceConfigurationSchema, value);
  if (result.success) return result.data;
  throw configurationError(options.at ?? 'the source', { error: result.error, value });
}

/**
 * Makes the reader of a source in files, by its format.
 * @param configuration - of the source; of members that say where it is nothing is used
 * @returns a new reader, for one import or one follower
 * @throws {@link HopbackError} `invalid-configuration` where a zone does not exist, or the columns or the layout cannot be
 * @see {@link createSourceHepReader} for sources that are listened to
 * @example
 * ```ts
 * const reader = createSourceReader({ id: 'proxy-1', format: 'kamailio-acc', time: { zone: 'utc' }, layout: { form: 'json' } });
 * console.log(reader.framing); // lines
 * ```
 */
export function createSourceReader(configuration: FileSourceConfiguration): RecordReader {
  const description = descriptionOf(configuration);
  switch (configuration.format) {
    case 'asterisk-cdr':
      return createAsteriskCdrReader(description);
    case 'asterisk-cel': {
      const { celColumns } = configuration;
      return createAsteriskCelReader({ ...description, ...(celColumns === undefined ? {} : { celColumns }) });
    }
    case 'freeswitch-csv':
      return createFreeswitchCsvReader(description);
    case 'freeswitch-json':
      return createFreeswitchJsonReader(description);
    case 'ribbon-act':
      return createRibbonActReader(description);
    case 'broadworks':
      return createBroadworksReader(description);
    case 'hopback':
      return createHopbackNdjsonReader(description);
    case 'columns':
      return createColumnsReader({ ...description, columns: configuration.columns });
    case 'kamailio-acc':
      return createKamailioAccReader(description, configuration.layout);
    case 'oracle-sbc':
      return createOracleSbcReader(description, configuration.fields);
    default:
      throw notInFiles(configuration);
  }
}

/**
 * Makes the reader of a source that is listened to.
 * @param configuration - of the source
 * @returns a new reader, for one listener
 * @throws {@link HopbackError} `invalid-configuration` where no address of the switch is named, or one is none
 * @see {@link listenToSource}, which listens with it
 * @example
 * ```ts
 * const listen = { udp: { host: '127.0.0.1', port: 9060 } };
 * const reader = createSourceHepReader({ id: 'proxy-1', format: 'hep', time: { zone: 'utc' }, ownAddresses: ['192.0.2.1'], listen });
 * console.log(reader.waiting()); // 0
 * ```
 */
export function createSourceHepReader(configuration: HepConfiguration): HepReader {
  const { listen, stuckAfterMs: _stuckAfterMs, ...source } = configuration;
  const { key, lingerUs, maxCalls } = listen;
  return createHepReader(source, {
    ...(key === undefined ? {} : { key }),
    ...(lingerUs === undefined ? {} : { lingerUs }),
    ...(maxCalls === undefined ? {} : { maxCalls }),
  });
}

/** What records and readers are to know; keys of a listener and paths are none of it. */
function descriptionOf({ id, format, time, numbers, providers, keepRaw }: FileSourceConfiguration): SourceDescription {
  return {
    ...{ id, format, time },
    ...(numbers === undefined ? {} : { numbers }),
    ...(providers === undefined ? {} : { providers }),
    ...(keepRaw === undefined ? {} : { keepRaw }),
  };
}

/** Where somebody gets past the types. */
function notInFiles({ format }: { readonly format: string }): HopbackError {
  return new HopbackError('invalid-configuration', `A source of the format "${format}" is not in files.`);
}
