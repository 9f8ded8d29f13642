import type { NodeBehaviour } from './node-behaviour.js';
import { saidInstead } from './said-instead.js';

/**
 * Nothing of that time was written down, and it does not claim so. The sdk leaves such a request to a person, who may not say that there was no call;
 * what is said is that there are no records of then.
 */
export const recordGap: NodeBehaviour<'record-gap'> = {
  losesRecords: true,
  says: (answer) =>
    answer.finding.arm === 'refused'
      ? saidInstead(answer, { arm: 'not-retained', retainedFrom: answer.answeredAt }, false)
      : answer,
};
