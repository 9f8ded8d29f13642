import { hash } from 'node:crypto';
import { joinedSha256 } from '../../records/ingest/joined-sha256.js';
import { canonicalJson } from './canonical-json.js';
import type { EvidencedRecord, EvidencePack } from './evidence-manifest.js';
import type { EvidenceFinding, PackFindings } from './pack-findings.js';

/** Files of a pack, by name. */
export type PackContents = ReadonlyMap<string, Uint8Array>;

/** Holds what a manifest says of the answer and the records against their files: whoever signs it can lie in it too. Never throws. */
export function manifestFindings({ manifest }: EvidencePack, contents: PackContents): EvidenceFinding[] {
  const named = new Set(manifest.files.map(({ name }) => name));
  const records = manifest.records.flatMap((record): EvidenceFinding[] => {
    const missing = [record.file, ...record.rawFiles].filter((name) => !named.has(name));
    if (missing.length > 0) return missing.map((file) => ({ kind: 'file-missing', file }));
    return recordDiffers(record, contents);
  });
  return [...answerDiffers(manifest, contents), ...records];
}

function recordDiffers({ file, ...record }: EvidencedRecord, contents: PackContents): EvidenceFinding[] {
  const octets = contents.get(file);
  if (octets === undefined) return [];
  const read = membersOf(parsed(octets));
  const source = membersOf(read['source']);
  const isSame =
    read['recordId'] === record.recordId &&
    source['id'] === record.sourceId &&
    source['format'] === record.format &&
    source['readerVersion'] === record.readerVersion &&
    source['sha256'] === record.sourceSha256;
  return isSame ? [] : [{ kind: 'manifest-differs', file, what: 'it is another record than the manifest says' }];
}

const ANSWER = 'answer.json';

function answerDiffers(manifest: EvidencePack['manifest'], contents: PackContents): EvidenceFinding[] {
  const octets = contents.get(ANSWER);
  if (octets === undefined) return [];
  const answer = membersOf(parsed(octets));
  const names = ['provider', 'answerId', 'requestId', 'tracebackId', 'revision'] as const;
  const other = names.filter((name) => spelled(answer[name]) !== spelled(manifest[name]));
  if (other.length === 0) return [];
  return [{ kind: 'manifest-differs', file: ANSWER, what: `the manifest has another ${other.join(', ')}` }];
}

/** Holds the bytes of a record against the hash that they had when they were read. Never throws. */
export function recordFindings(contents: PackContents, record: EvidencedRecord): PackFindings {
  const { recordId, raw, rawMatches, rawFiles, sourceSha256: expected } = record;
  if (raw === 'not-kept') return { findings: [], notes: [{ kind: 'raw-not-kept', recordId }] };
  if (rawMatches !== true) return { findings: [], notes: [{ kind: 'raw-differed-when-written', recordId }] };
  const rows = rawFiles.map((name) => contents.get(name));
  // A file that is missing is a finding of its own.
  if (rows.includes(undefined)) return NOTHING;
  const actual = joinedSha256(rows.map((octets) => hash('sha256', octets ?? new Uint8Array(0), 'hex')));
  return actual === expected ? NOTHING : { findings: [{ kind: 'raw-differs', recordId, expected, actual }], notes: [] };
}

const NOTHING: PackFindings = { findings: [], notes: [] };

function parsed(octets: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(octets).toString('utf8'));
  } catch {
    return undefined;
  }
}

function spelled(value: unknown): string | undefined {
  try {
    return canonicalJson(value);
  } catch {
    return undefined;
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
