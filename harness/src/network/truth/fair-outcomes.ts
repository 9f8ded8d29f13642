import type { PlannedCall } from '../plan/index.js';
import { providerOf } from './known-network.js';
import type { KnownNetwork } from './known-network.js';
import { colluderOf, colludedBy, isLate, saidElsewhere } from './statements.js';
import type { CallTruth, FairOutcome, GivenAnswer, TrueHop, TrueStatement } from './truth.js';

/** A call of which it is to be said what a traceback may come to. */
export interface TracedCall {
  readonly network: KnownNetwork;
  readonly call: PlannedCall;
  readonly hops: readonly TrueHop[];
  readonly statements: readonly TrueStatement[];
}

/**
 * Who would have to be named: where the call entered the country for the last time, or else where it began.
 */
export function culpritOf(network: KnownNetwork, { way }: PlannedCall): CallTruth['culprit'] {
  for (let index = way.length - 1; index > 0; index -= 1) {
    const [provider, before] = [way[index] ?? '', way[index - 1] ?? ''];
    const isEntry = !providerOf(network, provider).isForeign && providerOf(network, before).isForeign;
    if (isEntry) return { kind: 'point-of-entry', provider };
  }
  return { kind: 'origin', provider: way[0] ?? '' };
}

/**
 * What a traceback may come to, by the evidence that there can be: the answers of those who are asked, from the last provider on, and the records of
 * honest ones, each of which names both of its neighbours. Where somebody says nothing the traceback may end, or go on at the neighbour whose record
 * shows the call; where two contradict each other it may end in a dispute, or go on with the one for whom a record speaks.
 */
export function fairOutcomesOf(traced: TracedCall): readonly FairOutcome[] {
  const outcomes = new Map<string, FairOutcome>();
  const add = (kind: string, provider?: string): void => {
    outcomes.set(`${kind} ${provider ?? ''}`, provider === undefined ? { kind } : { kind, provider });
  };
  const { hops, statements, network, call } = traced;
  for (let index = hops.length - 1; index >= 0; index -= 1) {
    const { provider } = hops[index] as TrueHop;
    const { given, truth } = statements[index] as TrueStatement;
    if (isLate(network, call, provider)) add('non-responsive', provider);
    const isTrue = given === truth && given.kind !== 'not-retained';
    if (isTrue && given.kind === 'upstream') continue;
    if (isTrue) {
      add(given.kind, provider);
      if (given.kind === 'point-of-entry') add('foreign-provider');
      break;
    }
    addUntrue(given, { traced, index, add, asked: new Set([provider]) });
  }
  if (goesRound(call)) add('loop');
  if (outcomes.size === 0) add('no-record');
  return [...outcomes.values()];
}

interface Adding {
  readonly traced: TracedCall;
  /** Of the hop that says something else than the truth. */
  readonly index: number;
  readonly add: (kind: string, provider?: string) => void;
  /** Whose statements have been followed. */
  readonly asked: ReadonlySet<string>;
}

/** What the word of a provider of the way leads to, when it is not the truth; the way beyond it is looked at besides. */
function addUntrue(given: GivenAnswer, { traced, index, add, asked }: Adding): void {
  const { provider } = traced.hops[index] as TrueHop;
  const isFirst = index === traced.hops.length - 1;
  // Several neighbours have sent it the call where it was there twice.
  const isTwice = traced.hops.filter((hop) => hop.provider === provider).length > 1;
  if (isTwice) add('several-neighbours', provider);
  // Whatever is not the truth is contradicted by the record of the neighbour before.
  if (index > 0) add('disputed');
  if (given.kind === 'not-found' && isFirst) {
    add('no-record', provider);
    add('number-not-ours', provider);
  }
  addStatement(given, provider, { traced, index, add, asked });
}

/** What the word of anybody leads to. */
function addStatement(given: GivenAnswer, by: string, adding: Adding): void {
  const { add } = adding;
  switch (given.kind) {
    case 'silent':
      add('non-responsive', by);
      add('not-askable', by);
      break;
    case 'refused':
    case 'not-retained':
      add(given.kind, by);
      break;
    case 'unlisted':
      add('unlisted-provider');
      add('disputed');
      break;
    case 'origin':
    case 'point-of-entry':
      // It says so of itself.
      add(given.kind, by);
      if (given.kind === 'point-of-entry') add('foreign-provider');
      break;
    case 'not-found':
      add('disputed');
      break;
    case 'upstream':
      addNamed(given.provider, by, adding);
  }
}

/** What the one comes to that was named by somebody who did not have the call from it. */
function addNamed(named: string, by: string, adding: Adding): void {
  const { traced, add, asked } = adding;
  const { network, call, hops } = traced;
  add('disputed');
  if (asked.has(named)) {
    add('loop');
    return;
  }
  if (!network.providers.has(named)) {
    add('unlisted-provider');
    return;
  }
  // Nobody asks a foreign provider: who names it says of itself that the call came from abroad.
  if (providerOf(network, named).isForeign) add('foreign-provider');
  const next = { ...adding, asked: new Set([...asked, named]) };
  const given =
    colluderOf(network, call, by) === named ? colludedBy(network, named, hops) : saidElsewhere(network, call, named);
  if (hops.some(({ provider }) => provider === named)) {
    add('loop');
    const own = traced.statements.find(({ provider }) => provider === named);
    // It had the call, and does not say that it sent it there; what it says of its own hop may be followed all the same.
    if (own !== undefined && own.given !== own.truth) addStatement(own.given, named, next);
    if (colluderOf(network, call, by) !== named) return;
  }
  addStatement(given, named, next);
}

/** Whether a call came to the same provider by the same neighbour twice, so that the same question is asked again. */
function goesRound({ way }: PlannedCall): boolean {
  const seen = new Set<string>();
  for (let index = 1; index < way.length; index += 1) {
    const pair = `${way[index - 1] ?? ''} ${way[index] ?? ''}`;
    if (seen.has(pair)) return true;
    seen.add(pair);
  }
  return false;
}
