import { hash } from 'node:crypto';
import { vi } from 'vitest';
import type { Demand, DemandSubmission, Production } from '../../sdk/src/platform/index.js';
import type { AccessFixture, SentAlong } from './itg-access-call.js';
import { WAITING } from './itg-access-cases.js';
import { freshName } from './itg-access-world.js';
import type { AccessWorld } from './itg-access-world.js';
import { smallPdf } from './itg-demands.js';
import type { TestMember } from './itg-platform.js';

/** Legal process is an agency's and the staff's, and so is what is handed over under it. */
export function demandsAccess({ lab, as, tokenOf }: AccessWorld): AccessFixture {
  const submitted = async (owner: TestMember, changes: Partial<DemandSubmission> = {}): Promise<string> => {
    const { headers, body } = sentDemand(owner, changes);
    const response = await fetch(`${lab.platform.url}/v1/demands`, {
      method: 'POST',
      headers: {
        ...headers,
        authorization: `Bearer ${await tokenOf(owner)}`,
        'idempotency-key': freshName('demand'),
      },
      ...(body !== undefined && { body }),
    });
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as Demand).demandId;
  };
  const decided = async (demandId: string): Promise<Demand> => {
    const order = { decision: 'approve', reason: 'It fits.' };
    return (await as(lab.operator, 'POST', `/v1/demands/${demandId}/decisions`, order)) as Demand;
  };
  const produced = new Map<string, Promise<string>>();
  const readyProduction = (owner: TestMember): Promise<string> => {
    const made = produced.get(owner.organizationId) ?? produce(owner);
    produced.set(owner.organizationId, made);
    return made;
  };
  const produce = async (owner: TestMember): Promise<string> => {
    const { productionIds } = await decided(await submitted(owner));
    const path = `/v1/productions/${productionIds[0]}`;
    const state = async () => ((await lab.asOperator('GET', path)) as Production).state;
    await vi.waitUntil(async () => (await state()) === 'ready', WAITING);
    return productionIds[0] ?? '';
  };
  let days = 31;
  return {
    area: 'demands',
    objects: [
      { parameters: ['demandId'], openTo: ['staff'], make: async (owner) => [await submitted(owner)] },
      {
        ...{ parameters: ['demandId'], operations: ['continueDemand', 'traceUnderDemand'], openTo: ['staff'] },
        make: async (owner) => {
          const demandId = await submitted(owner, { kind: 'court-order' });
          await decided(demandId);
          return [demandId];
        },
      },
      { parameters: ['productionId'], openTo: ['staff'], make: async (owner) => [await readyProduction(owner)] },
      {
        ...{ parameters: ['productionId', 'name'], openTo: ['staff'] },
        make: async (owner) => [await readyProduction(owner), 'SHA256SUMS'],
      },
    ],
    bodies: {
      decideDemand: () => ({ decision: 'reject', reason: 'It names nothing.' }),
      continueDemand: () => ({ until: dayFromNow(2), everyHours: 24 }),
      withdrawDemand: () => ({ reason: 'Settled.' }),
      traceUnderDemand: () => tracedCall(),
      extendProduction: () => ({ until: dayFromNow((days += 1)), reason: 'Counsel is away.' }),
      reissueProduction: () => ({ reason: 'It got lost.' }),
    },
    sent: { submitDemand: (caller) => sentDemand(caller) },
    canaries: (owner) => [{ text: demandCanary(owner), openTo: ['staff'] }],
  };
}

const demandCanary = ({ organizationId }: TestMember): string => `demand of ${organizationId}.`;
const dayFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

const tracedCall = (): object => {
  const written = new Date(Date.now() - 3_600_000).toISOString().slice(0, 16);
  return {
    direction: 'back',
    call: {
      ...{ called: '12025550143', calling: '13035550199' },
      at: { asWritten: `${written} UTC`, local: written, zone: 'UTC', precision: 'minute' },
    },
    firstProvider: { providerId: 'carrier-third', name: 'carrier-third Telecom' },
  };
};

const PDF = smallPdf();

/** The two parts of a demand for tracebacks of a number. */
function sentDemand(owner: TestMember, changes: Partial<DemandSubmission> = {}): SentAlong {
  const demand: DemandSubmission = {
    ...{ kind: 'civil-investigative-demand', reference: demandCanary(owner), authority: 'Tex. Bus. & Com. Code 17.61' },
    agency: { name: 'Attorney General of Texas', jurisdiction: 'US-TX', contactEmail: 'cases@agency.example' },
    scope: {
      recordClasses: ['traceback-records'],
      from: dayFromNow(-7),
      to: dayFromNow(changes.kind === 'court-order' ? 7 : 0),
      calledNumbers: ['12025550143'],
    },
    ...{ returnOn: dayFromNow(30).slice(0, 10), isUrgent: false, documentSha256: hash('sha256', PDF, 'hex') },
    ...changes,
  };
  const body = new FormData();
  body.set('demand', new Blob([JSON.stringify(demand)], { type: 'application/json' }));
  body.set('document', new Blob([PDF], { type: 'application/pdf' }), 'document.pdf');
  return { body };
}
