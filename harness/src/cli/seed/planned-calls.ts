import { createSeededRandom } from '../../faults/index.js';
import type { SeededRandom } from '../../faults/index.js';
import { CAMPAIGN_WAYS, demoProvider } from './demo-world.js';
import type { DemoWay } from './demo-world.js';

/** A call of the demo, of which it is known who made it. */
export interface DemoCall {
  readonly index: number;
  readonly atMs: number;
  /** Eleven digits. */
  readonly calling: string;
  readonly called: string;
  readonly way: DemoWay;
  /** Absent where nobody answered. */
  readonly seconds?: number;
  readonly isOfCampaign: boolean;
  /** What an application heard, where one reports it. */
  readonly heard?: string;
}

/** How far back calls reach: detection and alerts are about what goes on. */
const SPAN_MS = 8 * 60_000;
/** Calls of the campaign by each of its ways, and how many of them applications report. */
const CAMPAIGN = [
  { calls: 13, reported: 9 },
  { calls: 11, reported: 8 },
  { calls: 8, reported: 4 },
  { calls: 5, reported: 5 },
] as const;
/** Ordinary calls of each carrier that streams. */
const ORDINARY_CALLS = 60;
/** Ways that ordinary calls take to one carrier. */
const WAYS_TO_ONE = 3;
/** Lines of an exchange that are kept for fiction: 555-0100 to 555-0199. */
const FICTIONAL_LINES = 100;
/** Area codes that calls come from; those of subscribers are not among them. */
const AREAS = ['202', '213', '312', '404', '503', '602', '702', '813', '901', '919'];

/** What was heard, as recognition writes it: never twice the same. */
const HEARD = [
  'This call is from the Social Security Administration. We have suspended your social security number because of suspicious activity. Press one to speak to an officer of the enforcement department.',
  'this call is from the social security administration we have suspended your social security number because of suspicious activity press one to speak to an officer of the enforcement department',
  'This call is from social security administration. We have suspended your social security number because of a suspicious activity. Press 1 to speak to an officer of the enforcement department.',
  'call is from the Social Security Administration we have suspended your Social Security number because of suspicious activity please press one to speak to an officer of enforcement department',
  'This call is from the Social Security Administration. We have suspended your social security number because of suspicious activities. Press one to speak to an officer in the enforcement department, thank you.',
];

/** Ways of ordinary calls: nobody is asked about them. */
const ORDINARY_WAYS: readonly DemoWay[] = ['alder', 'birch', 'cedar'].flatMap((word): readonly DemoWay[] => [
  { providers: [word, 'ivy'], end: { says: 'nothing' }, signed: { by: 'ivy', attestation: 'A' } },
  { providers: [word, 'elm'], end: { says: 'nothing' } },
  { providers: [word], end: { says: 'nothing' } },
]);
/** Numbers of people who call by one way: they call again, which a campaign does not. */
const HOUSEHOLDS = 6;

/**
 * Plans the calls of the demo: one campaign by several ways, among calls of people. The same time gives the same calls.
 * @param nowMs - behind all of them
 */
export function planDemoCalls(nowMs: number): readonly DemoCall[] {
  const random = createSeededRandom(Math.floor(nowMs / 1_000) % 1_000_000, 'demo');
  const numbers = callingNumbers(random);
  const calls: Omit<DemoCall, 'index'>[] = [];
  for (const [at, way] of CAMPAIGN_WAYS.entries()) {
    const { calls: count, reported } = CAMPAIGN[at] ?? { calls: 0, reported: 0 };
    for (let call = 0; call < count; call += 1) {
      const isAnswered = call < reported || random.chance(0.6);
      calls.push({
        ...{ atMs: placedIn(nowMs, (call + random.next()) / count), way, isOfCampaign: true },
        ...{ calling: numbers.next().value, called: subscriberOf(way, random) },
        ...(isAnswered && { seconds: 7 + random.int(14) }),
        ...(call < reported && { heard: HEARD[(at + call) % HEARD.length] as string }),
      });
    }
  }
  for (const way of ORDINARY_WAYS) {
    const households = Array.from({ length: HOUSEHOLDS }, () => numbers.next().value);
    for (let call = 0; call < ORDINARY_CALLS / WAYS_TO_ONE; call += 1) {
      calls.push({
        ...{ atMs: placedIn(nowMs, random.next()), way, isOfCampaign: false },
        ...{ calling: random.pick(households), called: subscriberOf(way, random) },
        ...(random.chance(0.7) && { seconds: 65 + random.int(400) }),
      });
    }
  }
  return calls.sort((a, b) => a.atMs - b.atMs).map((call, index) => ({ ...call, index }));
}

/** The newest call lies some seconds back, so that no clock finds it in the future. */
const placedIn = (nowMs: number, share: number): number => Math.floor(nowMs - SPAN_MS + share * (SPAN_MS - 20_000));

function subscriberOf({ providers: [first = 'ivy'] }: DemoWay, random: SeededRandom): string {
  return `1${demoProvider(first).exchange ?? '415555'}${lineOf(random.int(FICTIONAL_LINES))}`;
}

/** Numbers that nobody has, none of them twice. */
function* callingNumbers(random: SeededRandom): Generator<string, string> {
  const numbers = AREAS.flatMap((area) =>
    Array.from({ length: FICTIONAL_LINES }, (_, line) => `1${area}555${lineOf(line)}`),
  );
  while (numbers.length > 1) yield numbers.splice(random.int(numbers.length), 1)[0] as string;
  return numbers[0] as string;
}

const lineOf = (line: number): string => String(100 + line).padStart(4, '0');
