import { hash } from 'node:crypto';
import type { Disposition } from '../../contract/call-record.js';
import type { AnsweredCall, TracebackAnswer, TracebackRequest } from '../../contract/traceback-exchange.js';
import { membersOf } from '../../core/text.js';
import { jsonOf } from './evidence-manifest.js';
import type { EvidenceFile, EvidencePack } from './evidence-manifest.js';

/**
 * Writes a pack as a vCon, the container for what is known of a conversation: the request and the call as dialogs, caller, called, provider and
 * requester as parties, answer, search, decision and verification as analysis, and the records with their bytes as attachments, each with
 * its hash. The draft is at work; this is its syntax 0.4.0, unsigned. Never throws, whatever the pack holds.
 * @param pack - from {@link EvidenceStore.pack}
 * @returns an object for JSON.stringify; its names are those of the draft
 * @see draft-ietf-vcon-vcon-core-04
 * @example
 * ```ts
 * // store is a EvidenceStore with the pack of an answer.
 * const written = async (store: EvidenceStore, packId: string): Promise<string | undefined> => {
 *   const pack = await store.pack(packId);
 *   return pack === undefined ? undefined : JSON.stringify(evidenceVcon(pack));
 * };
 * console.log(typeof written); // function
 * ```
 */
export function evidenceVcon(pack: EvidencePack) {
  const { manifest, files } = pack;
  const answer = parsed<TracebackAnswer>(files, 'answer.json');
  const request = parsed<TracebackRequest>(files, 'request.json');
  const received = files.find(({ name }) => name.startsWith('request-received.'));
  const parties = partiesOf(pack, answer, request);
  const call = answer.call === undefined ? undefined : callDialog(answer.call);
  const { writtenAt: start } = manifest;
  const { receivedAt = start } = parsed<{ readonly receivedAt: string }>(files, 'received.json');
  const asked =
    received === undefined
      ? []
      : [{ type: 'text', start: receivedAt, parties: [REQUESTER, PROVIDER], ...contentOf(received) } as const];
  const dialog = [...asked, ...(call === undefined ? [] : [call])];
  const about = Math.max(0, dialog.length - 1);
  return {
    vcon: '0.4.0' as const,
    uuid: uuidOf(pack),
    created_at: start,
    subject: `Traceback ${manifest.tracebackId}, request ${manifest.requestId}`,
    parties,
    dialog,
    analysis: files
      .filter(({ name }) => ANALYSIS.has(name))
      .map((file) => ({
        type: 'report' as const,
        dialog: [about],
        vendor: 'Hopback',
        product: `${manifest.software.name} ${manifest.software.version}`,
        ...schemaOf(file),
        ...contentOf(file),
      })),
    attachments: attached(pack).map((file) => ({
      purpose: file.what,
      start,
      party: PROVIDER,
      dialog: about,
      ...contentOf(file),
    })),
  };
}

/** Places in `parties`. */
const PROVIDER = 0;
const REQUESTER = 1;
const CALLER = 2;
const CALLED = 3;

/** Files that say what was thought of the call, with the name of their form where they have one. */
const ANALYSIS: ReadonlyMap<string, string | undefined> = new Map([
  ['answer.json', 'hopback.traceback-answer.1'],
  ['search.json', undefined],
  ['verdict.json', 'hopback.verdict-evidence.1'],
  ['decision.json', undefined],
]);

function schemaOf({ name }: EvidenceFile): { readonly schema?: string } {
  const schema = ANALYSIS.get(name);
  return schema === undefined ? {} : { schema };
}

function attached({ files, manifestOctets, signature, answerJws, receiptJws }: EvidencePack): EvidenceFile[] {
  const signed = (name: string, mediaType: string, what: string, octets: Uint8Array): EvidenceFile => ({
    name,
    mediaType,
    what,
    octets,
  });
  return [
    ...files.filter(({ name }) => !ANALYSIS.has(name) && !name.startsWith('request-received.')),
    signed('manifest.json', 'application/json', 'SHA-256 of each file, signed and logged.', manifestOctets),
    signed('manifest.sig', 'application/octet-stream', 'Signature over manifest.json.', signature),
    ...(answerJws === undefined
      ? []
      : [signed('answer.jws', 'application/jose', 'The signed answer.', Buffer.from(answerJws))]),
    ...(receiptJws === undefined
      ? []
      : [signed('receipt.jws', 'application/jose', 'The receipt of the platform.', Buffer.from(receiptJws))]),
  ];
}

function partiesOf(
  { manifest }: EvidencePack,
  { call, finding }: Partial<TracebackAnswer>,
  request: Partial<TracebackRequest>,
) {
  const named = finding !== undefined && 'upstream' in finding ? finding.upstream.name : undefined;
  return [
    { name: manifest.provider.name, validation: 'none' },
    { name: request.requester?.name ?? 'requester', validation: 'none' },
    telephone(call?.calling ?? request.call?.calling),
    telephone(call?.called ?? request.call?.called),
    ...(named === undefined ? [] : [{ name: named, validation: 'stated by the provider in its answer' }]),
  ];
}

/** A tel URI has a number with its country, or says where it holds, which is not known here. RFC 3966 section 5.1.4 */
function telephone(number: string | undefined) {
  if (number === undefined) return {};
  return /^\+\d{1,15}$/.test(number) ? { tel: `tel:${number}` } : { name: number, validation: 'none' };
}

const DISPOSITIONS = {
  busy: 'busy',
  'no-answer': 'no-answer',
  cancelled: 'hung-up',
  rejected: 'failed',
  failed: 'failed',
  blocked: 'failed',
} as const satisfies Record<Exclude<Disposition, 'answered'>, string>;

/** A call that was answered, and of which no recording is known, has no content: so it is none of type `recording`. Section 4.3.1 */
function callDialog({ startedAt, answeredAt, endedAt, disposition }: AnsweredCall) {
  const parties = [CALLER, CALLED];
  if (disposition !== 'answered') {
    const reason = DISPOSITIONS[disposition] ?? 'failed';
    return { type: 'incomplete', start: startedAt, parties, disposition: reason } as const;
  }
  const start = answeredAt ?? startedAt;
  const duration = (Date.parse(endedAt ?? '') - Date.parse(start)) / 1_000;
  const timed = duration >= 0 ? { duration } : {};
  return {
    type: 'recording-set',
    start,
    ...timed,
    parties,
    recordings: [] as readonly [],
  } as const;
}

/** What stands inline in a vCon: text as it is, other octets in base64url; its hashes are of the octets. */
function contentOf({ name, mediaType, octets }: EvidenceFile) {
  const text = Buffer.from(octets).toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(Buffer.from(octets));
  return {
    mediatype: mediaType,
    filename: name,
    body: isText ? text : Buffer.from(octets).toString('base64url'),
    encoding: isText ? ('none' as const) : ('base64url' as const),
    content_hash: [`sha512-${hash('sha512', octets, 'base64url')}`, `sha256-${hash('sha256', octets, 'base64url')}`],
  };
}

/** A UUID of version 8, from what the pack is: the same pack is the same vCon. RFC 9562 section 5.8 */
function uuidOf({ manifestOctets }: EvidencePack): string {
  const octets = hash('sha256', manifestOctets, 'buffer').subarray(0, 16);
  octets.writeUInt8(0x80 | (octets.readUInt8(6) & 0x0f), 6);
  octets.writeUInt8(0x80 | (octets.readUInt8(8) & 0x3f), 8);
  return octets.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Written by the writer of the pack; of a pack that somebody changed anything may be missing. */
function parsed<Value>(files: readonly EvidenceFile[], name: string): Partial<Value> {
  const file = files.find((one) => one.name === name);
  return membersOf(file === undefined ? undefined : jsonOf(file.octets)) as Partial<Value>;
}
