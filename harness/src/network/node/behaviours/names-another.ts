import type { NodeBehaviour } from './node-behaviour.js';
import type { AnsweredCall } from '@hopback/sdk/traceback';
import { saidInstead } from './said-instead.js';

/** It names a provider that did not send it the call, and may disclose another call with it. */
export const namesAnother: NodeBehaviour<'names-another'> = {
  says: (answer, { provider, otherCall = false }, around) => {
    const said = saidInstead(answer, { arm: 'received-from', upstream: around.provider(provider) });
    return otherCall && said.call !== undefined ? { ...said, call: sixHoursLater(said.call) } : said;
  },
};

const LATER_MS = 6 * 3_600_000;

function sixHoursLater({ startedAt, calling, called, disposition }: AnsweredCall): AnsweredCall {
  const later = new Date(Date.parse(startedAt) + LATER_MS).toISOString();
  return { startedAt: later, disposition, ...(calling && { calling }), ...(called && { called }) };
}
