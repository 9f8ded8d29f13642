import { openConformanceTarget, runConformance } from '@hopback/harness/conformance';
import type { Capability, ConformanceTargetOptions, MatrixColumn } from '@hopback/harness/conformance';
import type { ConformanceLab } from '../../support/conformance-lab.js';

/** A service that was started for a column of the matrix, and how it is asked. */
export interface StartedService extends AsyncDisposable {
  readonly target: ConformanceTargetOptions;
}

/** Of a machine that tests share: whether an answer comes is asked, not how fast. */
const TIMEOUT_MS = 30_000;

/** A column before it was run. */
export interface ColumnDefinition {
  readonly name: string;
  /** Which software and version it is, and how it was configured. */
  readonly note: string;
  readonly isOurs: boolean;
  /** Calls at once; default that of the command. One where a call that waits holds up others, so that each is judged for itself. */
  readonly concurrency?: number;
  readonly start: (lab: ConformanceLab) => Promise<StartedService>;
}

/** Runs all cases against the service of a column. @throws Error where it did not answer at all */
export async function runColumn(definition: ColumnDefinition, lab: ConformanceLab): Promise<MatrixColumn> {
  const { name, note, concurrency = 4 } = definition;
  await using service = await definition.start(lab);
  await using target = await openConformanceTarget({ timeoutMs: TIMEOUT_MS, ...service.target });
  const outcome = await runConformance({ target, environment: lab.environment, name, concurrency });
  if (outcome.status !== 'ran') throw new Error(`${name} was not asked: ${JSON.stringify(outcome)}`);
  return { run: outcome.run, note };
}

/** What Kamailio with the module says of a call is what its configuration makes of one number. */
export const SAYS_YES_OR_NO: readonly Capability[] = ['codes', 'verstat', 'reasons'];
