import type { Attestation, CallVerdict } from '../../stir/index.js';
import { invalid, missing, read } from './read-body.js';
import type { Read } from './read-body.js';
import type { ShakenCall } from './signing-api.js';

/** Highest number of fields: OrigTN,DestTN,ATTEST,OrigID,X5U. */
const MAX_FIELDS = 5;

/**
 * Reads a line of secsipidx's `sign-csv`: `OrigTN,DestTN,ATTEST,OrigID,X5U`. Its X5U is not heard: the certificate that signs says where it is.
 * @param text - the body
 * @returns the call to sign; never throws for what a client sends
 */
export function readSignCsv(text: string): Read<ShakenCall> {
  const fields = text.trim().split(',', MAX_FIELDS + 1);
  const [origTn = '', destTn = '', attest = '', origId = ''] = fields.map((field) => field.trim());
  if (fields.length > MAX_FIELDS) return invalid('body', 'must be OrigTN,DestTN,ATTEST,OrigID,X5U');
  if (origTn === '') return missing('OrigTN');
  if (destTn === '') return missing('DestTN');
  if (attest !== 'A' && attest !== 'B' && attest !== 'C') return invalid('ATTEST', "must be 'A', 'B' or 'C'");
  return read({
    kind: 'shaken',
    origTn,
    destTn: [destTn],
    destUri: [],
    attestation: attest satisfies Attestation,
    origId: origId === '' ? undefined : origId,
    iatSeconds: undefined,
  });
}

/**
 * The answer to secsipidx's `check`: 200 `OK`, or 500 `FAILED`. Of the call nothing is known but its Identity, so that signature, certificate,
 * path, revocation, claims and freshness are checked, and not whether it speaks for this caller.
 * @param verdict - of the Identity alone
 * @returns status and body as secsipidx has them, and why, which it does not say
 */
export function checkAnswer(verdict: CallVerdict): {
  readonly status: 200 | 500;
  readonly body: string;
  readonly reason: string;
} {
  if (verdict.status === 'passed') return { status: 200, body: 'OK\n', reason: 'none' };
  return { status: 500, body: 'FAILED\n', reason: verdict.reasons[0] ?? verdict.status };
}
