import { join } from 'node:path';
import { createLocalAnswerSigner, signAnswer } from '@hopback/sdk/traceback';
import type { AnswerSigner, TracebackAnswer, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import { demoProvider } from './demo-world.js';
import { demoFolder, demoKey } from './members.js';
import type { DemoMember } from './members.js';
import { recordIdOfCall } from './shared-calls.js';
import type { DemoCall } from './planned-calls.js';

/** A carrier of the demo that answers what it is asked, by its own records and signed with its own key. */
export interface DemoCarrier {
  readonly word: string;
  /** Public half of the key of its answers, with `kid`. */
  readonly answerJwk: Readonly<Record<string, unknown>>;
  /** Answers what stands open and can be answered. @returns how many requests it answered */
  readonly answerOpen: (signal: AbortSignal) => Promise<number>;
}

/** Makes the carrier; its answer key lies in the folder of the demo. */
export async function demoCarrier(
  { word, client }: DemoMember,
  { directory, calls }: { readonly directory: string; readonly calls: readonly DemoCall[] },
): Promise<DemoCarrier> {
  const keyId = `${word}-answers-1`;
  const { pem, jwk } = await demoKey(join(demoFolder(directory), `${word}-answers.pem`), keyId);
  const signer = await createLocalAnswerSigner({ privateKeyPem: pem, keyId });
  const byCaller = new Map(calls.map((call) => [call.calling, call]));
  const byRecord = new Map(calls.map((call) => [recordIdOfCall(call), call]));
  return {
    ...{ word, answerJwk: jwk },
    answerOpen: async (signal) => {
      let answered = 0;
      for await (const { request } of client.tracebackRequests.iterate({ state: 'open' }, { signal })) {
        const { recordId = '', calling = '' } = request.call;
        const call = byRecord.get(recordId) ?? byCaller.get(calling.replaceAll(/\D/g, ''));
        const finding = call === undefined ? undefined : findingOf(word, call);
        if (call === undefined || finding === undefined) continue;
        const answer = await signedAnswer({ request, call, finding, signer });
        await client.tracebackRequests.answer({ requestId: request.requestId, answer }, { signal });
        answered += 1;
      }
      return answered;
    },
  };
}

/** What a provider says of a call; undefined where it says nothing. */
export function findingOf(word: string, { way: { providers, end } }: DemoCall): TracebackFinding | undefined {
  const place = providers.indexOf(word);
  const next = providers[place + 1];
  if (place < 0) return undefined;
  if (next !== undefined) {
    const { providerId, name } = demoProvider(next);
    return { arm: 'received-from', upstream: { providerId, name } };
  }
  if (end.says === 'nothing') return undefined;
  if (end.says === 'refused') return { arm: 'refused', reason: end.reason };
  if (end.says === 'point-of-entry') return { arm: 'point-of-entry', upstream: end.upstream };
  const { customer: contact, knowYourCustomer } = end;
  return { arm: 'origin', customer: { contact, knowYourCustomer, action: 'suspended' } };
}

interface AnswerToSign {
  readonly request: TracebackRequest;
  readonly call: DemoCall;
  readonly finding: TracebackFinding;
  readonly signer: AnswerSigner;
}

function signedAnswer({ request, call, finding, signer }: AnswerToSign): Promise<string> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const { atMs, called, calling, seconds } = call;
  const [fromMs, toMs] = [atMs - 3_600_000, atMs + 60_000];
  const { requestId, tracebackId, provider } = request;
  const found = finding.arm !== 'refused';
  const answer: TracebackAnswer = {
    ...{ format: 'hopback.traceback-answer.1', answerId: `${requestId}.1`, requestId, tracebackId, revision: 1 },
    ...{ answeredAt: iso(Date.now()), provider, answeredBy: { kind: 'automatic', policyId: 'demo-1' }, finding },
    ...(found && {
      call: {
        ...{ startedAt: iso(atMs), called: `+${called}`, calling: `+${calling}` },
        ...(seconds !== undefined && { answeredAt: iso(atMs + 6_000), endedAt: iso(atMs + 6_000 + seconds * 1_000) }),
        disposition: seconds === undefined ? 'no-answer' : 'answered',
        ingressCallId: `${call.index}-${request.hop}@${provider.providerId ?? 'demo'}.example`,
      },
    }),
    searched: {
      windows: found ? [{ from: iso(fromMs), to: iso(toMs) }] : [],
      keys: found ? ['called', 'calling'] : [],
      coverage: found ? [{ sourceId: 'demo-switch', fromUs: fromMs * 1_000, toUs: toMs * 1_000 }] : [],
      recordsConsidered: found ? 1 : 0,
    },
  };
  return signAnswer(answer, signer);
}
