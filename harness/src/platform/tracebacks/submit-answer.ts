import { problemAnswer } from '@hopback/sdk/platform';
import type { AnswerSubmission, PlatformAnswer } from '@hopback/sdk/platform';
import type { OperationCall } from '../core/index.js';
import { holdVersions, together } from '../database/index.js';
import { referenceOf } from './ask-provider.js';
import { askedQuery } from './asked-requests.js';
import type { TracebackEngine } from './engine.js';
import { createGroupedWork } from './grouped-work.js';
import { takeIn } from './take-answers.js';
import type { TakingIn } from './take-answers.js';
import type { TracebacksParts } from './tracebacks-parts.js';
import type { TracebacksTables } from './tracebacks-tables.js';
import type { AnswerVerifier } from './verify-answer.js';

/** What answers are taken in with. */
export type AnswerParts = TracebacksParts & { readonly engine: TracebackEngine; readonly verify: AnswerVerifier };

/** Takes answers of providers in; those that come while others are taken in are taken in together. */
export function createAnswerIntake(parts: AnswerParts): (call: OperationCall) => Promise<PlatformAnswer> {
  return createGroupedWork<OperationCall, PlatformAnswer>({
    together: (calls) => submitAnswers(parts, calls),
    keyOf: requestIdOf,
  });
}

const requestIdOf = ({ request }: OperationCall): string => request.parameters['requestId'] ?? '';

/** Stores answers, goes on with their tracebacks and with those that joined their requests, and gives the receipts. */
async function submitAnswers(parts: AnswerParts, calls: readonly OperationCall[]): Promise<readonly PlatformAnswer[]> {
  const { context, providers, engine } = parts;
  const reading = context.database.withTables<TracebacksTables>();
  holdVersions(reading);
  const [rows] = await together(reading, [askedQuery(reading, calls.map(requestIdOf))]);
  const asked = new Map(rows.map((row) => [row.request_id, row]));
  const known = await providers.providers(
    reading,
    calls.map(({ caller }) => caller.organizationId),
  );
  const takings = await Promise.all(
    calls.map(async (call): Promise<TakingIn | PlatformAnswer> => {
      const { caller, atMs, request } = call;
      const requestId = requestIdOf(call);
      const provider = known.get(caller.organizationId);
      const row = asked.get(requestId);
      if (provider === undefined || row?.provider_id !== caller.organizationId) return problemAnswer('not-found');
      const verified = await parts.verify(request.body as AnswerSubmission, { provider, atMs });
      if ('kind' in verified) return verified;
      return { verified, requestId, tracebackId: row.traceback_id, caller, provider: referenceOf(provider) };
    }),
  );
  const wanted = takings.filter((taking): taking is TakingIn => !('kind' in taking));
  // What an operation answers out of its transaction is stored with it.
  const [only] = wanted;
  if (calls.length === 1)
    return [
      only === undefined
        ? (takings[0] as PlatformAnswer)
        : await engine.transact(async (transaction) => answerOf(await takeIn(parts, transaction, wanted), only)),
    ];
  const answers =
    wanted.length === 0
      ? new Map<string, PlatformAnswer>()
      : await engine.transact((transaction) => takeIn(parts, transaction, wanted));
  return takings.map((taking) => ('kind' in taking ? taking : answerOf(answers, taking)));
}

const answerOf = (answers: ReadonlyMap<string, PlatformAnswer>, { requestId }: TakingIn): PlatformAnswer =>
  answers.get(requestId) ?? problemAnswer('not-found');
