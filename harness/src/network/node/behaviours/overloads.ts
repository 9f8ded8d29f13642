import type { NodeBehaviour } from './node-behaviour.js';

const SECOND_MS = 1_000;

/** It takes so many calls in any second. */
export const overloads: NodeBehaviour<'overloads'> = {
  isTooMuch: (arrivedMs, nowMs, { perSecond }) => {
    while ((arrivedMs[0] ?? nowMs) <= nowMs - SECOND_MS) arrivedMs.shift();
    if (arrivedMs.length >= perSecond) return true;
    arrivedMs.push(nowMs);
    return false;
  },
};
