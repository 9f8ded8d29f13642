import { createCallCounts, rollTo } from './call-counts.js';
import type { CallCounts, HalfCounts } from './call-counts.js';

/** What is remembered of a trunk or signer. */
export interface GroupMemory {
  /** Number of the group, for what is kept elsewhere. */
  readonly index: number;
  readonly counts: CallCounts;
  /** Calls by area code of the caller, neighbours of the called number left out, so that spoofed calls do not make a trunk local. */
  readonly areas: Uint16Array;
  /** Calls in `areas`. */
  areaCalls: number;
}

/** Area codes have three digits. */
const AREA_CODES = 1_000;
const MOST_COUNTED = 0xffff;

/** Starts the memory of a trunk or signer. Never throws. */
export function createGroupMemory(index: number, half: number): GroupMemory {
  return { index, counts: createCallCounts(half, true), areas: new Uint16Array(AREA_CODES), areaCalls: 0 };
}

/** Moves on to the half of a call; areas fade by half with every half window. Never throws. */
export function rollGroupTo(group: GroupMemory, half: number): HalfCounts {
  const isLater = half > group.counts.half;
  const counts = rollTo(group.counts, half);
  if (isLater) fade(group);
  return counts;
}

/** Counts the area of a caller who is no neighbour of whom it calls. Never throws. */
export function countArea(group: GroupMemory, callingNpaNxx: number): void {
  const area = Math.trunc(callingNpaNxx / 1_000);
  if ((group.areas[area] ?? 0) >= MOST_COUNTED) fade(group);
  group.areas[area] = (group.areas[area] ?? 0) + 1;
  group.areaCalls += 1;
}

/**
 * Which share of a trunk's callers is of an area.
 * @param least - as few calls as this are taken for as many: a trunk of which little is known is of no area
 */
export function areaShare({ areas, areaCalls }: GroupMemory, npaNxx: number, least: number): number {
  return (areas[Math.trunc(npaNxx / 1_000)] ?? 0) / Math.max(areaCalls, least);
}

function fade(group: GroupMemory): void {
  let sum = 0;
  for (let area = 0; area < AREA_CODES; area += 1) {
    const left = (group.areas[area] ?? 0) >>> 1;
    group.areas[area] = left;
    sum += left;
  }
  group.areaCalls = sum;
}
