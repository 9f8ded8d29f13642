import type { ProviderReference } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { ExplainingTrunkDirectory } from '../directory/trunk-look-up.js';
import type { MatchOutcome } from '../match-outcome.js';
import type { TrunkDirectory } from '../trunk-directory.js';
import type { TracebackPolicyData } from './traceback-policy.js';

/** A directory, which may say why as well. */
export type PolicyDirectory = TrunkDirectory & Partial<Pick<ExplainingTrunkDirectory, 'lookUp' | 'directoryId'>>;

/** Whether records of the call are under a legal hold; `unknown` where the store could not be asked. */
export type HoldState = 'none' | 'held' | 'unknown';

/** Everything that a decision rests on. */
export interface PolicyInput {
  readonly request: TracebackRequest;
  /** Absent where nothing was looked for, as for a trace forward. */
  readonly outcome?: MatchOutcome;
  /** Who answers. */
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  readonly directory: PolicyDirectory;
  readonly hold: HoldState;
  /** Sources that have to be complete, beside those whose coverage the outcome names: `scope().sources` of the store. */
  readonly sources: readonly string[];
  /** Microseconds since the epoch. */
  readonly nowUs: number;
}
