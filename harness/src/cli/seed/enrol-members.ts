import type { PlatformClient, ProviderEntry } from '@hopback/sdk/platform';
import { OPERATOR_ROUTES } from '../../platform/operator-routes.js';
import { routeOf } from '../api/commands.js';
import type { DemoCarrier } from './answer-requests.js';
import { DEMO_AGENCIES, DEMO_APP, DEMO_PROVIDERS, DEMO_REVIEWER } from './demo-world.js';
import type { DemoProvider } from './demo-world.js';
import type { DemoMember } from './members.js';

/** Calls a route beside the contract. Rejects as every call of a client. */
export async function callOperation(
  client: PlatformClient,
  operationId: string,
  {
    signal,
    ...params
  }: {
    readonly parameters?: Readonly<Record<string, string | number>>;
    readonly body?: unknown;
    readonly signal: AbortSignal;
  },
): Promise<unknown> {
  const route = routeOf(operationId, OPERATOR_ROUTES);
  if (route === undefined) throw new TypeError(`there is no operation ${operationId}`);
  const result = await client.call(route, params, { signal });
  return result.kind === 'json' ? result.value : undefined;
}

/** Puts the providers of the demo into the registry. Said again it changes nothing. */
export async function fillRegistry(operator: PlatformClient, signal: AbortSignal): Promise<void> {
  for (const provider of DEMO_PROVIDERS) {
    const { providerId, zone, isRemoved } = provider;
    const parameters = { providerId };
    await callOperation(operator, 'putProvider', { parameters, body: entryOf(provider), signal });
    await callOperation(operator, 'setProviderOffice', { parameters, body: { zone }, signal });
    if (isRemoved !== true) continue;
    const body = { removedOn: '2026-03-02', reason: 'Removed by an order, in this demo.' };
    await callOperation(operator, 'removeProvider', { parameters, body, signal });
  }
}

function entryOf({ word, providerId, name, role, spc, frn }: DemoProvider): ProviderEntry {
  const isAbroad = role === 'abroad';
  return {
    ...{ format: 'hopback.provider-entry.1', providerId, businessName: name, frn },
    ...{ previousBusinessNames: [], otherDbaNames: [], country: isAbroad ? 'NZ' : 'US' },
    isForeignVoiceServiceProvider: isAbroad,
    isVoiceServiceProvider: role === 'serves-subscribers' || isAbroad,
    isGatewayProvider: role === 'gateway',
    isNonGatewayIntermediateProvider: role === 'intermediate',
    implementation: isAbroad ? 'none' : 'complete',
    robocallMitigationContact: { name: 'Robocall mitigation', email: `tracebacks@${word}.example` },
    ...{ ocns: [], spcs: spc === undefined ? [] : [spc], principals: [], affiliates: [] },
    ...(!isAbroad && { certified24HoursOn: '2026-01-15' }),
    updatedAt: '2026-01-15T00:00:00Z',
  };
}

/** Registers everybody who calls, and the keys that answers are signed with. Said again it changes nothing. */
export async function enrolMembers(
  operator: PlatformClient,
  by: {
    readonly members: ReadonlyMap<string, DemoMember>;
    readonly carriers: readonly DemoCarrier[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { members, carriers, signal } = by;
  const organizations = [
    ...DEMO_PROVIDERS.filter(({ isMember }) => isMember).map(({ word, providerId, name }) => ({
      ...{ word, organization: { organizationId: providerId, kind: 'carrier', name } },
    })),
    ...[DEMO_APP, ...DEMO_AGENCIES].map(({ word, organizationId, kind, name, jurisdiction }) => ({
      word,
      organization: {
        ...{ organizationId, kind, name },
        ...(jurisdiction !== undefined && { jurisdiction, contactEmail: `robocalls@${organizationId}.example` }),
      },
    })),
  ];
  for (const { organization } of organizations)
    await callOperation(operator, 'registerOrganization', { body: organization, signal });
  const reviewer = { ...DEMO_REVIEWER, roles: ['reviewer', 'analyst'] };
  const clients = [
    ...organizations.map(({ word, organization: { organizationId, name } }) => ({ word, organizationId, name })),
    reviewer,
  ];
  for (const { word, ...client } of clients) {
    const member = members.get(word);
    if (member === undefined) continue;
    const body = { ...client, clientId: member.clientId, keys: [{ jwk: member.jwk }] };
    await callOperation(operator, 'registerClient', { body, signal });
  }
  for (const { word, answerJwk } of carriers)
    await callOperation(operator, 'addAnswerKey', {
      ...{ parameters: { providerId: `prv-${word}` }, body: { jwk: answerJwk }, signal },
    });
}
