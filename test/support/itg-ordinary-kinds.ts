import type { SeededRandom } from '../../harness/src/faults/index.js';
import { dialler, large, PEOPLE, type Burst, type Way } from './itg-ordinary.js';

// Callers with every right who are like campaigns in one thing or another: one script for thousands, the words of swindles, numbers out of large
// pools, numbers dialled one after the other, broken signatures.

const programmable = (at: number): Way => ({
  ...{ trunk: `programmable-${String(at % 2)}`, upstream: `Programmable ${String(at % 2)}` },
  ...{ spc: `44${String(at % 2)}M`, attestation: 'A' },
});
const notices: Way = { trunk: 'notify', upstream: 'Notify N', spc: '330E', attestation: 'A' };
const amount = (random: SeededRandom): string => `${String(20 + random.int(900))} dollars`;
const digits = (random: SeededRandom): string => String(1_000 + random.int(9_000));

/** Kinds by their names; in all a third of the calls. */
export const ORDINARY_KINDS: Readonly<Record<string, Burst>> = {
  // A chain of 300 practices with a number each, and one with a single number for all.
  'chain-reminders': {
    ...{ share: 0.03, numbers: 1, callers: 300, ending: { answered: 0.6, short: 0.1, mean: 10, least: 20 } },
    ...{ way: programmable, reported: 0.004 },
    transcript: (random) =>
      `Hello, this is Bright Smile Dental calling to remind you of your appointment on ${random.pick(['Monday', 'Tuesday', 'Friday'])} at ${String(8 + random.int(9))}. Press one to confirm or two to reschedule. Thank you.`,
  },
  'clinic-reminders': {
    ...{ share: 0.03, numbers: 1, callers: 1, ending: { answered: 0.55, short: 0.12, mean: 8, least: 18 } },
    ...{ way: large, area: '888', reported: 0.002 },
    transcript: (random) =>
      `This is a message from your health care provider. You have an appointment on ${random.pick(['Monday', 'Tuesday', 'Friday'])}. Please bring your insurance card. To confirm press one.`,
  },
  'bank-alerts': {
    ...{ share: 0.03, numbers: 3, callers: 3, ending: { answered: 0.6, short: 0.08, mean: 30, least: 15 } },
    ...{ way: large, area: '888', reported: 0.006 },
    transcript: (random) =>
      `This is the fraud department of First County Bank. We noticed a charge of ${amount(random)} on your card ending in ${digits(random)}. If you recognize this charge press one. If you do not press two to speak to our fraud department.`,
  },
  'parcel-notices': {
    ...{ share: 0.02, numbers: 2, callers: 2, ending: { answered: 0.5, short: 0.15, mean: 6, least: 12 } },
    ...{ way: large, reported: 0.003 },
    transcript: (random) =>
      `Hello, your package will be delivered today between ${String(8 + random.int(4))} and ${String(12 + random.int(6))}. No action is required. To change your delivery press one.`,
  },
  // Riders and drivers see a number that is lent to them for the hour.
  'lent-numbers': {
    ...{ share: 0.04, numbers: 4_000, callers: 2, ending: { answered: 0.65, short: 0.15, mean: 20, least: 6 } },
    ...{ way: programmable, reported: 0.0003, neighbours: 0.02 },
  },
  'spoken-codes': {
    ...{ share: 0.006, numbers: 3_000, callers: 2, ending: { answered: 0.85, short: 0.06, mean: 6, least: 10 } },
    ...{ way: programmable, reported: 0.002 },
    transcript: (random) =>
      `Your verification code is ${digits(random)}. Again, your verification code is ${digits(random)}. Goodbye.`,
  },
  'county-emergency': {
    ...{ share: 0.06, numbers: 1, callers: 1, ending: { answered: 0.5, short: 0.2, mean: 8, least: 20 } },
    ...{ way: () => notices, isRow: true, during: [10, 40], reported: 0.002 },
    transcript:
      'This is an emergency notification from the county. A boil water advisory is in effect for your area until further notice. Please boil water before drinking. For more information visit our website.',
  },
  // People of a call centre, each of whom says it in other words.
  'local-presence': {
    ...{ share: 0.05, numbers: 480, callers: 1, ending: { answered: 0.28, short: 0.3, mean: 55, least: 6 } },
    ...{ way: dialler, hasPresence: true, reported: 0.004 },
  },
  'conference-bridges': {
    ...{ share: 0.01, numbers: 3, callers: 4, ending: { answered: 0.8, short: 0.05, mean: 1_200, least: 30 } },
    ...{ way: large, reported: 0 },
  },
  'broken-signatures': {
    ...{ share: 0.03, numbers: 20, callers: 8, ending: { answered: 0.3, short: 0.3, mean: 60, least: 6 } },
    ...{ way: () => ({ trunk: 'rewriter', upstream: 'Rewriter R', spc: '550R', attestation: 'A' }), isBroken: true },
    reported: 0.002,
  },
  hospital: {
    ...{ share: 0.03, numbers: 3_000, callers: 2, ending: PEOPLE },
    ...{ way: (at) => ({ trunk: `hospital-${String(at)}` }), neighbours: 0.1, reported: 0 },
  },
  'wrong-exchange': {
    ...{ share: 0.005, numbers: 1, callers: 2, ending: PEOPLE },
    ...{ way: () => ({ trunk: 'wholesale', upstream: 'Wholesale B' }), isInvalid: true, reported: 0 },
  },
};
