import { HopbackError } from '@hopback/sdk/errors';
import type { DemandRecordClass } from '@hopback/sdk/platform';
import { csvHead, csvLine, type Producible } from '../domain/demands/index.js';
import type { FileStore } from './file-store.js';

/** A file of a production that is on the disk. */
export interface WrittenFile {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly recordClass?: DemandRecordClass;
  readonly records?: number;
}

/** Files of records of one production: the contract has room for 10,000, and manifests and keys take some. */
export const MAX_PART_FILES = 9_900;

/** Writes items into files of their classes, CSV and JSON, in parts. */
export interface PartWriter {
  /** @throws HopbackError `invalid-argument` where there are more parts than a production can have; `storage-failed` */
  readonly add: (produced: Producible) => Promise<void>;
  /** Ends the files. Of a class that has no item there is an empty one, which says so. */
  readonly end: () => Promise<readonly WrittenFile[]>;
  readonly items: () => number;
}

interface OpenPart {
  readonly recordClass: DemandRecordClass;
  part: number;
  records: number;
  csv: string[];
  csvBytes: number;
  json: string[];
  jsonBytes: number;
}

export interface PartWriterOptions {
  readonly owner: string;
  readonly files: FileStore;
  readonly classes: readonly DemandRecordClass[];
  /** Octets of a part, about: an item is not torn apart. */
  readonly partBytes: number;
}

/** Makes a writer. What it holds in memory is a part of each class in each form, at most. */
export function createPartWriter({ owner, files, classes, partBytes }: PartWriterOptions): PartWriter {
  const open = new Map(classes.map((recordClass) => [recordClass, emptyPart(recordClass, 1)]));
  const done: WrittenFile[] = [];
  let items = 0;

  const write = async (part: OpenPart): Promise<void> => {
    const { recordClass, records } = part;
    const name = `${recordClass}-${String(part.part).padStart(4, '0')}`;
    for (const [ending, mediaType, text] of [
      ['csv', 'text/csv', `${csvHead(recordClass)}${part.csv.join('')}`],
      ['json', 'application/json', part.json.length === 0 ? '[]\n' : `[\n${part.json.join(',\n')}\n]\n`],
    ] as const) {
      const stored = await files.put(owner, Buffer.from(text, 'utf8'));
      done.push({ name: `${name}.${ending}`, mediaType, ...stored, recordClass, records });
    }
    if (done.length > MAX_PART_FILES)
      throw new HopbackError(
        'invalid-argument',
        'the production has more parts than can be handed over: the demand has to be narrowed',
      );
  };

  return {
    add: async ({ item, cells, whole }) => {
      const part = open.get(item.recordClass);
      if (part === undefined) throw new TypeError(`${item.recordClass} is not of this production`);
      const [line, json] = [csvLine(item.recordClass, cells), JSON.stringify(whole)];
      part.csv.push(line);
      part.json.push(json);
      part.csvBytes += Buffer.byteLength(line);
      part.jsonBytes += Buffer.byteLength(json);
      part.records += 1;
      items += 1;
      if (part.csvBytes < partBytes && part.jsonBytes < partBytes) return;
      await write(part);
      open.set(item.recordClass, emptyPart(item.recordClass, part.part + 1));
    },
    end: async () => {
      for (const part of open.values()) if (part.records > 0 || part.part === 1) await write(part);
      return done;
    },
    items: () => items,
  };
}

function emptyPart(recordClass: DemandRecordClass, part: number): OpenPart {
  return { recordClass, part, records: 0, csv: [], csvBytes: 0, json: [], jsonBytes: 0 };
}
