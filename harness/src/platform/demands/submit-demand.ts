import { hash } from 'node:crypto';
import { demandScopeRefusal, jsonAnswer, MAX_DEMAND_DOCUMENT_BYTES, problemAnswer } from '@hopback/sdk/platform';
import type { DemandSubmission, PlatformAnswer } from '@hopback/sdk/platform';
import type { OperationCall, PlatformTransaction } from '../core/index.js';
import { readPdf, type PdfObservations } from '../domain/demands/index.js';
import { tablesOf, type DemandParts } from './demand-area.js';
import { demandRow, openedBy, wireDemand } from './demand-rows.js';
import { placeHold } from './holds.js';
import { namesLiveCampaign } from './named.js';
import { sealJson } from '../database/index.js';

/**
 * Takes a demand in: its document is on the disk, encrypted, before the transaction that names it, and both are before it is acknowledged. The
 * same key with the same content is the same demand, whenever it comes again.
 */
export function submitDemand(parts: DemandParts): (call: OperationCall) => Promise<PlatformAnswer> {
  return async (call) => {
    const submission = call.request.body as DemandSubmission;
    const document = call.request.document ?? new Uint8Array();
    if (document.length > MAX_DEMAND_DOCUMENT_BYTES) return problemAnswer('too-large');
    const read = documentOf(submission, document);
    if (read.status === 'refused') return read.problem;
    const refusal = demandScopeRefusal(submission.scope);
    if (refusal !== undefined) return refusal;
    const keyHash = hash('sha256', call.request.parameters['Idempotency-Key'] ?? '', 'hex');
    const requestHash = hash('sha256', JSON.stringify(submission), 'hex');
    const earlier = await repeated(parts, call, { keyHash, requestHash });
    if (earlier !== undefined) return earlier;
    const demandId = parts.context.newId('d');
    await parts.ports.files.put(demandId, document);
    try {
      return await parts.context.transact(async (transaction) => {
        await insertDemand(parts, transaction, { call, submission, demandId, keyHash, requestHash, seen: read.seen });
        return demandAnswer(parts, transaction, { call, demandId });
      });
    } catch (error) {
      // Another attempt under the same key was quicker. What was put for this one goes with the job that removes what nobody names.
      const quicker = await repeated(parts, call, { keyHash, requestHash });
      if (quicker !== undefined) return quicker;
      throw error;
    }
  };
}

type DocumentReading =
  | { readonly status: 'read'; readonly seen: PdfObservations }
  | { readonly status: 'refused'; readonly problem: PlatformAnswer };

function documentOf({ documentSha256 }: DemandSubmission, document: Uint8Array): DocumentReading {
  const reading = readPdf(document);
  if (reading.status === 'unreadable') {
    const detail = `The document is no PDF: ${reading.reason}.`;
    return { status: 'refused', problem: problemAnswer('document-unreadable', { detail }) };
  }
  if (hash('sha256', document, 'hex') !== documentSha256) {
    const detail = 'The octets of the document do not have the SHA-256 that documentSha256 states.';
    return { status: 'refused', problem: problemAnswer('document-unreadable', { detail }) };
  }
  return { status: 'read', seen: reading.observations };
}

interface SubmissionKey {
  readonly keyHash: string;
  readonly requestHash: string;
}

async function repeated(
  parts: DemandParts,
  call: OperationCall,
  { keyHash, requestHash }: SubmissionKey,
): Promise<PlatformAnswer | undefined> {
  return parts.context.transact(async (transaction) => {
    const row = await tablesOf(transaction)
      .selectFrom('demands_demands')
      .select(['demand_id', 'request_hash'])
      .where('client_id', '=', call.caller.clientId)
      .where('key_hash', '=', keyHash)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.request_hash !== requestHash) return problemAnswer('idempotency-key-reused');
    return demandAnswer(parts, transaction, { call, demandId: row.demand_id });
  });
}

interface NewDemand extends SubmissionKey {
  readonly call: OperationCall;
  readonly submission: DemandSubmission;
  readonly demandId: string;
  readonly seen: PdfObservations;
}

async function insertDemand(parts: DemandParts, transaction: PlatformTransaction, given: NewDemand): Promise<void> {
  const { context } = parts;
  const { call, submission, demandId, seen } = given;
  const { organizationId, clientId } = call.caller;
  const sealed = await sealJson(context, transaction, { value: submission, belongsTo: `demand:${demandId}` });
  await tablesOf(transaction)
    .insertInto('demands_demands')
    .values({
      demand_id: demandId,
      organization_id: organizationId,
      client_id: clientId,
      key_hash: given.keyHash,
      request_hash: given.requestHash,
      state: 'under-review',
      kind: submission.kind,
      is_urgent: submission.isUrgent,
      is_live: await namesLiveCampaign(parts, transaction, submission.scope.campaignIds),
      record_classes: JSON.stringify(submission.scope.recordClasses),
      campaign_ids: JSON.stringify(submission.scope.campaignIds ?? []),
      return_on: submission.returnOn,
      submitted_at_ms: call.atMs,
      document_sha256: submission.documentSha256,
      document_size: seen.sizeBytes,
      document_seen: JSON.stringify(seen),
      submission: JSON.stringify(sealed),
    })
    .execute();
  await placeHold(transaction, { demandId, organizationId, scope: submission.scope });
  await context.audit(transaction, {
    action: 'demand.submitted',
    organizationId,
    actor: clientId,
    object: `demand:${demandId}`,
    details: {
      kind: submission.kind,
      documentSha256: submission.documentSha256,
      recordClasses: submission.scope.recordClasses,
      isUrgent: submission.isUrgent,
    },
  });
}

async function demandAnswer(
  { context }: DemandParts,
  transaction: PlatformTransaction,
  { call, demandId }: { readonly call: OperationCall; readonly demandId: string },
): Promise<PlatformAnswer> {
  const row = await demandRow(transaction, demandId);
  if (row === undefined) return problemAnswer('not-found');
  const reason = openedBy(call.caller, `demand:${demandId}`);
  return jsonAnswer(await wireDemand(context, transaction, { row, reason }));
}
