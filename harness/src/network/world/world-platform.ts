import type { KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createPlatformClient, privateKeyJwt } from '@hopback/sdk/platform';
import type { PlatformClient, PlatformScope, ProviderEntry, RouteCallParams } from '@hopback/sdk/platform';
import { createTestKey } from '@hopback/sdk/testing';
import type { PlatformLog, ReferencePlatform } from '../../platform/index.js';
import type { NodeMembership, NodePlatform } from '../node/index.js';
import type { NetworkPlan, PlannedProvider } from '../plan/index.js';
import type { WorldClock } from './world-clock.js';

/** Somebody who calls the platform. */
export interface PlatformMember {
  readonly organizationId: string;
  readonly client: PlatformClient;
}

/** The platform of a network, with all its members in. */
export interface WorldPlatform {
  readonly reference: ReferencePlatform;
  readonly operator: PlatformClient;
  /** Reports what call-blocking apps hear. */
  readonly app: PlatformMember;
  /** By their jurisdiction. */
  readonly agencies: ReadonlyMap<string, PlatformMember>;
  readonly forNodes: NodePlatform;
  /** File by which `hopback-harness` calls it as its operator. */
  readonly profile: string;
  /** Writes that file anew, with how far the clock of the platform is ahead by now. */
  readonly writeProfile: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Rates that no network reaches. */
const UNLIMITED = { perSecond: 1_000_000, burst: 1_000_000 };
/** Everybody who was let in, and who they are, is of that day. */
const FILED_AT = '2026-01-15T00:00:00Z';
const ZONE = 'America/New_York';
const HOME = 'US';

/** Starts the platform of a network, and lets everybody in over its API. */
export async function openWorldPlatform(
  plan: NetworkPlan,
  {
    directory,
    clock,
    onTrouble,
  }: { readonly directory: string; readonly clock: WorldClock; readonly onTrouble: (what: string) => void },
): Promise<WorldPlatform> {
  // Databases and all that: loaded where there is a platform alone.
  const { FIRST_OPERATOR_CLIENT, startReferencePlatform } = await import('../../platform/index.js');
  const reference = await startReferencePlatform({
    ...{ clock, directory: join(directory, 'platform'), database: { memory: true } },
    ...{ log: troublesOf(onTrouble), rates: { perClient: UNLIMITED, perAddress: UNLIMITED } },
  });
  try {
    const door = await openDoor(reference, { clock, operatorId: FIRST_OPERATOR_CLIENT });
    const members: Record<string, NodeMembership> = {};
    for (const provider of plan.providers) {
      await door.ask('putProvider', { parameters: { providerId: provider.providerId }, body: entryOf(provider) });
      if (provider.country !== HOME) continue;
      const office = { zone: ZONE, spcs: [provider.spc] };
      await door.ask('setProviderOffice', { parameters: { providerId: provider.providerId }, body: office });
      members[provider.id] = await door.carrier(provider);
    }
    const agencies = new Map<string, PlatformMember>();
    for (const jurisdiction of plan.scenario.platform?.agencies ?? [HOME])
      agencies.set(jurisdiction, await door.agency(jurisdiction));
    const profile = join(directory, 'operator.json');
    const writeProfile = (): Promise<void> =>
      writeOperator(reference, { profile, clientId: FIRST_OPERATOR_CLIENT, clock });
    await writeProfile();
    return {
      ...{ reference, operator: door.operator, agencies, profile, writeProfile },
      app: await door.letIn({ kind: 'app', organizationId: 'app-guard', name: 'Call guard' }),
      forNodes: {
        ...{ baseUrl: reference.url, tokenUrl: reference.tokenUrl, receiptKeys: reference.receiptKeys, members },
      },
      close: () => reference.close(),
    };
  } catch (error) {
    await reference.close();
    throw error;
  }
}

interface Joining {
  readonly kind: PlatformScope;
  readonly organizationId: string;
  readonly name: string;
  readonly jurisdiction?: string;
  readonly contactEmail?: string;
}

interface Key {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

interface Door {
  readonly operator: PlatformClient;
  /** Calls a route as the operator. */
  readonly ask: (operationId: string, params: RouteCallParams) => Promise<void>;
  readonly letIn: (joining: Joining) => Promise<PlatformMember>;
  readonly agency: (jurisdiction: string) => Promise<PlatformMember>;
  readonly carrier: (provider: PlannedProvider) => Promise<NodeMembership>;
}

async function openDoor(
  platform: ReferencePlatform,
  { clock, operatorId }: { readonly clock: WorldClock; readonly operatorId: string },
): Promise<Door> {
  const clientOf = async (clientId: string, { keyId, privateKey }: Key): Promise<PlatformClient> =>
    createPlatformClient({
      ...{ baseUrl: platform.url, clock },
      authorization: await privateKeyJwt({ tokenUrl: platform.tokenUrl, clientId, key: privateKey, keyId, clock }),
    });
  const operator = await clientOf(operatorId, platform.home.operatorKey);
  const ask: Door['ask'] = async (operationId, params) => {
    const route = platform.routes.find((one) => one.operationId === operationId);
    if (route === undefined) throw new TypeError(`there is no operation ${operationId}`);
    await operator.call(route, params);
  };
  const enrol = async (
    joining: Joining,
  ): Promise<{ readonly clientId: string; readonly key: Key; readonly pem: string }> => {
    const { organizationId, name } = joining;
    const keyId = `${organizationId}-key`;
    const { privateKey, privateKeyPem, publicKeyJwk } = createTestKey();
    await ask('registerOrganization', { body: joining });
    const clientId = `${organizationId}-1`;
    const keys = [{ jwk: { ...publicKeyJwk, kid: keyId } }];
    await ask('registerClient', { body: { clientId, organizationId, name, keys } });
    return { clientId, key: { keyId, privateKey }, pem: privateKeyPem };
  };
  const letIn: Door['letIn'] = async (joining) => {
    const { clientId, key } = await enrol(joining);
    return { organizationId: joining.organizationId, client: await clientOf(clientId, key) };
  };
  return {
    ...{ operator, ask, letIn },
    agency: (jurisdiction) => {
      const organizationId = `ag-${jurisdiction.toLowerCase()}`;
      const contactEmail = `robocalls@${organizationId}.example`;
      return letIn({
        ...{ kind: 'agency', organizationId, jurisdiction, contactEmail },
        name: `Agency of ${jurisdiction}`,
      });
    },
    carrier: async ({ providerId, name }) => {
      const { clientId, key, pem } = await enrol({ kind: 'carrier', organizationId: providerId, name });
      const answerKey = createTestKey();
      const answerKeyId = `${providerId}-answers`;
      const jwk = { ...answerKey.publicKeyJwk, kid: answerKeyId };
      await ask('addAnswerKey', { parameters: { providerId }, body: { jwk } });
      return {
        ...{ clientId, keyId: key.keyId, privateKeyPem: pem },
        ...{ answerKeyId, answerKeyPem: answerKey.privateKeyPem },
      };
    },
  };
}

function entryOf({ id, providerId, name, role, country, spc, stir }: PlannedProvider): ProviderEntry {
  const isAbroad = country !== HOME;
  return {
    ...{ format: 'hopback.provider-entry.1', providerId, businessName: name },
    ...{ previousBusinessNames: [], otherDbaNames: [], country },
    isForeignVoiceServiceProvider: isAbroad,
    isVoiceServiceProvider: isAbroad || role === 'originating' || role === 'ipes' || role === 'terminating',
    isGatewayProvider: role === 'gateway',
    isNonGatewayIntermediateProvider: role === 'transit',
    implementation: stir ? 'complete' : 'none',
    robocallMitigationContact: { name: 'Robocall mitigation', email: `tracebacks@${id}.example` },
    ...{ ocns: [], spcs: stir ? [spc] : [], principals: [], affiliates: [] },
    ...(!isAbroad && { certified24HoursOn: '2026-01-15' }),
    updatedAt: FILED_AT,
  };
}

/** What the platform says went wrong in it. */
function troublesOf(onTrouble: (what: string) => void): PlatformLog {
  return {
    info: () => undefined,
    warn: () => undefined,
    error: (message, details) => onTrouble(`${message} ${JSON.stringify(details ?? {})}`),
  };
}

/** Keys lie where nobody else reads them. */
const PRIVATE = 0o600;

async function writeOperator(
  { url, home }: ReferencePlatform,
  { profile, clientId, clock }: { readonly profile: string; readonly clientId: string; readonly clock: WorldClock },
): Promise<void> {
  const { keyId, privateKey } = home.operatorKey;
  // A profile names its key from its own folder.
  const keyFile = 'operator-key.pem';
  await writeFile(join(dirname(profile), keyFile), privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: PRIVATE,
  });
  const clockAheadMs = clock.nowMs() - Date.now();
  const members = { baseUrl: url, clientId, keyId, keyFile, clockAheadMs };
  await writeFile(profile, `${JSON.stringify(members, undefined, 2)}\n`, { mode: PRIVATE });
}
