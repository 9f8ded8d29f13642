import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpsRecordTransport, type PlatformClient, type RouteCallParams } from '../../sdk/src/platform/index.js';
import {
  createMemoryRecordStore,
  RecordFeed,
  SharingPolicy,
  DEFAULT_SHARING_POLICY,
  RecordStream,
} from '../../sdk/src/records/index.js';
import type { CallRecord, SharingPolicyData } from '../../sdk/src/records/index.js';
import { createCarrierResponder, DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/index.js';
import type { TracebackPolicyData } from '../../sdk/src/traceback/index.js';
import { createTestKey, TestPki } from '../../sdk/src/testing/index.js';
import { WorldClock } from '../../harness/src/network/world/world.js';
import type { PlatformLog } from '../../harness/src/platform/core/index.js';
import type { ReferenceWithAreas } from '../../harness/src/platform/reference/reference-platform.js';
import type { TestMember } from './itg-platform.js';
import { startReferenceLab, type ReferenceLab } from './itg-reference.js';
import {
  STORY_CUSTOMER,
  STORY_PROVIDERS,
  storyFilings,
  storyRecord,
  storyReport,
  storyTrunks,
} from './itg-story-calls.js';
import type { StoryCall, StoryName } from './itg-story-calls.js';

/** A member with its client of the SDK. */
export interface StoryMember extends TestMember {
  readonly client: PlatformClient;
}

/** A platform with carriers, applications, agencies and a reviewer. */
export type StoryWorld = Awaited<ReturnType<typeof startStoryWorld>>;

/** What differs from world to world. */
interface StoryWorldOptions {
  /** When the story begins, milliseconds since the epoch. */
  readonly startMs: number;
  /** Telephone number of the offices in the filings. */
  readonly officeTelephone?: string;
}

/** Where a carrier is, and what it does. */
interface StoryCarrierOptions {
  readonly name: StoryName;
  readonly directory: string;
  readonly member: TestMember;
  /** What it shares of its live calls; absent: nothing. */
  readonly shares?: SharingPolicyData;
  /** Whether it answers tracebacks. */
  readonly answers: boolean;
}

/** Every call with its caller, whoever was called under a pseudonym: what a large carrier might agree to. */
const SHARES_VEILED: SharingPolicyData = {
  ...DEFAULT_SHARING_POLICY,
  id: 'story-veiled-1',
  share: 'all-pseudonymous',
  members: {
    ...DEFAULT_SHARING_POLICY.members,
    'all-pseudonymous': { ...DEFAULT_SHARING_POLICY.members['all-pseudonymous'], calling: 'kept' },
  },
};
/** Every call with both numbers. */
const SHARES_WHOLE: SharingPolicyData = { ...DEFAULT_SHARING_POLICY, id: 'story-whole-1', share: 'all' };

/**
 * What the carriers of the story let be answered without a person: that a call began with a customer too, where it is on file who that is. Their
 * switches write a call down within the minute.
 */
const POLICY: TracebackPolicyData = {
  ...DEFAULT_TRACEBACK_POLICY,
  policyId: 'story-1',
  automatic: {
    ...DEFAULT_TRACEBACK_POLICY.automatic,
    arms: [...DEFAULT_TRACEBACK_POLICY.automatic.arms, 'origin'],
    completeAroundSeconds: 60,
  },
  customers: {
    details: 'contact',
    basisRequired: true,
    statements: {
      [STORY_CUSTOMER.customerId]: {
        contact: { name: STORY_CUSTOMER.name },
        knowYourCustomer: 'Contract and identity papers of 2 March 2026',
      },
    },
  },
};

/** Opens a carrier that speaks to a platform over HTTP. Its key for answers is registered by the operator. */
async function openStoryCarrier(lab: ReferenceLab, options: StoryCarrierOptions) {
  const { platform } = lab;
  const { clock } = platform.context;
  const { name, directory, member, answers } = options;
  const { providerId, name: businessName } = STORY_PROVIDERS[name];
  const { clientId, key } = member;
  const store = createMemoryRecordStore({ clock });
  const closers: (() => Promise<void>)[] = [() => store.close()];
  const streaming = await streamOf(lab, options, store);
  if (streaming !== undefined) closers.push(() => streaming.stream.close());
  if (answers) {
    const answerKey = createTestKey();
    const jwk = { ...answerKey.publicKeyJwk, kid: `${name}-answers-1` };
    await lab.asOperator('POST', `/v1/registry/providers/${providerId}/answer-keys`, { jwk });
    const responder = await createCarrierResponder({
      ...{ directory: join(directory, 'responder'), store, zone: 'America/New_York', policy: POLICY },
      provider: { providerId, name: businessName },
      trunks: storyTrunks(name),
      answerKey: { privateKeyPem: answerKey.privateKeyPem, keyId: `${name}-answers-1` },
      clock: { nowMs: clock.nowMs, schedule: clock.schedule, monotonicMs: clock.nowMs },
      platform: {
        ...{ baseUrl: platform.url, tokenUrl: platform.tokenUrl, receiptKeys: platform.receiptKeys },
        ...{ clientId, key: key.privateKey, keyId: key.keyId },
      },
    });
    closers.push(() => responder.close());
  }
  return {
    /** Takes records in: they are in its store, and of those that it shares all are with the platform. */
    hear: async (records: readonly CallRecord[]): Promise<void> => {
      await (streaming?.feed ?? store).insert(records);
      await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: clock.nowMs() * 1_000 });
      const drained = await streaming?.stream.drain();
      if (drained !== undefined && drained.status !== 'drained') throw new Error(`${name}: ${drained.status}`);
    },
    close: async (): Promise<void> => {
      for (const close of closers.reverse()) await close();
    },
  };
}

/** The stream of what a carrier shares; undefined where it shares nothing. */
async function streamOf(
  lab: ReferenceLab,
  { name, directory, member, shares }: StoryCarrierOptions,
  store: ReturnType<typeof createMemoryRecordStore>,
) {
  if (shares === undefined) return undefined;
  const authorization = await lab.authorization(member);
  const stream = await RecordStream.open({
    ...{ directory: join(directory, 'stream'), source: `/carriers/${name}/switches/1` },
    transport: createHttpsRecordTransport({ url: `${lab.platform.url}/v1/record-batches`, authorization }),
  });
  const policy = new SharingPolicy({
    ...{ data: shares, key: new Uint8Array(32).fill(name.length), rotationId: '2026-11', tenantId: name },
  });
  return { stream, feed: new RecordFeed({ store, stream, policy }) };
}

/** What each provider does. */
const WAYS_TO_TAKE_PART: Readonly<Record<StoryName, { shares?: SharingPolicyData; answers: boolean }>> = {
  alder: { shares: SHARES_VEILED, answers: true },
  birch: { answers: true },
  cedar: { answers: true },
  dune: { answers: true },
  flint: { answers: false },
  grove: { shares: SHARES_WHOLE, answers: true },
};

const OTHERS: Readonly<
  Record<'guard' | 'shield' | 'texas' | 'ohio' | 'ftc' | 'reviewer', Parameters<ReferenceLab['join']>>
> = {
  guard: ['app', 'app-guard', { name: 'Call guard' }],
  shield: ['app', 'app-shield', { name: 'Call shield' }],
  texas: ['agency', 'ag-tx', { name: 'Attorney General of Texas', jurisdiction: 'US-TX' }],
  ohio: ['agency', 'ag-oh', { name: 'Attorney General of Ohio', jurisdiction: 'US-OH' }],
  ftc: ['agency', 'us-ftc', { name: 'Federal Trade Commission', jurisdiction: 'US' }],
  reviewer: ['staff', 'counsel', { name: 'Reviewing counsel', roles: ['reviewer'] }],
};

/** Starts the platform, imports the filings, and registers everybody over the API. */
export async function startStoryWorld({ startMs, officeTelephone }: StoryWorldOptions) {
  const pki = new TestPki();
  const directory = await mkdtemp(join(tmpdir(), 'hopback-story-'));
  const clock = new WorldClock();
  clock.advance(startMs - clock.nowMs());
  const lines: { message: string; details?: Readonly<Record<string, unknown>> }[] = [];
  const keep: PlatformLog['info'] = (message, details) =>
    void lines.push({ message, ...(details !== undefined && { details }) });
  const lab = await startReferenceLab({
    ...{ clock, log: { info: keep, warn: keep, error: keep }, database: { directory: join(directory, 'database') } },
    webhooks: { ca: pki.tlsRoot.certificatePem, dangerouslyAllowPrivateAddresses: true },
  });
  const platform: ReferenceWithAreas = lab.platform;
  /** Calls any route by its operation. @returns the value of the answer */
  const ask = async <Value>(client: PlatformClient, operationId: string, params?: RouteCallParams) => {
    const route = platform.routes.find((one) => one.operationId === operationId);
    if (route === undefined) throw new Error(`there is no ${operationId}`);
    const answer = await client.call(route, params);
    return (answer.kind === 'json' ? answer.value : answer.kind === 'file' ? answer.bytes : undefined) as Value;
  };
  const operator = await lab.client(lab.operator);
  const joined = async (...joining: Parameters<ReferenceLab['join']>): Promise<StoryMember> => {
    const member = await lab.join(...joining);
    return { ...member, client: await lab.client(member) };
  };
  const carriers = {} as Record<StoryName, Awaited<ReturnType<typeof openStoryCarrier>>>;
  const members = {} as Record<StoryName | keyof typeof OTHERS, StoryMember>;
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(carriers).map((carrier) => carrier.close()));
    await lab[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const body = { csv: storyFilings(officeTelephone), source: 'Robocall Mitigation Database' };
    await ask(operator, 'importRegistry', { body });
    for (const name of keysOf(OTHERS)) members[name] = await joined(...OTHERS[name]);
    for (const name of keysOf(STORY_PROVIDERS)) {
      const { providerId, name: businessName, spc } = STORY_PROVIDERS[name];
      const office = { zone: 'America/New_York', spcs: [spc] };
      await ask(operator, 'setProviderOffice', { parameters: { providerId }, body: office });
      members[name] = await joined('carrier', providerId, { name: businessName });
      carriers[name] = await openStoryCarrier(lab, {
        ...WAYS_TO_TAKE_PART[name],
        ...{ name, member: members[name], directory: join(directory, name) },
      });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    /** The platform with a clock that is moved, and all that it logs. */
    story: { platform, clock, operator, lines, ask },
    ...{ pki, carriers, members },
    /** Of the test, removed at its end. */
    directory,
    /** Has all carriers of the calls write them down, and those that stream send them. */
    carry: async (calls: readonly StoryCall[]): Promise<void> => {
      for (const name of keysOf(carriers))
        await carriers[name].hear(calls.flatMap((call) => storyRecord(call, name) ?? []));
    },
    /** Has the applications report calls in turn, each with what was heard. */
    report: async (calls: readonly StoryCall[], transcriptOf: (call: StoryCall) => string): Promise<void> => {
      for (const call of calls) {
        const { client } = call.index % 4 < 2 ? members.guard : members.shield;
        await client.appReports.create(storyReport(call, transcriptOf(call)));
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

const keysOf = <Name extends string>(of: Readonly<Record<Name, unknown>>) => Object.keys(of) as Name[];
