import { withUser } from './leg-text.js';
import type { Leg, NodeBehaviour } from './node-behaviour.js';

/** In front of a called number where nothing else is said, as carriers tell routes apart. */
const PREFIX = '1234';

/** Numbers leave otherwise than they came. A `#` cannot stand in a URI as it is. @see RFC 3986 section 2.1 */
export const rewritesNumbers: NodeBehaviour<'rewrites-numbers'> = {
  sends: (leg, { how, value }) => {
    if (how === 'calling')
      return value === undefined ? leg : withField(leg, 'from', withUser(leg.headers['from'], `+${value}`));
    if (how === 'prefix') {
      const called = `${value ?? PREFIX}%23${leg.target.replace('+', '')}`;
      return { ...withField(leg, 'to', withUser(leg.headers['to'], called)), target: called };
    }
    const [from, to] = ['from', 'to'].map((name) => national(leg.headers[name] ?? ''));
    const headers = { ...leg.headers, ...(from && { from }), ...(to && { to }) };
    return { ...leg, headers, target: leg.target.replace(/^\+1(?=\d{10}$)/, '') };
  },
};

const withField = (leg: Leg, name: string, value: string): Leg => ({
  ...leg,
  headers: { ...leg.headers, [name]: value },
});

const national = (field: string): string => field.replace(/(<sips?:)\+1(?=\d{10}[@;>])/i, '$1');
