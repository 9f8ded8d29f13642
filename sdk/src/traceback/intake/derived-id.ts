import { hash } from 'node:crypto';
import { canonicalTelephoneNumber } from '../../core/telephone-number.js';
import { squeezed } from './group-calls.js';

/** 128 bits: no two requests ever share an id by chance. */
const ID_DIGITS = 32;

/** What an id is derived from: what was written, and not how it was understood, so that it stays when a doubt is settled. */
export interface WrittenRequest {
  readonly called: readonly string[];
  readonly calling: readonly string[];
  readonly atAsWritten: string;
  readonly callId: string;
  readonly origId: string;
  readonly recordId: string;
  readonly campaign: string;
  readonly tracebackId: string;
  readonly requestId: string;
  readonly downstream: string;
  readonly direction: string;
}

/**
 * An id for a request that states none: the same for the same call asked about in the same words, however often and by whichever way it
 * comes. A reminder is the same request; the question of another hop that names another downstream is another.
 */
export function derivedRequestId(written: WrittenRequest): string {
  const { tracebackId, requestId, downstream, direction } = written;
  return idOf(['request', ...ofCall(written), tracebackId, requestId, downstream, direction]);
}

/** An id for the traceback that a request belongs to, where none is stated: the same for every hop. */
export function derivedTracebackId(written: WrittenRequest): string {
  return idOf(['traceback', ...ofCall(written), written.campaign]);
}

/** Whether an id was made here: it says nothing to whoever asked. */
export function isDerivedId(id: string): boolean {
  return /^intake-[0-9a-f]{32}$/.test(id);
}

function ofCall({ called, calling, atAsWritten, callId, origId, recordId }: WrittenRequest): readonly string[] {
  return [numbersText(called), numbersText(calling), atAsWritten, callId, origId, recordId];
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
