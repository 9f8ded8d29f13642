import { sourceSha256 } from '../record-id.js';
import { addressOf } from './kamailio-record.js';
import type { AccRow } from './kamailio-row.js';

/** Enough to tell the branches and crossings of one call apart. */
const WAY_DIGITS = 8;

/** Where a branch was sent, in a form that is fit for a name: without the number that was called. Never throws. */
export function placeOf({ role }: AccRow): string {
  const place = role('egressTrunk') || addressOf(role('destinationAddress'), role('destinationPort'));
  const sentTo = role('sentTo');
  return sentTo === '' ? place : `${place} ${digitsOf(`${place} ${sentTo}`)}`.trim();
}

/**
 * From where an INVITE came, by eight digits: a call that comes back to the proxy keeps its Call-ID and tags, and is told by this alone. Empty
 * where no column says it. Never throws.
 */
export function sourceOf({ role }: AccRow): string {
  const source = [role('ingressTrunk'), addressOf(role('sourceAddress'), role('sourcePort'))].join(' ').trim();
  return source === '' ? '' : digitsOf(source);
}

/** From where an INVITE came and where it went, in the same form. Never throws. */
export function wayOf(row: AccRow): string {
  const [source, place] = [sourceOf(row), placeOf(row)];
  return source === '' && place === '' ? '' : digitsOf(`${source} ${place}`);
}

function digitsOf(text: string): string {
  return sourceSha256(text).slice(0, WAY_DIGITS);
}
