import { TEST_DEST_TN, TEST_ORIG_TN } from '@hopback/sdk/testing';
import type { LoadedCall } from './call-load.js';
import type { SidecarFolder } from './sidecar-folder.js';

export const PASSED = 'TN-Validation-Passed';
export const FAILED = 'TN-Validation-Failed';
/** Neither good nor bad: nothing can be said. */
export const UNDECIDED = 'No-TN-Validation';

/** Body of a request to verify. @param orig - who calls, as the switch has it */
export const verificationBody = (identity: string, orig: string = TEST_ORIG_TN): string =>
  JSON.stringify({ verificationRequest: { identity, from: { tn: orig }, to: { tn: [TEST_DEST_TN] } } });

/** Good calls, one whose Identity is about another caller and so says nothing of this one, one with a signature of somebody else. */
export function usualCalls(folder: SidecarFolder): readonly LoadedCall[] {
  const thief = folder.pki.issueServiceProvider({ spc: '6666' });
  return [
    { name: 'good', body: () => verificationBody(folder.identity()), verstats: () => [PASSED] },
    { name: 'spoofed', body: () => verificationBody(folder.identity(), '12025550166'), verstats: () => [UNDECIDED] },
    { name: 'good', body: () => verificationBody(folder.identity()), verstats: () => [PASSED] },
    { name: 'forged', body: () => verificationBody(folder.identity({ signer: thief })), verstats: () => [FAILED] },
  ];
}
