import { vi } from 'vitest';
import type { Demand, DemandSubmission, Production } from '../../sdk/src/platform/index.js';
import type { AccessFixture, SentAlong } from './itg-access-call.js';
import { WAITING } from './itg-access-cases.js';
import { freshName, openingOf } from './itg-access-world.js';
import type { AccessWorld } from './itg-access-world.js';
import { demandForm, submissionAt } from './itg-demands.js';
import type { TestMember } from './itg-platform.js';

/** Legal process is an agency's and the staff's, and so is what is handed over under it. */
export function demandsAccess({ lab, as, tokenOf }: AccessWorld): AccessFixture {
  const submitted = async (owner: TestMember, kind?: DemandSubmission['kind']): Promise<string> => {
    const { body = null } = sentDemand(owner, kind);
    const authorization = `Bearer ${await tokenOf(owner)}`;
    const headers = { authorization, 'idempotency-key': freshName('demand') };
    const response = await fetch(`${lab.platform.url}/v1/demands`, { method: 'POST', headers, body });
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
          const demandId = await submitted(owner, 'court-order');
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
      traceUnderDemand: (caller) => openingOf(caller, 'carrier-third'),
      extendProduction: () => ({ until: dayFromNow((days += 1)), reason: 'Counsel is away.' }),
      reissueProduction: () => ({ reason: 'It got lost.' }),
    },
    sent: { submitDemand: (caller) => sentDemand(caller) },
    canaries: (owner) => [{ text: demandCanary(owner), openTo: ['staff'] }],
  };
}

const demandCanary = ({ organizationId }: TestMember): string => `demand of ${organizationId}.`;
const dayFromNow = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

/** The two parts of a demand for tracebacks of a number. */
function sentDemand(owner: TestMember, kind: DemandSubmission['kind'] = 'civil-investigative-demand'): SentAlong {
  const { scope, ...submission } = submissionAt(Date.now(), { kind, reference: demandCanary(owner) });
  const { campaignIds: _, ...wide } = scope;
  const to = dayFromNow(kind === 'court-order' ? 7 : 0);
  const narrow = { ...wide, to, recordClasses: ['traceback-records'], calledNumbers: ['12025550143'] } as const;
  return { body: demandForm({ ...submission, scope: narrow }) };
}
