import type { PlannedCall } from '../plan/index.js';
import { effectsUnder, providerOf } from './known-network.js';
import type { KnownNetwork } from './known-network.js';
import type { AnsweringHabits, GivenAnswer, TrueAnswer, TrueHop, TrueStatement } from './truth.js';

/** How long nobody minds that an answer takes, hours. 47 CFR 64.1200(n)(1) */
const DEADLINE_HOURS = 24;

/** What the providers of a call know, and what they say; those that collude without having had the call come last. */
export function statementsOf(
  network: KnownNetwork,
  call: PlannedCall,
  hops: readonly TrueHop[],
): readonly TrueStatement[] {
  const statements = hops.map((hop): TrueStatement => {
    const truth = truthAt(network, hop);
    const said = givenBy(network, call, hop.provider) ?? silence(network, hop, truth);
    // Who means to lie, and names the one that it had the call from, does not.
    return { provider: hop.provider, truth, given: isSameAnswer(said, truth) ? truth : said };
  });
  const colluders = hops.flatMap(({ provider }) => colluderOf(network, call, provider) ?? []);
  for (const provider of new Set(colluders)) {
    if (statements.some((one) => one.provider === provider)) continue;
    statements.push({ provider, truth: NOT_FOUND, given: colludedBy(network, provider, hops) });
  }
  return statements;
}

function isSameAnswer(said: GivenAnswer, truth: TrueAnswer): boolean {
  if ('otherCall' in said) return false;
  if (said.kind === 'upstream') return truth.kind === 'upstream' && truth.provider === said.provider;
  return said.kind === 'origin' && truth.kind === 'origin';
}

const NOT_FOUND: TrueAnswer = { kind: 'not-found' };
const SILENT: GivenAnswer = { kind: 'silent' };

/** What a provider that the call never came to says when it is asked about it. */
export function saidElsewhere(network: KnownNetwork, call: PlannedCall, provider: string): GivenAnswer {
  const { planned } = providerOf(network, provider);
  return (
    givenBy(network, call, provider) ?? (planned.answersTracebacks ? withoutCall(network, call, provider) : SILENT)
  );
}

/** Who has removed its records cannot say that there was none. */
function withoutCall(network: KnownNetwork, call: PlannedCall, id: string): GivenAnswer {
  const effects = effectsUnder(providerOf(network, id), { network, call });
  return effects.some(({ record }) => record !== undefined) ? { kind: 'not-retained' } : NOT_FOUND;
}

/** What the behaviours of a provider have it say; undefined: what it finds. The last that says something counts. */
function givenBy(network: KnownNetwork, call: PlannedCall, id: string): GivenAnswer | undefined {
  const provider = providerOf(network, id);
  if (provider.behaviours.length === 0) return undefined;
  return effectsUnder(provider, { network, call }).findLast(({ says }) => says !== undefined)?.says;
}

/** Who says that it sent the call to a provider that lies. */
export function colluderOf(network: KnownNetwork, call: PlannedCall, id: string): string | undefined {
  const provider = providerOf(network, id);
  if (provider.behaviours.length === 0) return undefined;
  const colluder = effectsUnder(provider, { network, call }).findLast(({ says }) => says !== undefined)?.colluder;
  return colluder === undefined || !network.providers.has(colluder) ? undefined : colluder;
}

/**
 * Whom a colluder names: the first provider that sends it calls and was not on the way, since to name itself would be no use to it; where there is
 * none it takes the call upon itself.
 */
export function colludedBy(network: KnownNetwork, id: string, hops: readonly TrueHop[]): GivenAnswer {
  const { planned } = providerOf(network, id);
  const onTheWay = new Set(hops.map(({ provider }) => provider));
  const framed = planned.upstream.find((one) => one !== id && !onTheWay.has(one));
  return framed === undefined ? { kind: 'origin', caller: '' } : { kind: 'upstream', provider: framed };
}

/** What a provider does with requests about a call, whether it had the call or not. */
export function habitsOf(network: KnownNetwork, call: PlannedCall, id: string): AnsweringHabits {
  const provider = providerOf(network, id);
  if (provider.behaviours.length === 0) return provider.planned.answersTracebacks ? HONEST : NEVER;
  const says = givenBy(network, call, id) ?? (provider.planned.answersTracebacks ? undefined : SILENT);
  const colluder = colluderOf(network, call, id);
  return {
    ...(says !== undefined && { says }),
    ...(colluder !== undefined && { colluder }),
    afterHours: hoursOf(network, call, id),
  };
}

const HONEST: AnsweringHabits = { afterHours: 0 };
const NEVER: AnsweringHabits = { says: SILENT, afterHours: 0 };

function hoursOf(network: KnownNetwork, call: PlannedCall, id: string): number {
  const effects = effectsUnder(providerOf(network, id), { network, call });
  return effects.reduce((most, { afterHours = 0 }) => Math.max(most, afterHours), 0);
}

/** Whether the answer of a provider may come when it is marked already as one that does not answer. */
export function isLate(network: KnownNetwork, call: PlannedCall, id: string): boolean {
  return hoursOf(network, call, id) >= DEADLINE_HOURS;
}

function silence(network: KnownNetwork, { provider }: TrueHop, truth: TrueAnswer): GivenAnswer {
  return providerOf(network, provider).planned.answersTracebacks ? truth : SILENT;
}

/** What a provider of the way finds in its records. */
function truthAt(network: KnownNetwork, { provider, from, isOnRecord }: TrueHop): TrueAnswer {
  // Of a time without records it knows that it has none: it does not say that there was no call.
  if (!isOnRecord) return { kind: 'not-retained' };
  if ('caller' in from) return { kind: 'origin', caller: from.caller };
  const isEntry = !providerOf(network, provider).isForeign && providerOf(network, from.provider).isForeign;
  return isEntry ? { kind: 'point-of-entry', foreign: from.provider } : { kind: 'upstream', provider: from.provider };
}
