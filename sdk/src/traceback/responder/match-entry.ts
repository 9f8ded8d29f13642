import { wellFormedValue } from '../../core/text.js';
import type { MatchOutcome } from '../match-outcome.js';
import { decideTraceback } from '../policy/decide-traceback.js';
import type { HoldState } from '../policy/policy-input.js';
import { candidatesOf } from '../review/review-subject.js';
import { matchedEntry } from './entry-steps.js';
import { inTime } from './in-time.js';
import type { ResponderCore } from './responder-core.js';
import type { ResponderEntry } from './responder-entry.js';

/**
 * Looks a request up, and applies the policy to what was found.
 * @throws StepFailure `match`: the records cannot be read now, or do not come back
 */
export async function matchEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry> {
  const { options, clock, limits } = core;
  const { request } = entry;
  const timed = { kind: 'match', timeoutMs: limits.matchTimeoutMs } as const;
  const found =
    request.direction === 'forward' ? undefined : await inTime(core, () => options.findMatch(request), timed);
  // Switches write what they were sent, cut where their field ends.
  const outcome = wellFormedValue(found);
  const [sources, hold] = await inTime(
    core,
    () => Promise.all([options.sources?.() ?? [], holdOf(core, outcome)]),
    timed,
  );
  const atMs = clock.nowMs();
  const decision = decideTraceback({
    request,
    ...(outcome === undefined ? {} : { outcome }),
    provider: options.provider,
    policy: options.policy,
    directory: options.trunks,
    hold,
    sources,
    nowUs: atMs * 1_000,
  });
  return matchedEntry(entry, { ...(outcome === undefined ? {} : { outcome }), hold, sources, decision, atMs });
}

/** Of the call that would be answered with, or of any that may be meant. */
async function holdOf({ options }: ResponderCore, outcome: MatchOutcome | undefined): Promise<HoldState> {
  const calls = outcome?.status === 'unique' ? [outcome.candidate] : candidatesOf(outcome);
  if (calls.length === 0) return 'none';
  const { isHeld } = options;
  if (isHeld === undefined) return 'unknown';
  for (const call of calls) if (await isHeld(call)) return 'held';
  return 'none';
}
