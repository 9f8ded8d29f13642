import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** The numbers of the call are written otherwise, or are others; Identity goes on as it came. */
export function rewritesNumbers({ how, value = '' }: BehaviourOf<'rewrites-numbers'>): BehaviourEffects {
  return {
    sends: ({ calling, called, identity }) => {
      if (how === 'national') return { calling: national(calling), called: national(called), identity };
      if (how === 'prefix') return { calling, called: `${value}#${called}`, identity };
      return { calling: value, called, identity };
    },
  };
}

/** Ten digits, of a number of North America; others have no such form. */
function national(number: string): string {
  return /^1[0-9]{10}$/.test(number) ? number.slice(1) : number;
}
