import { createAsteriskCdrReader } from '../../sdk/src/records/ingest/asterisk-cdr.js';
import { createAsteriskCelReader } from '../../sdk/src/records/ingest/asterisk-cel.js';
import type { ColumnsDescription } from '../../sdk/src/records/ingest/columns.js';
import { createBroadworksReader } from '../../sdk/src/records/ingest/broadworks.js';
import { createColumnsReader } from '../../sdk/src/records/ingest/columns.js';
import { createFreeswitchCsvReader, createFreeswitchJsonReader } from '../../sdk/src/records/ingest/freeswitch.js';
import { createHopbackNdjsonReader } from '../../sdk/src/records/ingest/hopback-ndjson.js';
import { createKamailioAccReader } from '../../sdk/src/records/ingest/kamailio-acc.js';
import type { KamailioAccLayout } from '../../sdk/src/records/ingest/kamailio-row.js';
import { createOracleSbcReader, type OracleSbcFields } from '../../sdk/src/records/ingest/oracle-sbc.js';
import type { RecordReader, SourceDescription } from '../../sdk/src/records/ingest/record-reader.js';
import { createRibbonActReader } from '../../sdk/src/records/ingest/ribbon-act.js';

/** Readers of text formats, by the folder of their samples. */
export const TEXT_READERS: Readonly<Record<string, (description: SourceDescription) => RecordReader>> = {
  'asterisk-cdr': createAsteriskCdrReader,
  'asterisk-cel': createAsteriskCelReader,
  'freeswitch-csv': createFreeswitchCsvReader,
  'freeswitch-json': createFreeswitchJsonReader,
  // The description of a sample of this format has its map.
  columns: (description) => createColumnsReader(description as ColumnsDescription),
  hopback: createHopbackNdjsonReader,
  // Samples of these two say beside the description what else is declared.
  'kamailio-acc': (description) => {
    const { layout, ...source } = description as SourceDescription & { readonly layout: KamailioAccLayout };
    return createKamailioAccReader(source, layout);
  },
  'oracle-sbc': (description) => {
    const { fields = {}, ...source } = description as SourceDescription & { readonly fields?: OracleSbcFields };
    return createOracleSbcReader(source, fields);
  },
  'ribbon-act': createRibbonActReader,
  broadworks: createBroadworksReader,
};
