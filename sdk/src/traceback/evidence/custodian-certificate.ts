import type { CoverageInterval } from '../../contract/call-record.js';
import type { SearchStatement } from '../../contract/traceback-exchange.js';
import { printableText, utcText } from '../../core/text.js';
import type {
  EvidenceFileEntry,
  EvidenceManifest,
  EvidenceMaterial,
  EvidencedRecord,
  RecordPractice,
} from './evidence-manifest.js';

/** What is certified. */
export interface CertifiedFacts {
  readonly material: EvidenceMaterial;
  readonly facts: Omit<EvidenceManifest, 'files'>;
  readonly practices: readonly RecordPractice[];
  /** Files of the pack beside the certificate itself. */
  readonly files: readonly EvidenceFileEntry[];
}

/** Columns of the text. */
const WIDTH = 96;

/**
 * A certificate for the custodian of the records to sign: what the process did, with the hashes of what it did it to, and no conclusion that
 * a court has to draw. Only who signs, and when, is left open. What the provider has not stated about a system is said to be unstated.
 * @see Federal Rules of Evidence 902(11), 902(13), 902(14) and 803(6)(A) to (C); 28 USC 1746
 */
export function custodianCertificate(certified: CertifiedFacts): string {
  const { facts } = certified;
  const paragraphs = [
    `I am a custodian of, or another person qualified to speak about, the call records of ${facts.provider.name} named below and the system that searched them. My name and title stand at the end.`,
    ...recordParagraphs(certified),
    ...processParagraphs(certified),
    ...hashParagraphs(certified),
  ];
  return certificateText({ head: head(certified), paragraphs, files: certified.files });
}

/** What a certificate says. */
export interface CertificateParts {
  /** Whose records, and of what: name and value, name at most 18 characters. */
  readonly head: readonly (readonly [name: string, value: string])[];
  /** What whoever signs says, in paragraphs that are numbered. */
  readonly paragraphs: readonly string[];
  readonly files: readonly Pick<EvidenceFileEntry, 'name' | 'sha256'>[];
}

/**
 * Lays out a certificate for the custodian of records to sign: title, head, numbered paragraphs, the hash of each file, and the declaration with room
 * for date, signature, name and title, which alone are left open.
 * @param parts - what it says; control characters in it are shown by their numbers
 * @returns the text, lines of at most 96 columns; never throws
 * @see Federal Rules of Evidence 902(11), 902(13) and 902(14); 28 USC 1746
 * @example
 * ```ts
 * const text = certificateText({ head: [['Production', 'p-1']], paragraphs: ['I am a custodian.'], files: [] });
 * console.log(text.split('\n')[0]); // CERTIFICATE OF A CUSTODIAN OF RECORDS
 * ```
 */
export function certificateText(parts: CertificateParts): string {
  const { head: facts, paragraphs, files } = parts;
  const body = paragraphs.map((text, index) => numbered(index + 1, text)).join('\n\n');
  return `${[headText(facts), body, fileTable(files), signature()].join('\n\n')}\n`;
}

function headText(facts: CertificateParts['head']): string {
  return [
    'CERTIFICATE OF A CUSTODIAN OF RECORDS',
    'Federal Rules of Evidence 902(11), 902(13) and 902(14); 28 U.S.C. 1746',
    '',
    'Drawn up by a program. It is the statement of nobody until a person who knows it to be true has',
    'read it, corrected it where it has to be, and signed it at its end.',
    '',
    ...facts.map(([name, value]) => `${`${name}:`.padEnd(21)}${value}`),
  ]
    .map((line) => printableText(line))
    .join('\n');
}

function head({ facts }: CertifiedFacts): CertificateParts['head'] {
  return [
    ['Provider', describeProvider(facts)],
    ['Traceback', facts.tracebackId],
    ['Request', facts.requestId],
    ['Answer', `${facts.answerId}, revision ${facts.revision}`],
    ['Evidence pack', `${facts.packId}, written ${facts.writtenAt}`],
  ];
}

function describeProvider({ provider }: CertifiedFacts['facts']): string {
  const identifiers = [
    provider.ocn === undefined ? undefined : `OCN ${provider.ocn}`,
    provider.spc === undefined ? undefined : `SPC ${provider.spc}`,
    provider.frn === undefined ? undefined : `FRN ${provider.frn}`,
  ].filter((text) => text !== undefined);
  return [provider.name, ...identifiers].join(', ');
}

/** Rule 803(6)(A) to (C), for each source. */
function recordParagraphs({ facts, practices }: CertifiedFacts): string[] {
  if (facts.records.length === 0) {
    return [
      'This pack holds no record of a call: the answer rests on none. What was searched, how many records were weighed, and for which times the records are complete, is stated below.',
    ];
  }
  const sources = [...new Set(facts.records.map(({ sourceId }) => sourceId))];
  return sources.map((sourceId) => {
    const practice = practices.find((one) => one.sourceId === sourceId);
    const ids = facts.records.filter((record) => record.sourceId === sourceId).map(({ recordId }) => recordId);
    const which = `${ids.length === 1 ? 'Record' : 'Records'} ${ids.join(', ')} ${ids.length === 1 ? 'was' : 'were'} read from the source "${sourceId}".`;
    if (practice === undefined) {
      return `${which} The provider has stated nothing about how that source makes its records, and this certificate states nothing about it either.`;
    }
    return [
      which,
      `That source is ${practice.system}. It writes ${practice.writes}, ${practice.writtenWhen}, ${practice.fromWhat}.`,
      `${facts.provider.name} has it do so for every call in the course of its regularly conducted activity as a provider of voice service, as a regular practice, and keeps the records for ${practice.purpose}${practice.retention === undefined ? '' : ` (${practice.retention})`}.`,
      ...(practice.clock === undefined ? [] : [`The clock of the system is kept as follows: ${practice.clock}.`]),
    ].join(' ');
  });
}

/** Rule 902(13): the process, step by step. */
function processParagraphs({ material, facts }: CertifiedFacts): string[] {
  const { received, answer, decision } = material;
  const who =
    answer.answeredBy.kind === 'automatic'
      ? `by the policy "${answer.answeredBy.policyId}" without a person deciding`
      : `after a person had decided, whom the answer names`;
  const { software } = facts;
  return [
    receivedText(received, software),
    searchText(answer.searched),
    clockText(material.clocks),
    `The program compared each record that it found with everything that the request stated; what spoke for the call and against it is in the file search.json. The answer was given ${who}. The policy "${decision.policyId}"${decision.policySha256 === undefined ? '' : ` (SHA-256 ${decision.policySha256})`} applied ${count(decision.steps.length, 'rule')}, in the order in which the file decision.json lists them with what each looked at and its result; the outcome was "${decision.outcome}".`,
  ];
}

function receivedText(received: EvidenceMaterial['received'], software: EvidenceManifest['software']): string {
  const came = `The request came in by ${received.channel} at ${received.receivedAt}.`;
  const program = `The program ${software.name}, version ${software.version},`;
  return received.octets === 'written-anew'
    ? `${came} Its octets as they came were not kept. ${program} read it to the file request.json, and wrote what it had read to the file of this pack whose name begins with "request-received".`
    : `${came} Its octets as they came are kept in the file of this pack whose name begins with "request-received". ${program} read them to the file request.json.`;
}

function searchText({ windows, keys, coverage, recordsConsidered }: SearchStatement): string {
  const times = windows.map(({ from, to }) => `from ${from} to ${to}`).join(', and ');
  const covered =
    coverage.length === 0
      ? 'For none of that time does the store state that the records of a source are complete.'
      : `For that search the store states the records to be complete as follows: ${coverage.map(coverageText).join('; ')}.`;
  return `The program searched the record store ${times === '' ? 'over no window of time' : times}, both ends included, by ${keys.join(', ') || 'no key'}, and weighed ${count(recordsConsidered, 'record')}. ${covered}`;
}

function coverageText({ sourceId, fromUs, toUs }: CoverageInterval): string {
  return `source "${sourceId}" from ${instant(fromUs)} to ${instant(toUs)}`;
}

/** To the microsecond, as the windows stand in the answer: one that is rounded would seem to be covered in part. What no date can be is said as a number. */
function instant(us: number): string {
  return Math.abs(us) <= 8.64e18 ? utcText(us) : `${us} microseconds since 1970`;
}

function clockText(clocks: EvidenceMaterial['clocks']): string {
  if (clocks.length === 0) return 'The offset of the clocks that the records were written by was not measured.';
  return clocks
    .map((clock) => {
      const whose = clock.sourceId === undefined ? 'the sources' : `the source "${clock.sourceId}"`;
      if (clock.status === 'not-measured') return `The offset of the clock of ${whose} was not measured.`;
      return `To the times of ${whose}, ${clock.offsetMs} ms have to be added to have UTC, give or take ${clock.uncertaintyMs} ms, as measured against ${clock.against} at ${clock.measuredAt}.`;
    })
    .join(' ');
}

/** Rule 902(14): how copies are known to be what was copied. */
function hashParagraphs({ facts }: CertifiedFacts): string[] {
  return [
    ...(facts.records.length === 0 ? [] : [facts.records.map(rawText).join(' ')]),
    `The program computed the SHA-256 (FIPS 180-4) of every file named below and wrote it to the file manifest.json, which the key with SHA-256 ${facts.signer.publicKeySha256} of its public half signed (${facts.signer.algorithm}). Whoever computes the SHA-256 of a file again and finds the same value has the same octets.`,
    `The SHA-256 of manifest.json was then appended to the log "${facts.logId}", a Merkle tree according to RFC 9162, section 2.1, of which a signed checkpoint was made when the entry was durable. The proof that the entry is under a checkpoint, and the checkpoint, are in the files proof.txt and checkpoint.txt of the exported pack; they can be checked with the programs openssl and sha256sum alone, as the file VERIFY.md says.`,
  ];
}

function rawText(record: EvidencedRecord): string {
  const { recordId, format, readerVersion, sourceSha256 } = record;
  const read = `Record ${recordId} was made of its bytes by version ${readerVersion} of the reader for the format ${format}. When it was read the SHA-256 of those bytes was computed and kept with the record: ${sourceSha256}.`;
  if (record.raw === 'not-kept')
    return `${read} The bytes themselves were not kept by the program; there is this hash alone, with which a copy kept elsewhere can be compared.`;
  const compared =
    record.rawMatches === true
      ? 'It was computed again when this pack was written, and was the same.'
      : 'It was computed again when this pack was written, and was NOT the same.';
  return `${read} The bytes are in ${count(record.rawFiles.length, 'file')} of this pack, without their line ends. ${compared}`;
}

function fileTable(files: CertificateParts['files']): string {
  return ['Files, with the SHA-256 of each:', '', ...files.map(({ name, sha256 }) => `  ${sha256}  ${name}`)].join(
    '\n',
  );
}

/** How the words that are sworn begin. */
export const DECLARATION = 'I declare under penalty of perjury';

/** The words of 28 USC 1746: those within the United States, and those for outside. */
function signature(): string {
  return [
    wrapped(
      `${DECLARATION} [if executed outside the United States: under the laws of the United States of America] that the foregoing is true and correct.`,
    ),
    '',
    'Executed on:   ____________________________',
    '',
    'Signature:     ____________________________',
    '',
    'Name:          ____________________________',
    '',
    'Title:         ____________________________',
  ].join('\n');
}

function numbered(ordinal: number, text: string): string {
  // Whoever asked has named the request and its traceback: nobody puts a line into what a custodian signs.
  return wrapped(printableText(text, Number.POSITIVE_INFINITY), `${String(ordinal).padStart(2)}. `);
}

/** Lines of at most so many columns; what has no space is not broken. */
function wrapped(text: string, lead = ''): string {
  const indent = ' '.repeat(lead.length);
  const lines: string[] = [];
  let line = lead;
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === '' || line === lead;
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line = isFirst ? line + word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
