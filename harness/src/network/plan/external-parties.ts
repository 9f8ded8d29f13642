import { HopbackError } from '@hopback/sdk/errors';
import type { NetworkPlan } from './plan.js';

/** Whose part in a network is played by somebody else's programs. */
export interface ExternalParties {
  /** Ids of providers: a switch of somebody else's is in their place. */
  readonly providers: readonly string[];
  /** Ids of callers whose calls somebody else places. */
  readonly callers: readonly string[];
}

/**
 * A plan in which some parts are played by somebody else's programs. What they find, write down and say is not known: such a provider answers no
 * tracebacks and shares no records, whatever the scenario says, and what leaves it is held to what the scenario says of it.
 * @throws {@link HopbackError} `invalid-argument` for a provider or caller that the plan does not have, and for a caller of such a provider: nobody would see
 * its calls begin
 */
export function withExternalParties(plan: NetworkPlan, { providers, callers }: ExternalParties): NetworkPlan {
  if (providers.length + callers.length === 0) return plan;
  known('provider', providers, plan.providers);
  known('caller', callers, plan.scenario.callers);
  for (const { id, at } of plan.scenario.callers)
    if (callers.includes(id) && providers.includes(at))
      throw new HopbackError('invalid-argument', `${id} calls at ${at}: one of the two has to be ours`);
  return {
    ...plan,
    ...(callers.length > 0 && { externalCallers: [...callers] }),
    providers: plan.providers.map((one) =>
      providers.includes(one.id) ? { ...one, isExternal: true, answersTracebacks: false, shares: 'nothing' } : one,
    ),
  };
}

/** Ids of the providers whose switches are somebody else's. */
export function externalProviders({ providers }: Pick<NetworkPlan, 'providers'>): ReadonlySet<string> {
  return new Set(providers.filter(({ isExternal }) => isExternal === true).map(({ id }) => id));
}

function known(what: string, asked: readonly string[], there: readonly { readonly id: string }[]): void {
  for (const id of asked)
    if (!there.some((one) => one.id === id))
      throw new HopbackError('invalid-argument', `the scenario has no ${what} ${id}`);
}
