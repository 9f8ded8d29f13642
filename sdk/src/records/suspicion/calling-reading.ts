import type { JudgedRecord } from './call-facts.js';
import { northAmericanNumber, northAmericanPrefix } from './north-american-number.js';
import type { NorthAmericanReading } from './north-american-number.js';
import type { CallingReading, SuspicionLists } from './signal-findings.js';
import type { SuspicionPolicy } from './suspicion-policy.js';

/** Reads the calling numbers, asserted and claimed, of a record. Never throws. */
export function readCalling(record: JudgedRecord, policy: SuspicionPolicy, lists: SuspicionLists): CallingReading {
  let worst = NOTHING_FOUND;
  for (const party of [record.calling, record.asserted]) {
    if (party === undefined) continue;
    if ('tn' in party && party.tn !== undefined) {
      if (lists.doNotOriginate?.has(party.tn) === true) return ON_LIST;
      worst = worseOf(worst, northAmericanNumber(party.tn, lists.allocated), policy);
    } else if ('npaNxx' in party && party.npaNxx !== undefined) {
      worst = worseOf(worst, northAmericanPrefix(party.npaNxx, lists.allocated), policy);
    }
  }
  return worst;
}

const NOTHING_FOUND: CallingReading = Object.freeze({ isOnList: false, strength: 0 });
const ON_LIST: CallingReading = Object.freeze({ isOnList: true, strength: 0 });

/** Lists of what codes are given lag behind; the form of a number does not. */
const UNALLOCATED_STRENGTH = 0.9;
/** Extensions of exchanges that were set up wrongly reach the network every day. */
const SHORT_STRENGTH = 0.4;

function worseOf(worst: CallingReading, read: NorthAmericanReading, policy: SuspicionPolicy): CallingReading {
  const { kind } = read;
  if (kind === 'geographic' || kind === 'foreign' || kind === 'toll-free' || kind === 'non-geographic') return worst;
  if (kind === 'fictional' && policy.fictionalNumbers === 'accepted') return worst;
  const strength = kind === 'short' ? SHORT_STRENGTH : kind === 'unallocated' ? UNALLOCATED_STRENGTH : 1;
  if (strength <= worst.strength) return worst;
  const finding = kind === 'short' || kind === 'fictional' ? kind : read.fault;
  return finding === undefined ? worst : { isOnList: false, finding, strength };
}
