import { describeVerdict, explainEvidence } from '@hopback/sdk/stir';
import type { CallVerdict, VerdictEvidence } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';
import { startVerifying, verdictOf } from './verify-invite.js';

/** For a person, now: the answer, why, and every step with both values. Shows telephone numbers: for a screen, not a log. */
export function shown(verdict: CallVerdict): string {
  return describeVerdict(verdict).join('\n');
}

/** For the call record: plain JSON, enough to explain the verdict months later. */
export function kept(verdict: CallVerdict): string {
  return JSON.stringify(verdict.evidence);
}

/** Months later: what did not pass, by which rule, what it asked for and what was found. */
export function whyNot(record: string): readonly string[] {
  const evidence = JSON.parse(record) as VerdictEvidence;
  const steps = explainEvidence(evidence).flatMap((passport) => passport.steps);
  return steps
    .filter(({ result }) => result === 'failed' || result === 'unknown')
    .map(({ rule, section, expected, actual }) => {
      return `${rule} (${section}) expected ${String(expected ?? 'it')}, found ${String(actual ?? 'otherwise')}`;
    });
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const verdict = await verdictOf(service, lab.invite('12025550166'));
  await close();
  if (verdict === undefined) throw new Error('the INVITE of the lab is none');
  console.log(shown(verdict));
  console.log(whyNot(kept(verdict)).length); // 1
  await lab.close();
}
