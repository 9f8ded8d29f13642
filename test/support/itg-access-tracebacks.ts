import type { FccNotice, Traceback, TracebackRequestStatus } from '../../sdk/src/platform/index.js';
import type { TracebackFinding, TracebackRequest } from '../../sdk/src/traceback/index.js';
import type { WaitingPage } from '../../harness/src/platform/tracebacks/index.js';
import type { AccessFixture, ObjectFixture, PathValues } from './itg-access-matrix.js';
import { askedCanary, freshName, openingOf, openedCanary, type AccessWorld } from './itg-access-world.js';
import type { TestMember } from './itg-platform.js';
import { signAnswer } from './itg-reference.js';

/** What waits for a person in a traceback, of one kind. */
type WaitingKind = WaitingPage['items'][number]['items'][number]['kind'];

/** A traceback is whose it is, theirs who are asked in it, and the staff's. */
export function tracebacksAccess(world: AccessWorld): AccessFixture {
  const { lab, members, third, as, openTraceback } = world;
  const carrierOf = ({ organizationId: id }: TestMember): string =>
    id.startsWith('carrier') ? id : members.own.carrier.organizationId;
  const requestTo = async (id: string): Promise<TracebackRequest> =>
    requestOf(world, id, (await openTraceback(lab.operator, id)).tracebackId);
  const answered = async (id: string, finding: TracebackFinding): Promise<TracebackRequest> => {
    const request = await requestTo(id);
    await answer(world, request, finding);
    return request;
  };
  // Who is asked second denies what the first said.
  const disputed = async (): Promise<string> => {
    const { tracebackId } = await answered('carrier-third', from('carrier-other'));
    const asked = await requestOf(world, 'carrier-other', tracebackId);
    await answer(world, asked, { arm: 'not-our-number' });
    return tracebackId;
  };
  const unlisted = async (): Promise<string> =>
    (await answered('carrier-third', { arm: 'received-from-unlisted', upstream: { name: 'Nobody Knows Telecom' } }))
      .tracebackId;
  const staffTraceback = (operations: readonly string[], make: () => Promise<string>): ObjectFixture => ({
    ...{ parameters: ['tracebackId'], operations, openTo: ['staff'], make: async () => [await make()] },
  });
  const newNotice = async (id: string): Promise<string> =>
    ((await lab.asOperator('POST', '/v1/notices', noticeTo(id))) as FccNotice).noticeId;
  return {
    objects: [
      {
        ...{ parameters: ['tracebackId'], openTo: ['staff'] },
        make: async (owner) => {
          // Staff without the role opens none: one of the staff's is as good.
          const opener =
            owner.organizationId.startsWith('staff') || owner.organizationId === 'itg' ? lab.operator : owner;
          return [(await openTraceback(opener, third.carrier.organizationId)).tracebackId];
        },
      },
      staffTraceback(['decideDispute'], disputed),
      staffTraceback(['identifyProvider', 'acceptOutcome'], unlisted),
      {
        ...{ parameters: ['requestId'], openTo: [] },
        make: async (owner) => [(await requestTo(carrierOf(owner))).requestId],
      },
      {
        ...{ parameters: ['requestId', 'answerId'], openTo: [] },
        make: async (owner) => {
          const { requestId } = await answered(carrierOf(owner), { arm: 'origin', customer: { customerId: 'c-1' } });
          return [requestId, `${requestId}.1`];
        },
      },
      { parameters: ['noticeId'], openTo: ['staff'], make: async (owner) => [await newNotice(carrierOf(owner))] },
    ],
    bodies: {
      openTraceback: (caller) => openingOf(caller, third.carrier.organizationId),
      acknowledgeTracebackRequest: () => ({
        ...{ format: 'hopback.request-acknowledgement.1', receivedAt: new Date().toISOString() },
      }),
      answerTracebackRequest: async (caller, path) => ({ answer: await answerBy(world, caller, path) }),
      respondToNotice: () => ({
        ...{ format: 'hopback.notice-response.1', responseId: freshName('response'), kind: 'mitigation' },
        ...{ respondedAt: new Date().toISOString(), finding: 'under-investigation', statement: 'It was looked at.' },
        ...{ measures: [], sources: [] },
      }),
      withdrawTraceback: () => ({ reason: 'Opened twice.' }),
      reportNeighbour: () => neighbourReport(freshName('report')),
      chooseNeighbour: async (_caller, { tracebackId = '' }) => {
        const reportId = freshName('report');
        const path = `/v1/tracebacks/${tracebackId}/neighbour-reports`;
        const traceback = (await as(lab.operator, 'POST', path, neighbourReport(reportId))) as {
          readonly hops: readonly { readonly requestId: string }[];
        };
        return { requestId: traceback.hops[0]?.requestId, reportId: `staff:${reportId}` };
      },
      decideDispute: async (_caller, path) => ({
        ...{ disputeId: await waiting(world, path, 'dispute'), ruling: 'downstream-stands', reason: 'By its records.' },
      }),
      identifyProvider: async (_caller, path) => ({
        ...{ requestId: await waiting(world, path, 'unidentified'), providerId: 'carrier-other' },
      }),
      acceptOutcome: async (_caller, path) => ({ outcomeKey: await waiting(world, path, 'stalled') }),
      traceForward: () => ({
        ...{ forwardId: freshName('forward'), number: '12025550188' },
        firstProvider: { providerId: 'carrier-third', name: 'carrier-third Telecom' },
      }),
      issueNotice: () => noticeTo(members.own.carrier.organizationId),
      withdrawNotice: () => ({ reason: 'By the Commission.' }),
    },
    canaries: (owner) => [
      { text: openedCanary(owner), openTo: ['staff'] },
      { text: askedCanary(owner.organizationId), openTo: ['staff'] },
      { text: noticeCanary(owner.organizationId), openTo: ['staff'] },
    ],
  };
}

const noticeCanary = (id: string): string => `notice to ${id}.`;

const noticeTo = (providerId: string): object => ({
  ...{ providerId, reference: freshName('EB-26'), description: noticeCanary(providerId), calls: [], tracebackIds: [] },
});

const from = (providerId: string): TracebackFinding => ({
  arm: 'received-from',
  upstream: { providerId, name: `${providerId} Telecom` },
});

/** Another carrier says that it sent the call to the one that is asked. */
const neighbourReport = (reportId: string): object => ({
  reportId,
  provider: { providerId: 'carrier-other', name: 'carrier-other Telecom' },
  sentTo: { providerId: 'carrier-third', name: 'carrier-third Telecom' },
});

/** The request of a traceback to a carrier. */
async function requestOf({ lab, carriers, as }: AccessWorld, id: string, tracebackId: string) {
  const { hops } = (await as(lab.operator, 'GET', `/v1/tracebacks/${tracebackId}`)) as Traceback;
  const requestId = hops.find(({ provider }) => provider.providerId === id)?.requestId;
  const carrier = carriers.get(id);
  if (carrier === undefined || requestId === undefined) throw new Error(`${id} is not asked in ${tracebackId}`);
  const status = await as(carrier, 'GET', `/v1/traceback-requests/${requestId}`);
  return (status as TracebackRequestStatus).request;
}

async function answer(world: AccessWorld, request: TracebackRequest, finding: TracebackFinding): Promise<void> {
  const carrier = world.carriers.get(request.provider.providerId ?? '');
  if (carrier === undefined) throw new Error('nobody can answer');
  const body = { answer: await signAnswer(carrier, request, { finding }) };
  await world.as(carrier, 'POST', `/v1/traceback-requests/${request.requestId}/answers`, body);
}

/** An answer of the caller to the request that a path names; of a request to another it is made up. */
async function answerBy(world: AccessWorld, caller: TestMember, { requestId = '' }: PathValues): Promise<string> {
  const carrier = world.carriers.get(caller.organizationId);
  if (carrier === undefined) return 'none';
  const token = await world.tokenOf(carrier);
  const { value } = await world.lab.call(token, 'GET', `/v1/traceback-requests/${requestId}`);
  const request = (value as Partial<TracebackRequestStatus>).request ?? madeUp(requestId, carrier);
  return signAnswer(carrier, request, { finding: { arm: 'origin', customer: { customerId: 'c-1' } } });
}

const madeUp = (requestId: string, { organizationId: providerId }: TestMember): TracebackRequest => ({
  ...{ format: 'hopback.traceback-request.1', requestId, tracebackId: 't-1', direction: 'back', hop: 1 },
  ...{ requester: { kind: 'itg', name: 'Traceback group' }, issuedAt: '2026-11-27T12:00:00Z' },
  provider: { providerId, name: providerId },
  call: { at: { asWritten: 'noon', local: '2026-11-27T12:00', zone: 'UTC', precision: 'minute' } },
});

/** What is waited for in a traceback is named by this. */
async function waiting({ lab }: AccessWorld, { tracebackId }: PathValues, kind: WaitingKind): Promise<string> {
  const { items } = (await lab.asOperator('GET', '/v1/waiting-tracebacks?limit=500')) as WaitingPage;
  const found = items.find((one) => one.tracebackId === tracebackId)?.items.find((item) => item.kind === kind);
  if (found?.kind === 'dispute') return found.disputeId;
  if (found?.kind === 'stalled') return found.outcomeKey;
  if (found === undefined) throw new Error(`nothing of the kind ${kind} waits`);
  return found.requestId;
}
