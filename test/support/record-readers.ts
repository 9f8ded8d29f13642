import { readdirSync } from 'node:fs';
import { createSourceReader, readSourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import type { RecordReader, SourceDescription } from '../../sdk/src/records/ingest/record-reader.js';

/** Each folder has the samples of one format; captured signalling is not in files. */
const FORMATS = readdirSync('test/vectors/records', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'hep')
  .map(({ name }) => name);

/** Reads a source as a carrier declares it in JSON, and makes its reader. */
function declaredReader(description: SourceDescription): RecordReader {
  const source = readSourceConfiguration(JSON.parse(JSON.stringify(description)));
  if (source.format === 'hep') throw new Error('captured signalling is not in files');
  return createSourceReader(source);
}

/** Readers of text formats, by the folder of their samples. */
export const TEXT_READERS: Readonly<Record<string, (description: SourceDescription) => RecordReader>> =
  Object.fromEntries(FORMATS.map((format) => [format, declaredReader]));
