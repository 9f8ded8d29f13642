import { isHopbackError } from '@hopback/sdk/errors';
import type { TracebackOpening } from '@hopback/sdk/platform';
import { TestPlatform, TEST_PROVIDERS } from '@hopback/sdk/testing';
import { createLocalAnswerSigner, signAnswer as signed } from '@hopback/sdk/traceback';
import type { ProviderReference, TracebackAnswer, TracebackFinding } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { signAnswer, startReferenceLab } from '../support/itg-reference.js';
import { clientOf } from '../support/platform-bindings.js';

const BIRCH = { providerId: 'birch', name: 'Birch Telecom', ocn: '2001', frn: '0000002001' };
const CEDAR = { providerId: 'cedar', name: 'Cedar Gateway', ocn: '3001', frn: '0000003001' };
const ORIGIN: TracebackFinding = { arm: 'origin', customer: { customerId: 'customer-7' } };
const from = (upstream: ProviderReference): TracebackFinding => ({ arm: 'received-from', upstream });

interface Said {
  readonly provider?: ProviderReference;
  readonly finding: TracebackFinding;
}

/** What Birch may not say, since it mixes companies, and what the problem has to name. */
const REFUSED: readonly (readonly [Said, readonly string[]])[] = [
  [{ provider: { name: CEDAR.name }, finding: ORIGIN }, ['Cedar Gateway', 'Birch Telecom']],
  [{ provider: CEDAR, finding: ORIGIN }, ['cedar', 'birch']],
  [{ provider: { ...BIRCH, name: CEDAR.name }, finding: ORIGIN }, ['birch', 'Cedar Gateway']],
  [{ provider: { ...BIRCH, ocn: CEDAR.ocn }, finding: ORIGIN }, ['birch', '3001', 'cedar']],
  // An OCN that the registry does not have is that of another company.
  [{ provider: { name: 'Nobody LLC', ocn: '9999' }, finding: ORIGIN }, ['Nobody LLC', 'Birch Telecom']],
  [{ finding: from({ ...CEDAR, ocn: '4001' }) }, ['cedar', '4001', 'dune']],
  [{ finding: from({ providerId: 'cedar', name: 'Dune Voice' }) }, ['cedar', 'Dune Voice', 'dune']],
  [{ finding: from({ name: 'X', ocn: '3001', frn: '0000004001' }) }, ['FRN', 'dune', 'OCN 3001', 'cedar']],
  // A first provider has no downstream, but the problem is that this one mixes companies.
  [
    { finding: { arm: 'not-sent-to-downstream', downstream: { providerId: 'alder', name: 'Dune Voice' } } },
    ['alder', 'dune'],
  ],
];
const TAKEN: readonly Said[] = [
  { provider: { providerId: 'birch', name: 'Birch' }, finding: ORIGIN },
  { provider: { name: 'BIRCH TELECOM' }, finding: ORIGIN },
  { provider: { ...BIRCH, ocn: '9999' }, finding: ORIGIN },
  { provider: { name: 'Nobody LLC' }, finding: ORIGIN },
  { finding: from({ name: CEDAR.name }) },
  { finding: from(CEDAR) },
  { finding: from({ name: 'Nobody LLC' }) },
];

/** Hands in all of them, and expects the problems. */
async function expectProblems(submit: (said: Said) => Promise<Refusal>): Promise<void> {
  for (const [said, both] of REFUSED) {
    const { detail = '', ...refusal } = await submit(said);
    expect({ said, ...refusal }).toEqual({ said, code: 'answer-mismatch', status: 422 });
    for (const side of both) expect(detail).toContain(side);
  }
  for (const said of TAKEN) expect({ said, ...(await submit(said)) }).toEqual({ said });
}

const OPENING: TracebackOpening = {
  direction: 'back',
  call: {
    ...{ called: '+12025550143', calling: '+13035550199' },
    at: { asWritten: '2/2/2026 9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
  },
};

interface Refusal {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly detail?: string;
}

/** What the platform has against a call, as a client gets to know it; nothing where it was taken. */
async function problemOf(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isHopbackError(error)) return {};
  const { problemCode, httpStatus, detail } = error.details;
  return { code: problemCode, status: httpStatus, ...(typeof detail === 'string' && { detail }) };
}

test('the reference platform refuses an answer that mixes companies, naming both, and takes one that does not', async () => {
  await using lab = await startReferenceLab();
  const entry = ({ name, ocn, frn }: typeof BIRCH): object => ({ businessName: name, ocns: [ocn], frn });
  await lab.joinCarrier('alder', { businessName: 'Alder Voice', ocns: ['1001'] });
  const carrier = await lab.joinCarrier('birch', entry(BIRCH));
  await lab.joinCarrier('cedar', entry(CEDAR));
  await lab.joinCarrier('dune', { businessName: 'Dune Voice', ocns: ['4001'], frn: '0000004001' });
  const staff = await lab.clientOf(lab.operator);
  const client = await lab.clientOf(carrier);
  const alder = { providerId: 'alder', name: 'Alder Voice' };
  let calls = 0;
  const submit = async (said: Said): Promise<Refusal> => {
    calls += 1;
    const called = `+1202555${String(calls).padStart(4, '0')}`;
    const opening = { ...OPENING, call: { ...OPENING.call, called }, firstProvider: BIRCH };
    await staff.tracebacks.create(opening);
    const request = (await client.tracebackRequests.list()).items.at(-1)?.request;
    if (request === undefined) throw new Error('nothing is asked of birch');
    const answer = await signAnswer(carrier, request, said);
    return problemOf(client.tracebackRequests.answer({ requestId: request.requestId, answer }));
  };
  await expectProblems(submit);
  const mixed = { ...OPENING, firstProvider: { ...alder, name: 'Dune Voice' } };
  const opened = await problemOf(staff.tracebacks.create(mixed));
  expect(opened).toMatchObject({ status: 400, code: 'invalid-body' });
  for (const side of ['alder', 'Dune Voice', 'dune']) expect(opened.detail).toContain(side);
}, 120_000);

test('the test platform does the same', async () => {
  const providers = [
    ...TEST_PROVIDERS.filter(({ providerId }) => providerId === 'prv-alder'),
    ...[BIRCH, CEDAR, { providerId: 'dune', name: 'Dune Voice', ocn: '4001', frn: '0000004001' }],
    { providerId: 'alder', name: 'Alder Voice' },
  ];
  await using platform = await TestPlatform.start({ providers });
  const signer = await createLocalAnswerSigner(platform.credentials('birch').answerKey);
  const client = clientOf(platform, 'birch');
  const submit = async ({ provider, finding }: Said): Promise<Refusal> => {
    const { requestId, tracebackId } = platform.issueRequest('birch');
    const answer: TracebackAnswer = {
      ...{ format: 'hopback.traceback-answer.1', answerId: `a-${requestId}`, requestId, tracebackId },
      ...{ revision: 1, answeredAt: '2026-11-02T12:00:00Z', provider: provider ?? BIRCH },
      ...{ answeredBy: { kind: 'automatic', policyId: 'test' }, finding },
      searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
    };
    return problemOf(client.tracebackRequests.answer({ requestId, answer: await signed(answer, signer) }));
  };
  await expectProblems(submit);
});
