import type { TracebackRequest } from '../../core/traceback-request.js';
import type { AssembledRequest } from './assemble-request.js';
import { INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import type { IntakeRequest } from './intake-report.js';

/** By which two questions about one call are told apart: another hop's, another traceback's. */
const TELLING: readonly IntakeField[] = [
  ...([
    'tracebackId',
    'requestId',
    'direction',
    'hop',
    'campaign',
    'campaignId',
    'downstream',
    'downstreamId',
  ] as const),
  ...(['downstreamOcn', 'downstreamSpc', 'downstreamFrn'] as const),
];

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
  const telling = fields.filter(({ field }) => TELLING.includes(field));
  return new Set(telling.map(({ field, value }) => `${field} ${value}`));
}

function withDue(request: IntakeRequest, dueAt: string | undefined): IntakeRequest {
  const earlier = (one: TracebackRequest): TracebackRequest =>
    dueAt === undefined || (one.dueAt !== undefined && one.dueAt <= dueAt) ? one : { ...one, dueAt };
  if (request.status === 'incomplete') return request;
  if (request.status === 'clear') return { ...request, request: earlier(request.request) };
  return { ...request, readings: request.readings.map(earlier) };
}
