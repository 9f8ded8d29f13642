import type { Scenario } from '../scenario.js';
import { checkCallers } from './callers.js';
import type { Complaint } from './complaint.js';
import { checkNumbers } from './numbers.js';
import { checkProviders } from './providers.js';
import { checkReferences } from './references.js';
import { checkThresholdTexts } from './thresholds.js';
import { checkWays } from './ways.js';

/** What makes no sense in a scenario whose form is right; empty: it can be planned. Never throws. */
export function checkScenario(scenario: Scenario): readonly Complaint[] {
  const references = checkReferences(scenario);
  return [
    ...references,
    ...checkProviders(scenario),
    ...checkNumbers(scenario),
    ...checkCallers(scenario),
    ...checkThresholdTexts(scenario),
    // Ways between providers that are not there would be missed a second time.
    ...(references.length === 0 ? checkWays(scenario) : []),
  ];
}
