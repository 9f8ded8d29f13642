import { readEssentials, parseMessage } from '@hopback/harness/drachtio';
import { readFilingList } from '../../sdk/src/switch/filing-directory.js';
import {
  canonicalTelephoneNumber,
  NORTH_AMERICAN_PLAN,
  parseCertificate,
  parseCertificateChain,
  parseCrl,
  parseSipRequest,
  withVerstat,
} from '@hopback/sdk/stir';
import { parseBoundedJson } from '../../sdk/src/core/json-text.js';
import { parseIdentityHeader } from '../../sdk/src/stir/identity-header.js';
import { parsePassport } from '../../sdk/src/stir/passport.js';
import { readSipDate } from '../../sdk/src/stir/verification/request.js';
import { readEmail, readPastedText, readRequestCsv, readTrunkCsv } from '@hopback/sdk/traceback';
import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readPdf } from '../../harness/src/platform/domain/demands/review-findings.js';
import { maskedTranscript } from '../../harness/src/platform/domain/alerts/case-sheet.js';
import { callBackNumbers } from '../../harness/src/platform/domain/campaigns/scripts/call-back-numbers.js';
import { nameOfScript } from '../../harness/src/platform/domain/campaigns/scripts/name-of-script.js';
import { MAX_REQUEST_SIZE, parseNameAddr, splitHeaderList } from '../../sdk/src/core/sip-request.js';
import { parseSipUri } from '../../sdk/src/core/sip-uri.js';
import { createEventStreamParser } from '../../sdk/src/platform/events/platform-events.js';
import { parseHepPacket } from '../../sdk/src/records/ingest/hep-packet.js';
import { importFiles } from '../../sdk/src/records/ingest/import-files.js';
import { createRowSplitter } from '../../sdk/src/records/ingest/row-splitter.js';
import { readSipFacts } from '../../sdk/src/records/ingest/sip-call.js';
import { shakenClaims } from '../../sdk/src/records/ingest/formats/leg.js';
import { readPlainRequest } from '../../sdk/src/sidecar/http/listen.js';
import { createCountingStore, createRejectList, createRowReader, rowText } from '../support/followed-rows.js';
import { TEXT_READERS } from '../support/record-readers.js';
import { sampleNames, sampleOf } from '../support/record-samples.js';
import { testFolder } from '../support/test-folder.js';

/** Half a MiB, so that the whole table takes seconds. The bound is one second of processor time for each MiB. */
const PROBE_CHARS = 524_288;
const MOST_MS = 500;

/**
 * What this machine takes at this moment to cut the same text into pieces of three octets and to hash each, as every reader of rows does. A
 * processor that other programs share, and whose caches they fill, takes two or three times as long for everything: the bound grows with it.
 */
async function machineMs(): Promise<number> {
  const text = Buffer.alloc(PROBE_CHARS, 'a,\n');
  const work = (): unknown =>
    Array.from({ length: Math.floor(PROBE_CHARS / 3) }, (_, at) => {
      const piece = text.subarray(at * 3, at * 3 + 3);
      return { text: piece.toString('latin1'), sha256: createHash('sha256').update(piece).digest('hex') };
    });
  await processorMs(work);
  return Math.min(await processorMs(work), await processorMs(work));
}

/** A reader of rows takes that time too, and may take as much again for everything else. */
const MACHINE_SHARES = 2;

/** What is repeated: openings without an end, ends without an opening, separators, escapes, and pieces that formats give a meaning. */
const ATOMS: readonly string[] = [
  ...String.raw`< > </ <a <!-- --> <td> <table> & &#x3a; ( ) [ { {"a": [[ } " "" ' \ \" "\ <" ",<`.split(' '),
  ...', ; : = ? @ % %25 # | a 1 - +1 a, a. %PDF- obj<<'.split(' '),
  ...[' ', '\t', '\r\n', '\r\n ', '\n', '\n\n', '\n> ', '\n--', '--x\r\n', ' a\n', '\0', '\u00e9', '\ud83d\ude00'],
  ...['<td rowspan=999 colspan=64>', '<div hidden>', '1 ', '2025550101 ', '10/11/2026 ', '3:41 PM '],
  ...['Call 1: ', 'From: a\r\n', '/Type '],
];

const octets = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const intake = { zone: 'America/New_York', receivedAtMs: 1_795_615_200_000 } as const;

async function processorMs(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** One row of each switch format, read as the file that it comes from declares. */
const rowReaders = Object.fromEntries(
  Object.entries(TEXT_READERS).map(([format, createReader]) => {
    const [name = ''] = sampleNames(format);
    const { source } = sampleOf(format, name);
    const read = (text: string): void => {
      const reader = createReader(source);
      const splitter = createRowSplitter({ framing: reader.framing });
      for (const found of [...splitter.push(octets(text)), ...splitter.end()]) {
        if (found.status === 'row') reader.read(found.row);
      }
    };
    return [`rows of ${format}`, read];
  }),
);

/** Everything that reads what a peer, a switch, an agency or a caller wrote. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  parseSipRequest,
  'parseSipRequest, in a header': (text) =>
    parseSipRequest(`INVITE sip:a@b SIP/2.0\r\nTo: ${text}\r\nIdentity: ${text}\r\n\r\n`),
  'parseSipRequest, of the greatest size': (text) =>
    parseSipRequest(`INVITE sip:a@b SIP/2.0\nTo: x\n${text}`.slice(0, MAX_REQUEST_SIZE)),
  parseIdentityHeader,
  parsePassport,
  parseBoundedJson: (text) =>
    parseBoundedJson(text, { maxChars: PROBE_CHARS * 2, maxDepth: 64, maxEntries: PROBE_CHARS }),
  parseCertificate: (text) => parseCertificate(octets(text)),
  parseCertificateChain,
  parseCrl,
  parseNameAddr,
  parseSipUri,
  splitHeaderList,
  readSipDate,
  withVerstat: (text) => withVerstat(`<sip:+12025550101@a.example>;${text}`, 'TN-Validation-Passed'),
  canonicalTelephoneNumber: (text) => canonicalTelephoneNumber(text, NORTH_AMERICAN_PLAN),
  shakenClaims: (text) => shakenClaims([text]),
  readSipFacts: (text) => readSipFacts(octets(`INVITE sip:a@b SIP/2.0\r\nFrom: ${text}\r\n\r\n`)),
  parseHepPacket: (text) => parseHepPacket(octets(`HEP3${text}`)),
  ...rowReaders,
  readFilingList,
  readTrunkCsv,
  readEmail: (text) => readEmail(octets(`Content-Type: text/html\r\n\r\n${text}`), intake),
  'readEmail, whole': (text) => readEmail(octets(text), intake),
  readPastedText: (text) => readPastedText(text, intake),
  readRequestCsv: (text) => readRequestCsv(octets(text), intake),
  readPlainRequest: (text) => readPlainRequest(Buffer.from(`POST / HTTP/1.1\r\n${text}`), 65_536),
  'event stream': (text) => createEventStreamParser().push(octets(text)),
  parseMessage: (text) => {
    const parsed = parseMessage(`OPTIONS sip:a@b SIP/2.0\r\nVia: ${text}\r\nContact: ${text}\r\n\r\n`);
    return parsed.status === 'parsed' && readEssentials(parsed.message);
  },
  readPdf: (text) => readPdf(octets(`%PDF-1.7\n${text}`)),
  maskedTranscript,
  callBackNumbers,
  nameOfScript: (text) => nameOfScript([text, text]),
};

test.each(Object.entries(PARSERS))(
  '%s takes no more than a second of processor time for each MiB of a repeated piece',
  async (_, parse) => {
    const slow: string[] = [];
    for (const atom of ATOMS) {
      const text = atom.repeat(PROBE_CHARS / atom.length);
      const tookMs = await tooLongMs(() => parse(text));
      if (tookMs !== undefined) slow.push(`${JSON.stringify(atom)}: ${tookMs} ms`);
    }
    expect(slow).toEqual([]);
  },
);

/** @returns what it took where that is too much */
async function tooLongMs(work: () => unknown): Promise<number | undefined> {
  let leastMs = Infinity;
  // Any of three counts: other programs share the processor, more or less of it from one second to the next.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const tookMs = await processorMs(work);
    if (tookMs <= MOST_MS || tookMs <= MACHINE_SHARES * (await machineMs())) return undefined;
    leastMs = Math.min(leastMs, tookMs);
  }
  return Math.round(leastMs);
}

/** A member of gzip with another header. RFC 1952 section 2.3 */
const withHeader = (flags: number, more: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), more, gzipSync('').subarray(10)]);

const MEMBERS: Readonly<Record<string, Buffer>> = {
  'empty members': gzipSync(''),
  'members of an octet': gzipSync('\n'),
  'members of a row': gzipSync(`${rowText(1)}\n`),
  'members of half a row, which begins in one and ends in the next': Buffer.concat([
    gzipSync(rowText(1).slice(0, 9)),
    gzipSync(`${rowText(1).slice(9)}\n`),
  ]),
  'empty members with an extra field': withHeader(4, Buffer.from([1, 0, 0])),
  'empty members with a long extra field': withHeader(
    4,
    Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(65_535)]),
  ),
  'empty members with a name': withHeader(8, Buffer.from('a\0')),
  'empty members of a hundred empty blocks': Buffer.concat([
    gzipSync('').subarray(0, 10),
    Buffer.from('000000ffff'.repeat(100), 'hex'),
    gzipSync('').subarray(10),
  ]),
  'members that are too long to be small': gzipSync(randomBytes(4_200)),
  'padding behind a member': Buffer.concat([gzipSync(''), Buffer.alloc(PROBE_CHARS)]),
};

const folder = testFolder();

test.each(Object.entries(MEMBERS))(
  'a packed file of %s takes no more than a second of processor time for each MiB',
  async (_, member) => {
    const members = Buffer.concat(Array.from({ length: Math.ceil(PROBE_CHARS / member.length) }, () => member));
    const path = await folder.write('cdr.csv.gz', members);
    const read = async (): Promise<void> => {
      const options = { sourceId: 'test-switch', store: createCountingStore(), rejects: createRejectList() };
      const { files } = await importFiles([path], { ...options, reader: createRowReader() });
      expect(files).toEqual([{ status: 'imported', path }]);
    };
    expect(await tooLongMs(read)).toBeUndefined();
  },
);
