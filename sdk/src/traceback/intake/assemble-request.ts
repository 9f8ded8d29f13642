import { hash } from 'node:crypto';
import { canonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { Attestation } from '../../core/telephone-number.js';
import { defined, wellFormedValue } from '../../core/text.js';
import type { ProviderReference } from '../../contract/common.js';
import type {
  RequestedCall,
  RequestedCampaign,
  RequesterKind,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { readCall, squeezed } from './call-reading.js';
import type { CallReading, GroupedCall } from './call-reading.js';
import { domainOf, kindOfDomain, requesterKindOf, writtenProvider } from './field-values.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import type { IntakeKnowledge } from './intake-options.js';
import { MAX_INTAKE_READINGS, MAX_INTAKE_UNREAD } from './intake-report.js';
import type { AssumedField, IntakeDoubt, IntakeRequest, StatedCell } from './intake-report.js';
import { instantText } from './stated-time.js';
import { phraseSet } from './visible-text.js';

/** 128 bits: no two requests ever share an id by chance. */
const ID_DIGITS = 32;

/** Whether an id was made here: it says nothing to whoever asked. */
export function isDerivedId(id: string): boolean {
  return /^intake-[0-9a-f]{32}$/.test(id);
}

function numbersText(numbers: readonly string[]): string {
  return numbers
    .map((number) => {
      const read = canonicalTelephoneNumber(number);
      return read.kind === 'none' ? number : read.tn;
    })
    .join(' ');
}

function idOf(parts: readonly string[]): string {
  return `intake-${hash('sha256', JSON.stringify(parts.map(squeezed)), 'hex').slice(0, ID_DIGITS)}`;
}

/** What is known of the message that a request came in. */
export interface MessageKnowledge {
  readonly known: IntakeKnowledge;
  readonly shared: readonly StatedCell[];
  /** Whether its times are counted to 24, as far as they show it. */
  readonly countsTo24: boolean;
  readonly fromName?: string | undefined;
  readonly fromAddress?: string | undefined;
  /** Who passed it on: senders of the messages around it. */
  readonly passedOnBy?: readonly string[];
  readonly issuedAt?: string | undefined;
  /** Of a recording that came with it, where it is the only one. */
  readonly recordingSha256?: string | undefined;
  /** Doubts about the message as a whole. */
  readonly doubts: readonly IntakeDoubt[];
  /** How many calls it asks about: an id that is stated once for several is none of either. */
  readonly calls: number;
}

/** A request, and the id that it has if the one that it states is another's as well. */
export interface AssembledRequest {
  readonly request: IntakeRequest;
  readonly derivedId: string;
}

/**
 * Makes a request of the fields of one call, or says what is missing or in doubt. Its texts are well-formed: what is cut may be cut within a
 * character. Never throws for peer input.
 */
export function assembleRequest(call: GroupedCall, message: MessageKnowledge): AssembledRequest {
  return wellFormedValue(assembleCall(call, message));
}

function assembleCall(call: GroupedCall, message: MessageKnowledge): AssembledRequest {
  const reading = readCall(call.cells, message);
  const assumed: AssumedField[] = [];
  const requester = requesterOf(reading, message, assumed);
  const { derivedId, ...base } = baseOf(reading, message, assumed);
  const missing = missingOf(reading);
  const doubts = [...message.doubts, ...reading.doubts, ...requester.doubts];
  const told = {
    requestId: base.requestId,
    fields: reading.fields,
    unread: [...call.unread, ...reading.unread].slice(0, MAX_INTAKE_UNREAD),
    assumed,
    notStated: notStatedOf(reading, base),
  };
  if (missing.length > 0) {
    const others = doubts.filter((doubt) => !isAboutMissing(doubt, missing));
    return { derivedId, request: { ...told, status: 'incomplete', missing, doubts: others } };
  }
  const readings = callsOf(reading).map((asked): TracebackRequest => {
    return { format: 'hopback.traceback-request.1', ...base, requester: requester.value, call: asked };
  });
  const [request] = readings;
  if (request !== undefined && readings.length === 1 && doubts.length === 0)
    return { derivedId, request: { ...told, status: 'clear', request } };
  return { derivedId, request: { ...told, status: 'doubtful', doubts, readings } };
}

/** What cannot be looked for without. */
function missingOf({ called, at, values }: CallReading): readonly IntakeField[] {
  const isNamed = called.length > 0 || values.has('recordId');
  return [...(isNamed ? [] : (['called'] as const)), ...(at.length > 0 ? [] : (['at'] as const))];
}

/** That it is missing says as much. */
function isAboutMissing({ kind, field }: IntakeDoubt, missing: readonly IntakeField[]): boolean {
  if (kind !== 'not-understood' || field === undefined) return false;
  return missing.includes(field === 'date' || field === 'timeOfDay' ? 'at' : field);
}

/** What a request has to have, beside the call itself. */
interface RequestBase extends Omit<TracebackRequest, 'call' | 'requester' | 'format'> {
  readonly requestId: string;
}

function baseOf(
  reading: CallReading,
  message: MessageKnowledge,
  assumed: AssumedField[],
): RequestBase & Pick<AssembledRequest, 'derivedId'> {
  const { values } = reading;
  const downstream = providerOf(values, 'downstream');
  const campaign = campaignOf(values, message.recordingSha256);
  const stated = (field: IntakeField): string => values.get(field) ?? '';
  // What was written, and not how it was understood, so that an id stays when a doubt is settled.
  const ids = (['callId', 'origId', 'recordId'] as const).map(stated);
  const call = [numbersText(reading.called), numbersText(reading.calling), reading.atAsWritten, ...ids];
  // The same for the same call asked about in the same words, however often and by whichever way it comes. A reminder is the same request;
  // the question of another hop that names another downstream is another.
  const named = [stated('tracebackId'), stated('requestId'), downstream?.ocn ?? downstream?.name ?? ''];
  const derivedId = idOf(['request', ...call, ...named, stated('direction')]);
  const fill = (field: IntakeField, value: string): string => {
    if (!values.has(field)) assumed.push({ field, value });
    return values.get(field) ?? value;
  };
  // One id for several calls names the message, and there is one answer for each call.
  const isOwn = values.has('requestId') && (message.calls === 1 || reading.fields.some(isOwnRequestId(message.shared)));
  if (!isOwn) assumed.push({ field: 'requestId', value: derivedId });
  const { provider, receivedAtMs } = message.known;
  const issuedAt = message.issuedAt ?? instantText(receivedAtMs);
  return {
    derivedId,
    requestId: isOwn ? stated('requestId') : derivedId,
    // The same for every hop.
    tracebackId: fill('tracebackId', idOf(['traceback', ...call, campaign?.name ?? ''])),
    direction: fill('direction', 'back') as 'back' | 'forward',
    // Which one it is matters to whoever counts hops; that somebody named us, to whoever looks for the call.
    hop: Number(fill('hop', downstream === undefined ? '1' : '2')),
    issuedAt: message.issuedAt === undefined ? fill('issuedAt', issuedAt) : (values.get('issuedAt') ?? issuedAt),
    ...defined({ dueAt: values.get('dueAt') }),
    provider: provider ?? providerOf(values, 'provider') ?? unnamedProvider(assumed),
    ...defined({ downstream, campaign, comment: values.get('comment') }),
  };
}

function isOwnRequestId(shared: readonly StatedCell[]): (field: CallReading['fields'][number]) => boolean {
  return ({ field, asWritten, place }) =>
    field === 'requestId' &&
    !shared.some((cell) => cell.field === field && cell.text === asWritten && cell.place.line === place.line);
}

function unnamedProvider(assumed: AssumedField[]): ProviderReference {
  const name = 'the asked provider';
  assumed.push({ field: 'provider', value: name });
  return { name };
}

function providerOf(
  values: ReadonlyMap<IntakeField, string>,
  which: 'provider' | 'downstream',
): ProviderReference | undefined {
  const text = values.get(which);
  const named: Partial<ProviderReference> = text === undefined ? {} : writtenProvider(text);
  const providerId = values.get(`${which}Id`);
  const ocn = values.get(`${which}Ocn`) ?? named.ocn;
  const spc = values.get(`${which}Spc`) ?? named.spc;
  const frn = values.get(`${which}Frn`) ?? named.frn;
  // Somebody known by a code alone is called by it.
  const name = named.name ?? ocn ?? spc ?? frn ?? providerId;
  return name === undefined
    ? undefined
    : defined({
        providerId,
        name,
        ocn,
        spc,
        frn,
      });
}

function campaignOf(
  values: ReadonlyMap<IntakeField, string>,
  attached: string | undefined,
): RequestedCampaign | undefined {
  const campaignId = values.get('campaignId');
  const description = values.get('campaignDescription');
  const transcript = values.get('transcript');
  const recordingSha256 = values.get('recordingSha256') ?? attached;
  const name = values.get('campaign') ?? campaignId ?? (description ?? transcript)?.split('\n', 1)[0]?.slice(0, 80);
  if (name === undefined) return undefined;
  return defined({
    campaignId,
    name,
    description,
    transcript,
    recordingSha256,
  });
}

/** Who asks: as stated, else whoever sent the message, else as the reader has said. */
function requesterOf(
  { values }: CallReading,
  message: MessageKnowledge,
  assumed: AssumedField[],
): { readonly value: TracebackRequest['requester']; readonly doubts: readonly IntakeDoubt[] } {
  const { known, fromName, fromAddress, passedOnBy = [] } = message;
  const email = values.get('requesterEmail') ?? fromAddress;
  const name = values.get('requesterName') ?? fromName ?? email;
  const stated = (values.get('requesterKind') ?? requesterKindOf(values.get('requesterName') ?? '')) as
    RequesterKind | undefined;
  const byDomain = fromAddress === undefined ? undefined : kindOfDomain(domainOf(fromAddress), known.requesters);
  // A sender may call itself what it likes: what counts is the domain, or what the reader says.
  const strangers = [
    ...(fromAddress === undefined || byDomain !== undefined ? [] : [fromAddress]),
    ...passedOnBy.filter((address) => !isOfOurs(address, known)),
  ];
  const isUnknown = strangers.length > 0 && known.requesterKind === undefined;
  const kind = byDomain ?? stated ?? known.requesterKind ?? 'itg';
  if (byDomain === undefined && stated === undefined) assumed.push({ field: 'requesterKind', value: kind });
  if (name === undefined) assumed.push({ field: 'requesterName', value: 'not stated' });
  const doubt: IntakeDoubt = {
    kind: 'requester-unknown',
    field: 'requesterEmail',
    asWritten: strangers.join(', '),
    readings: [],
  };
  return {
    value: { kind, name: name ?? 'not stated', ...defined({ email }) },
    doubts: isUnknown ? [doubt] : [],
  };
}

/** Whoever forwards a request could have written it: a message within a message of a stranger is the stranger's. */
function isOfOurs(address: string, { requesters, forwarders = [] }: IntakeKnowledge): boolean {
  const own = Object.fromEntries(forwarders.map((domain) => [domain.toLowerCase(), 'itg' as const]));
  return kindOfDomain(domainOf(address), { ...requesters, ...own }) !== undefined;
}

function notStatedOf({ calling, at }: CallReading, { downstream, dueAt }: RequestBase): readonly IntakeField[] {
  return [
    ...(calling.length === 0 ? (['calling'] as const) : []),
    ...(at.some(({ precision }) => precision === 'day') ? (['timeOfDay'] as const) : []),
    ...(downstream === undefined ? (['downstream'] as const) : []),
    ...(dueAt === undefined ? (['dueAt'] as const) : []),
  ];
}

/** Everything that may be meant, as far as a person can look through it. */
function callsOf({ called, calling, at, values }: CallReading): readonly RequestedCall[] {
  const orNone = (numbers: readonly string[]): readonly (string | undefined)[] =>
    numbers.length === 0 ? [undefined] : numbers;
  const [callId, origId, recordId, spc] = (['callId', 'origId', 'recordId', 'spc'] as const).map((field) =>
    values.get(field),
  );
  const attestation = values.get('attestation') as Attestation | undefined;
  const duration = values.get('durationSeconds');
  const durationSeconds = duration === undefined ? undefined : Number(duration);
  const stated = defined({
    callId,
    origId,
    recordId,
    attestation,
    spc,
    durationSeconds,
  });
  const all = at.flatMap((time) =>
    orNone(called).flatMap((to) =>
      orNone(calling).map((from) => ({ ...defined({ called: to, calling: from, at: time }), ...stated })),
    ),
  );
  return all.slice(0, MAX_INTAKE_READINGS);
}

/** By which two questions about one call are told apart: another hop's, another traceback's. */
const TELLING: ReadonlySet<string> = phraseSet(
  `tracebackId, requestId, direction, hop, campaign, campaignId, downstream, downstreamId, downstreamOcn, downstreamSpc,
   downstreamFrn`,
);

/** Messages that quote each other, and to spare: where more ask about one call nobody compares them all. */
const MOST_COMPARED = 64;

/**
 * Leaves out what another request of the same requester says as well: a reminder names the call, and the message that is quoted below it
 * names the downstream provider too. The one that says more stays, with the earlier of the two deadlines. Never throws for peer input.
 */
export function withoutRepeats(assembled: readonly AssembledRequest[]): readonly AssembledRequest[] {
  const sameCall = new Map<string, AssembledRequest[]>();
  for (const one of assembled) {
    const key = callKey(one.request);
    if (key !== undefined) sameCall.set(key, [...(sameCall.get(key) ?? []).slice(0, MOST_COMPARED), one]);
  }
  const kept = new Map<AssembledRequest, AssembledRequest | undefined>();
  for (const asked of sameCall.values()) {
    if (asked.length > 1 && asked.length <= MOST_COMPARED) mergeRepeats(asked, kept);
  }
  return assembled.flatMap((one) => (kept.has(one) ? (kept.get(one) ?? []) : [one]));
}

function mergeRepeats(
  asked: readonly AssembledRequest[],
  kept: Map<AssembledRequest, AssembledRequest | undefined>,
): void {
  for (const one of asked) {
    const fuller = asked.find((other) => other !== one && saysMore(other.request, one.request));
    if (fuller === undefined) continue;
    kept.set(one, undefined);
    const sofar = kept.get(fuller) ?? fuller;
    if (!kept.has(fuller) || kept.get(fuller) !== undefined)
      kept.set(fuller, { ...sofar, request: withDue(sofar.request, firstOf(one.request)?.dueAt) });
  }
}

/** Who asks about which call; undefined where the call cannot be looked for as it is. */
function callKey(request: IntakeRequest): string | undefined {
  const first = firstOf(request);
  if (first === undefined) return undefined;
  const stated = request.fields.filter(({ field }) => INTAKE_FIELDS[field].scope === 'call');
  const values = [...new Set(stated.map(({ field, value }) => `${field} ${value}`))].toSorted();
  return JSON.stringify([first.requester.email, first.requester.kind, values]);
}

function firstOf(request: IntakeRequest): TracebackRequest | undefined {
  if (request.status === 'incomplete') return undefined;
  return request.status === 'clear' ? request.request : request.readings[0];
}

function saysMore(fuller: IntakeRequest, other: IntakeRequest): boolean {
  const [much, little] = [tellingOf(fuller), tellingOf(other)];
  return much.size > little.size && [...little].every((value) => much.has(value));
}

function tellingOf({ fields }: IntakeRequest): ReadonlySet<string> {
  const telling = fields.filter(({ field }) => TELLING.has(field));
  return new Set(telling.map(({ field, value }) => `${field} ${value}`));
}

function withDue(request: IntakeRequest, dueAt: string | undefined): IntakeRequest {
  const earlier = (one: TracebackRequest): TracebackRequest =>
    dueAt === undefined || (one.dueAt !== undefined && one.dueAt <= dueAt) ? one : { ...one, dueAt };
  if (request.status === 'incomplete') return request;
  if (request.status === 'clear') return { ...request, request: earlier(request.request) };
  return { ...request, readings: request.readings.map(earlier) };
}
