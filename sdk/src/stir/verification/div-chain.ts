import type { PassportParty } from '../passport-types/passport-type.js';
import { canonicalParty } from './request.js';
import { chainTargets, findSame } from './request-steps.js';
import type { RequestContext, Token } from './token.js';

/**
 * Lays the div chains of a request: from each PASSporT that speaks for the caller outwards, each div continuing the dest of
 * the one below and naming the same orig, until one reaches the target of the request. Writes `position` and `inner`. A div
 * that could stand in a chain but does not gets a position without being bound: it is looked at, and may take the place of one
 * that proves bad.
 *
 * Breadth first over at most as many tokens as a request may carry, so that headers made to branch cost little.
 * @param tokens - those whose claims could be read; others are left as they are
 * @see RFC 8946 section 4.2
 */
export function layDivChains(tokens: readonly Token[], context: RequestContext): void {
  const divs = tokens.filter((token) => token.claims?.div !== undefined);
  if (divs.length === 0) return;
  const callers = tokens.filter((token) => token.type?.role === 'caller' && token.claims !== undefined);
  for (const caller of callers) {
    const outermost = reachTarget(caller, divs, context);
    if (outermost !== undefined) bind(caller, outermost);
  }
  placeAlternatives(callers, divs, context);
}

/** Takes all chains up again, for another try with fewer tokens. */
export function takeUpDivChains(tokens: readonly Token[]): void {
  for (const token of tokens) {
    token.position = 'alone';
    token.inner = undefined;
  }
}

/** The tokens of a chain from the caller's PASSporT outwards. */
export function chainOf(caller: Token, tokens: readonly Token[]): readonly Token[] {
  const chain: Token[] = [caller];
  if (caller.position === 'alone') return chain;
  for (let at: Token | undefined = caller; at !== undefined; ) {
    const below: Token = at;
    at = tokens.find((token) => token.inner === below);
    if (at !== undefined) chain.push(at);
  }
  return chain;
}

interface Reached {
  readonly div: Token;
  readonly below: Reached | undefined;
}

function reachTarget(caller: Token, divs: readonly Token[], context: RequestContext): Reached | undefined {
  const free = new Set(divs.filter((div) => div.inner === undefined));
  let frontier: readonly (Reached | undefined)[] = [undefined];
  const targets = chainTargets(context);
  while (frontier.length > 0) {
    const next: Reached[] = [];
    for (const below of frontier) {
      for (const div of free) {
        if (!continues(div, below?.div ?? caller, context)) continue;
        free.delete(div);
        const reached = { div, below };
        if (findSame(div.claims?.dest ?? [], targets, context) !== undefined) return reached;
        next.push(reached);
      }
    }
    frontier = next;
  }
  return undefined;
}

function placeAlternatives(callers: readonly Token[], divs: readonly Token[], context: RequestContext): void {
  const fromCaller = closure(callers, divs, (next, at) => continues(next, at, context));
  const targets = chainTargets(context);
  const last = divs.filter((div) => findSame(div.claims?.dest ?? [], targets, context) !== undefined);
  const toTarget = closure(last, divs, (next, at) => continues(at, next, context));
  for (const div of divs) {
    if (div.position !== 'alone' || !fromCaller.has(div)) continue;
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

/** Whether the div PASSporT diverts the call that the token below it speaks of. */
function continues(div: Token, below: Token, context: RequestContext): boolean {
  if (div.claims?.div === undefined || below.claims === undefined) return false;
  const plan = context.policy.numberingPlan;
  const diverting = canonicalParty(div.claims.div, plan);
  const orig = canonicalParty(below.claims.orig, plan);
  if (diverting === undefined || orig === undefined) return false;
  return isIn(below.claims.dest, diverting, context) && isIn([div.claims.orig], orig, context);
}

const isIn = (claimed: readonly PassportParty[], party: PassportParty, context: RequestContext): boolean =>
  findSame(claimed, [party], context) !== undefined;

function bind(caller: Token, outermost: Reached): void {
  caller.position = 'innermost';
  outermost.div.position = 'outermost';
  for (let at: Reached | undefined = outermost; at !== undefined; at = at.below) {
    at.div.inner = at.below?.div ?? caller;
    if (at !== outermost) at.div.position = 'between';
  }
}
