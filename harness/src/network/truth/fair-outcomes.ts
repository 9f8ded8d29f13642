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
  walk({ traced, add, asked: new Set(), walked: new Set() }, traced.hops.length - 1);
  for (const provider of twiceAlike(traced.call)) {
    // Its two records fit one question.
    add('loop');
    add('ambiguous', provider);
    add('several-neighbours', provider);
  }
  if (outcomes.size === 0) add('no-record');
  return [...outcomes.values()];
}

interface Adding {
  readonly traced: TracedCall;
  readonly add: (kind: string, provider?: string) => void;
  /** Whose statements have been followed. */
  readonly asked: ReadonlySet<string>;
  /** From which hops the way was walked already. */
  readonly walked: Set<number>;
}

/** What a traceback comes to that has reached a hop, and goes on from there as far as evidence can lead. */
function walk(adding: Adding, from: number): void {
  const { traced, add, walked } = adding;
  const { hops, statements, network, call } = traced;
  for (let index = from; index >= 0 && !walked.has(index); index -= 1) {
    walked.add(index);
    const { provider } = hops[index] as TrueHop;
    const { given, truth } = statements[index] as TrueStatement;
    const isTrue = given === truth && given.kind !== 'not-retained';
    const isSilent = isLate(network, call, provider);
    if (isSilent) addSilence(provider, adding);
    if (isTrue && given.kind === 'upstream') continue;
    if (isTrue) {
      add(given.kind, provider);
      if (given.kind === 'point-of-entry') add('foreign-provider');
      // While it is waited for, the one before may be asked already.
      if (isSilent) continue;
      return;
    }
    addUntrue(given, index, adding);
  }
}

/** What the word of a provider of the way leads to, when it is not the truth; the way beyond it is walked besides. */
function addUntrue(given: GivenAnswer, index: number, adding: Adding): void {
  const { traced, add } = adding;
  const { provider } = traced.hops[index] as TrueHop;
  const isFirst = index === traced.hops.length - 1;
  addTwice(provider, adding);
  // Whatever is not the truth is contradicted by the record of the neighbour before.
  if (index > 0) add('disputed');
  if (given.kind === 'not-found' && isFirst) {
    add('no-record', provider);
    add('number-not-ours', provider);
  }
  addStatement(given, provider, { ...adding, asked: new Set([...adding.asked, provider]) });
}

function addSilence(provider: string, adding: Adding): void {
  adding.add('non-responsive', provider);
  addTwice(provider, adding);
}

/** Several neighbours have sent a call to a provider that it came to twice, and each of them leads round to it again. */
function addTwice(provider: string, { traced: { hops }, add }: Adding): void {
  if (hops.filter((hop) => hop.provider === provider).length < 2) return;
  add('several-neighbours', provider);
  add('loop');
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
      if ('otherCall' in given) add('disputed');
      else addNamed(given.provider, by, adding);
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
  if (isLate(network, call, named)) add('non-responsive', named);
  const next = { ...adding, asked: new Set([...asked, named]) };
  const isColluder = colluderOf(network, call, by) === named;
  if (hops.some(({ provider }) => provider === named)) {
    add('loop');
    addTwice(named, adding);
    // The neighbour that did send it the call may lead on from there.
    hops.forEach(({ provider }, index) => {
      if (provider === named) walk(next, index - 1);
    });
    const own = traced.statements.find(({ provider }) => provider === named);
    // It had the call, and does not say that it sent it there; what it says of its own hop may be followed all the same.
    if (own !== undefined && own.given !== own.truth) addStatement(own.given, named, next);
  } else addStatement(saidElsewhere(network, call, named), named, next);
  if (isColluder) addStatement(colludedBy(network, named, hops), named, next);
}

/** Providers that sent a call to the same neighbour twice, so that the same question is asked again. */
function twiceAlike({ way }: PlannedCall): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (let index = 1; index < way.length; index += 1) {
    const before = way[index - 1] ?? '';
    const pair = `${before} ${way[index] ?? ''}`;
    if (seen.has(pair)) twice.add(before);
    seen.add(pair);
  }
  return twice;
}
