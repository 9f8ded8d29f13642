import type { PassportParty } from '../passport-types/passport-type.js';
import { claimedParty } from './request.js';
import { chainTargets, STEPS_OUTSIDE_CHAINS } from './steps.js';
import { forgetSteps, runSteps } from './step.js';
import type { RequestContext, Token } from './step.js';

/**
 * Lays the div chains of a request: from each PASSporT that speaks for the caller outwards, each div continuing the dest of
 * the one below and naming the same orig, until one reaches the target of the request. Writes `position` and `divChain`. Several
 * callers may stand below one div: which of them is good is not known yet. A div that could stand in a chain but does not gets a
 * position all the same: it is looked at, and may take the place of one that proves bad.
 *
 * Breadth first over at most as many tokens as a request may carry, so that headers made to branch cost little.
 * @param tokens - all of a request; those that are ignored or whose claims could not be read are left as they are
 * @see RFC 8946 section 4.2
 */
export function layDivChains(tokens: readonly Token[], context: RequestContext): void {
  const divs = tokens.filter(isReadableDiv);
  if (divs.length === 0) return;
  const isReadableCaller = (token: Token): boolean =>
    !token.ignored && token.type?.role === 'caller' && token.claims !== undefined;
  const callers = tokens.filter(isReadableCaller);
  const links = linksOf([...callers, ...divs], context);
  for (const caller of callers) {
    const chain = reachTarget(caller, divs, links);
    if (chain === undefined) continue;
    caller.position = 'innermost';
    caller.divChain = chain;
  }
  placeDivs(callers, divs, links);
}

/**
 * The chains were laid before signatures were known. Where a bad div stands in one, it is laid again over the good ones; a caller
 * whose dest is the target anyway needs none. Where neither helps, the first laying stands and says what is wrong.
 *
 * Each caller is looked at by itself, and none leaves its chain without having its dest checked.
 */
export function mendDivChains(tokens: readonly Token[], context: RequestContext): void {
  const broken = tokens.filter(isBroken);
  if (broken.length === 0) return;
  const divs = tokens.filter((token) => isReadableDiv(token) && !token.isStopped);
  const links = linksOf([...broken, ...divs], context);
  for (const caller of broken) {
    const chain = reachTarget(caller, divs, links);
    if (chain !== undefined) caller.divChain = chain;
    else if (links.isAtTarget(caller)) {
      caller.position = 'alone';
      caller.divChain = [];
      // Below a div its age was only noted and its dest not looked at: without the div both have to stand by themselves.
      forgetSteps(STEPS_OUTSIDE_CHAINS, caller);
      runSteps(STEPS_OUTSIDE_CHAINS, caller, context);
    }
  }
}

const isReadableDiv = (token: Token): boolean => !token.ignored && token.claims?.div !== undefined;

/** The tokens of a chain from the caller's PASSporT outwards. */
export function chainOf(caller: Token): readonly Token[] {
  return caller.divChain.length === 0 ? [caller] : [caller, ...caller.divChain];
}

const isBroken = (token: Token): boolean => !token.isStopped && token.divChain.some((div) => div.isStopped);

type Links = ReturnType<typeof linksOf>;

/** Canonical once: a dest may list hundreds of numbers, and tokens are compared each with each. */
function linksOf(tokens: readonly Token[], context: RequestContext) {
  const keys = new Map(tokens.map((token) => [token, keysOf(token, context)]));
  const targets = keysOfParties(chainTargets(context), context);
  return {
    /** Whether the div PASSporT diverts the call that the token below it speaks of. */
    continues(div: Token, below: Token): boolean {
      const upper = keys.get(div);
      const lower = keys.get(below);
      if (upper?.div === undefined || lower?.orig === undefined) return false;
      // A number that diverts to itself diverts nothing: it would only lend an old PASSporT a new date.
      return lower.dest.has(upper.div) && !upper.dest.has(upper.div) && lower.orig === upper.orig;
    },
    /** Whether the div leads back to a number that has diverted the call before: such a chain lends an old PASSporT a new date. */
    returns: (div: Token, below: readonly Token[]) =>
      below.some((earlier) => {
        const diverted = keys.get(earlier)?.div;
        return diverted !== undefined && keys.get(div)?.dest.has(diverted) === true;
      }),
    /** Whether the dest is where the request is headed. */
    isAtTarget: (token: Token) => targets.some((target) => keys.get(token)?.dest.has(target) === true),
  };
}

interface Keys {
  readonly orig: string | undefined;
  readonly dest: ReadonlySet<string>;
  readonly div: string | undefined;
}

function keysOf({ claims }: Token, context: RequestContext): Keys {
  const [orig] = claims === undefined ? [] : keysOfParties([claims.orig], context);
  const [div] = claims?.div === undefined ? [] : keysOfParties([claims.div], context);
  return { orig, div, dest: new Set(keysOfParties(claims?.dest ?? [], context)) };
}

function keysOfParties(parties: readonly PassportParty[], context: RequestContext): readonly string[] {
  return parties.flatMap((party) => {
    const canonical = claimedParty(party, context.policy.numberingPlan);
    return canonical === undefined ? [] : [`${canonical.kind} ${canonical.value}`];
  });
}

interface Reached {
  readonly div: Token;
  readonly below: Reached | undefined;
}

/** The shortest chain of divs from a caller's PASSporT to the target, from the inside out. */
function reachTarget(caller: Token, divs: readonly Token[], links: Links): readonly Token[] | undefined {
  const free = new Set(divs);
  let frontier: readonly (Reached | undefined)[] = [undefined];
  while (frontier.length > 0) {
    const next: Reached[] = [];
    for (const below of frontier) {
      for (const div of free) {
        if (!links.continues(div, below?.div ?? caller) || links.returns(div, insideOut(below))) continue;
        free.delete(div);
        const reached = { div, below };
        if (links.isAtTarget(div)) return insideOut(reached);
        next.push(reached);
      }
    }
    frontier = next;
  }
  return undefined;
}

function insideOut(outermost: Reached | undefined): readonly Token[] {
  const chain: Token[] = [];
  for (let at = outermost; at !== undefined; at = at.below) chain.push(at.div);
  return chain.reverse();
}

/** Every div on some way from a caller to the target; one that is at the target is the outermost of its chain. */
function placeDivs(callers: readonly Token[], divs: readonly Token[], links: Links): void {
  const fromCaller = closure(callers, divs, (next, at) => links.continues(next, at));
  const last = divs.filter(links.isAtTarget);
  const toTarget = closure(last, divs, (next, at) => links.continues(at, next));
  for (const div of divs) {
    if (!fromCaller.has(div)) continue;
    if (last.includes(div)) div.position = 'outermost';
    else if (toTarget.has(div)) div.position = 'between';
  }
}

/** All divs that can be reached from the given tokens, step by step. */
function closure(
  from: readonly Token[],
  divs: readonly Token[],
  isStep: (next: Token, at: Token) => boolean,
): ReadonlySet<Token> {
  const reached = new Set<Token>();
  const queue = [...from];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const div of divs) {
      if (reached.has(div) || !isStep(div, at)) continue;
      reached.add(div);
      queue.push(div);
    }
  }
  return reached;
}
