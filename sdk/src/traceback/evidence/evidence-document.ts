import { printableText } from '../../core/text.js';
import { DECLARATION } from './custodian-certificate.js';
import type { DecisionStep } from './evidence-material.js';
import type { EvidenceFile, EvidencePack } from './evidence-manifest.js';
import type { LoggedProof } from './pack-proof.js';

/** A part of a document about a pack, whatever it is drawn with. */
export type DocumentBlock =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'page' }
  | { readonly kind: 'text'; readonly text: string }
  /** Label and value, one below the other. */
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [label: string, value: string])[] }
  /** As it is, in a fixed width. `columns` of it are seen without a break; `isWhole`: on one page. */
  | { readonly kind: 'listing'; readonly text: string; readonly columns: number; readonly isWhole?: true };

/** What stands on the cover and in the footer. */
export interface EvidenceDocument {
  readonly title: string;
  readonly packId: string;
  readonly writtenAt: string;
  readonly cover: readonly (readonly [label: string, value: string])[];
  readonly blocks: readonly DocumentBlock[];
}

/** What is shown of a text that is as long as its sender likes; all of it is in the folder of the pack. */
const LISTED_CHARS = 6_000;
/** Rows of a record that are shown: a capture has thousands of packets. */
const LISTED_ROWS = 20;

/** What a pack says, for people. Never throws, whatever the pack holds. */
export function evidenceDocument(pack: EvidencePack, proofs: readonly LoggedProof[]): EvidenceDocument {
  const { manifest } = pack;
  const json = (name: string): unknown => parsed(pack.files.find((file) => file.name === name));
  const answer = members(json('answer.json'));
  const search = members(json('search.json'));
  return {
    title: 'Evidence of a traceback answer',
    packId: manifest.packId,
    writtenAt: manifest.writtenAt,
    cover: coverFacts(pack, { request: members(json('request.json')), answer }),
    blocks: [
      { kind: 'page' },
      { kind: 'heading', text: 'Request' },
      ...factsBlock(members(json('request.json'))),
      ...receivedBlocks(pack.files),
      { kind: 'heading', text: 'Answer' },
      ...factsBlock(without(answer, 'searched')),
      { kind: 'heading', text: 'Search and coverage' },
      ...factsBlock(members(search['searched'])),
      ...reasonBlocks(search['reasons']),
      { kind: 'heading', text: 'Clocks' },
      ...listBlocks(json('clocks.json'), 'No offset of a clock was measured.'),
      { kind: 'page' },
      { kind: 'heading', text: 'Records' },
      ...recordBlocks(pack, json),
      ...(json('verdict.json') === undefined
        ? []
        : [
            { kind: 'heading', text: 'Verification of the call' } as const,
            ...factsBlock(members(json('verdict.json'))),
          ]),
      { kind: 'heading', text: 'Decision' },
      ...decisionBlocks(members(json('decision.json'))),
      { kind: 'page' },
      { kind: 'heading', text: 'Hashes and log' },
      ...hashBlocks(pack, proofs),
      { kind: 'page' },
      ...certificateBlocks(pack.files),
    ],
  };
}

function coverFacts(
  { manifest, answerJws, receiptJws }: EvidencePack,
  { request, answer }: { readonly request: Members; readonly answer: Members },
): EvidenceDocument['cover'] {
  const finding = members(answer['finding']);
  const upstream = members(finding['upstream'] ?? finding['provider'] ?? finding['downstream']);
  const named = text(upstream['name']);
  return [
    ['Provider', [manifest.provider.name, manifest.provider.ocn].filter((part) => part !== undefined).join(', OCN ')],
    ['Asked by', text(members(request['requester'])['name']) || 'not stated'],
    ['Asked about', askedText(members(request['call']))],
    ['Finding', `${text(finding['arm'])}${named === '' ? '' : `: ${named}`}`],
    ['Call in the answer', foundText(members(answer['call']))],
    ['Answered', answeredText(answer)],
    ['Traceback', manifest.tracebackId],
    ['Request', manifest.requestId],
    [
      'Answer',
      `${manifest.answerId}, revision ${manifest.revision}${answerJws === undefined ? ', not signed yet' : ', signed'}`,
    ],
    ['Receipt', receiptJws === undefined ? 'none when this was drawn' : 'in the pack'],
    ['Evidence pack', manifest.packId],
    ['Written', manifest.writtenAt],
    ['Software', `${manifest.software.name} ${manifest.software.version}`],
    ['Signed by', `${manifest.signer.algorithm} key ${manifest.signer.publicKeySha256}`],
    ['Log', manifest.logId],
  ];
}

/** The call as the request has it, the time with what it was read as. */
function askedText({ called, calling, at }: Members): string {
  const { asWritten, local, zone } = members(at);
  const from = text(calling) === '' ? 'a call' : `a call from ${text(calling)}`;
  const read = [text(local), text(zone) || 'no zone stated'].join(', ');
  return `${from} to ${text(called) || 'a number that is not stated'} at ${text(asWritten) || '-'} (read as ${read})`;
}

function foundText({ called, calling, startedAt }: Members): string {
  if (text(startedAt) === '') return 'none';
  return `from ${text(calling) || 'a number that is not on record'} to ${text(called) || '-'}, begun ${text(startedAt)}`;
}

function answeredText({ answeredAt, answeredBy }: Members): string {
  const { kind, name } = members(answeredBy);
  return `${text(answeredAt)}, ${kind === 'automatic' ? 'without a person deciding' : `decided by ${text(name) || 'a person'}`}`;
}

function receivedBlocks(files: readonly EvidenceFile[]): DocumentBlock[] {
  const received = files.find(({ name }) => name.startsWith('request-received.'));
  if (received === undefined) return [];
  return [
    { kind: 'text', text: received.what },
    { kind: 'listing', text: listed(received.octets), columns: 96 },
  ];
}

function recordBlocks({ manifest, files }: EvidencePack, json: (name: string) => unknown): DocumentBlock[] {
  if (manifest.records.length === 0) return [{ kind: 'text', text: 'The answer rests on no record of a call.' }];
  return manifest.records.flatMap((record): DocumentBlock[] => {
    const rows = record.rawFiles.slice(0, LISTED_ROWS).flatMap((name) => files.filter((file) => file.name === name));
    const more = record.rawFiles.length - rows.length;
    const kept =
      record.raw === 'kept'
        ? `Read from ${String(record.rawFiles.length)} ${record.rawFiles.length === 1 ? 'row or packet' : 'rows or packets'}, whose bytes ${record.rawMatches === true ? 'have' : 'do NOT have'} the hash that was kept with the record.`
        : 'Its bytes were not kept, only their hash.';
    return [
      {
        kind: 'text',
        text: `Record ${record.recordId}, made by version ${String(record.readerVersion)} of the reader for ${record.format}. ${kept}`,
      },
      ...factsBlock(without(members(json(record.file)), 'format', 'recordId')),
      ...rows.map(({ octets }): DocumentBlock => ({ kind: 'listing', text: listed(octets), columns: 96 })),
      ...(more > 0 ? [{ kind: 'text', text: `${String(more)} more are in the folder of the pack.` } as const] : []),
    ];
  });
}

function reasonBlocks(reasons: unknown): DocumentBlock[] {
  if (!Array.isArray(reasons) || reasons.length === 0) return [];
  const facts = reasons.map((reason): readonly [string, string] => {
    const { field, verdict, stated, recorded } = members(reason);
    return [text(field), `${text(verdict)}: stated ${text(stated) || '-'}, recorded ${text(recorded) || '-'}`];
  });
  return [
    { kind: 'text', text: 'What spoke for the call, and against it:' },
    { kind: 'facts', facts },
  ];
}

function decisionBlocks(decision: Members): DocumentBlock[] {
  const steps = Array.isArray(decision['steps']) ? (decision['steps'] as readonly DecisionStep[]) : [];
  return [
    ...factsBlock(without(decision, 'steps')),
    {
      kind: 'facts',
      facts: steps.map((step, index): readonly [string, string] => {
        const { rule, inputs, result, because } = members(step);
        const looked = flattened(inputs, '')
          .map(([name, value]) => `${name} = ${value}`)
          .join(', ');
        const why = text(because) === '' ? '' : ` (${text(because)})`;
        return [
          `${String(index + 1)}. ${text(rule)}`,
          `${text(result)}${why}${looked === '' ? '' : `; looked at ${looked}`}`,
        ];
      }),
    },
  ];
}

function hashBlocks({ manifest }: EvidencePack, proofs: readonly LoggedProof[]): DocumentBlock[] {
  const table = manifest.files.map(({ name, sha256 }) => `${sha256}  ${name}`).join('\n');
  const logged = proofs.map(({ kind, inclusion }): readonly [string, string] => [
    `Entry of the ${kind}`,
    `number ${String(inclusion.leafIndex)} of ${String(inclusion.size)}`,
  ]);
  const checkpoint = proofs[0]?.checkpoint;
  return [
    { kind: 'text', text: 'SHA-256 of each file, as signed in manifest.json:' },
    { kind: 'listing', text: table, columns: 100 },
    ...(logged.length === 0 ? [] : [{ kind: 'facts', facts: logged } as const]),
    ...(checkpoint === undefined
      ? []
      : [
          { kind: 'text', text: 'Signed checkpoint of the log:' } as const,
          { kind: 'listing', text: checkpoint, columns: 100 } as const,
        ]),
    {
      kind: 'text',
      text: 'This document is a rendering for people. What can be checked with openssl and sha256sum is the folder of the pack.',
    },
  ];
}

function certificateBlocks(files: readonly EvidenceFile[]): DocumentBlock[] {
  const certificate = files.find(({ name }) => name === 'custodian-certificate.txt');
  if (certificate === undefined) return [];
  const written = Buffer.from(certificate.octets).toString('utf8');
  // A signature on a sheet of its own could be laid under anything: the words that are sworn stand on the same page.
  const end = written.lastIndexOf(DECLARATION);
  if (end < 0) return [{ kind: 'listing', text: written, columns: 100 }];
  return [
    { kind: 'listing', text: written.slice(0, end), columns: 100 },
    { kind: 'listing', text: written.slice(end).trimEnd(), columns: 100, isWhole: true },
  ];
}

function listBlocks(list: unknown, nothing: string): DocumentBlock[] {
  if (!Array.isArray(list) || list.length === 0) return [{ kind: 'text', text: nothing }];
  return list.flatMap((element) => factsBlock(members(element)));
}

type Members = Readonly<Record<string, unknown>>;

function factsBlock(value: Members): DocumentBlock[] {
  const facts = flattened(value, '').map(([path, shown]) => [labelOf(path), withInstant(path, shown)] as const);
  return facts.length === 0 ? [] : [{ kind: 'facts', facts }];
}

/** `call.received.origId` as `Call, received, orig id`. */
function labelOf(path: string): string {
  const words = printableText(inUnits(path))
    .replaceAll('.', ', ')
    .replaceAll(/\[(\d+)\]/g, ' $1')
    .replaceAll(/([a-z0-9])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const INSTANT = /(?:At|from|to)(Us|Ms)$/;
const UNITS: Readonly<Record<string, string>> = { Us: 'microseconds', Ms: 'milliseconds' };

/** `answeredAtUs` as `answeredAt, microseconds since 1970`. */
function inUnits(path: string): string {
  const since = INSTANT.test(path) ? ' since 1970' : '';
  return path.replace(/(?<=[a-z])(Us|Ms)$/, (unit) => `, ${UNITS[unit] ?? unit}${since}`);
}

/** Instants of records count from the epoch: they are shown as dates too. */
function withInstant(path: string, shown: string): string {
  const perMs = { us: 1_000, ms: 1 }[INSTANT.exec(path)?.[1]?.toLowerCase() ?? ''];
  const ms = perMs === undefined ? Number.NaN : Math.floor(Number(shown) / perMs);
  return Math.abs(ms) <= 8.64e15 ? `${new Date(ms).toISOString()} (${shown})` : shown;
}

/** Deeper than anything that a writer writes. */
const DEEPEST = 32;

/** Names of members joined by dots, in the order of the JSON. */
function flattened(value: unknown, path: string, depth = 0): (readonly [string, string])[] {
  if (depth > DEEPEST) return [[path, 'nested too deeply to be shown']];
  if (Array.isArray(value)) {
    if (value.every((element) => typeof element !== 'object')) return [[path, value.map(text).join(', ')]];
    return value.flatMap((element, index) => flattened(element, `${path}[${String(index + 1)}]`, depth + 1));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, member]) =>
      flattened(member, path === '' ? name : `${path}.${name}`, depth + 1),
    );
  }
  return [[path, text(value)]];
}

function without(value: Members, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

function text(value: unknown): string {
  if (typeof value === 'string') return printableText(value, LISTED_CHARS);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function parsed(file: EvidenceFile | undefined): unknown {
  try {
    return file === undefined ? undefined : JSON.parse(Buffer.from(file.octets).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Text as it is, line by line; anything else in hexadecimal. */
function listed(octets: Uint8Array): string {
  const read = Buffer.from(octets).toString('utf8');
  const isText = Buffer.from(read, 'utf8').equals(Buffer.from(octets)) && !/[\u0000-\u0008\u000e-\u001f]/.test(read);
  const shown = isText
    ? read
    : (
        Buffer.from(octets)
          .toString('hex')
          .match(/.{1,96}/g) ?? []
      ).join('\n');
  const cut =
    shown.length > LISTED_CHARS
      ? `${shown.slice(0, LISTED_CHARS)}\n... cut; all of it is in the folder of the pack`
      : shown;
  return cut
    .split('\n')
    .map((line) => printableText(line.replaceAll('\t', '    '), LISTED_CHARS))
    .join('\n');
}
