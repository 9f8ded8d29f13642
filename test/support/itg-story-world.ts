import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpsRecordTransport, privateKeyJwt } from '../../sdk/src/platform/index.js';
import {
  createMemoryRecordStore,
  createRecordFeed,
  createSharingPolicy,
  DEFAULT_SHARING_POLICY,
  openRecordStream,
} from '../../sdk/src/records/index.js';
import type { CallRecord, SharingPolicyData } from '../../sdk/src/records/index.js';
import { createCarrierResponder, DEFAULT_TRACEBACK_POLICY } from '../../sdk/src/traceback/index.js';
import type { TracebackPolicyData } from '../../sdk/src/traceback/index.js';
import { createTestKey, createTestPki } from '../../sdk/src/testing/index.js';
import type { TestPki } from '../../sdk/src/testing/index.js';
import type { PlatformClient, PlatformScope, RouteCallParams } from '../../sdk/src/platform/index.js';
import { createWorldClock } from '../../harness/src/network/world/world.js';
import type { WorldClock } from '../../harness/src/network/world/world.js';
import type { PlatformLog } from '../../harness/src/platform/core/index.js';
import type { JoinDetails, TestMember } from './itg-platform.js';
import { startReferenceLab } from './itg-reference.js';
import type { ReferenceLab } from './itg-reference.js';
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

/** A reference platform that listens, with a clock that is moved, and all that it logs. */
export interface StoryPlatform {
  readonly platform: ReferenceLab['platform'];
  readonly clock: WorldClock;
  readonly operator: PlatformClient;
  readonly lines: readonly { readonly message: string; readonly details?: Readonly<Record<string, unknown>> }[];
  /** Calls any route by its operation. @returns the value of the answer */
  readonly ask: <Value>(client: PlatformClient, operationId: string, params?: RouteCallParams) => Promise<Value>;
}

/** A platform with carriers, applications, agencies and a reviewer. */
export interface StoryWorld extends AsyncDisposable {
  readonly story: StoryPlatform;
  readonly pki: TestPki;
  readonly carriers: Readonly<Record<StoryName, StoryCarrier>>;
  readonly members: Readonly<
    Record<StoryName | 'guard' | 'shield' | 'texas' | 'ohio' | 'ftc' | 'reviewer', StoryMember>
  >;
  /** Has all carriers of the calls write them down, and those that stream send them. */
  readonly carry: (calls: readonly StoryCall[]) => Promise<void>;
  /** Has the applications report calls in turn, each with what was heard. */
  readonly report: (calls: readonly StoryCall[], transcriptOf: (call: StoryCall) => string) => Promise<void>;
  /** Of the test, removed at its end. */
  readonly directory: string;
}

/** What differs from world to world. */
export interface StoryWorldOptions {
  /** When the story begins, milliseconds since the epoch. */
  readonly startMs: number;
  /** Telephone number of the offices in the filings. */
  readonly officeTelephone?: string;
  /** What carriers share beyond what the story has them share. */
  readonly shares?: Partial<Readonly<Record<StoryName, SharingPolicyData>>>;
}

/** A carrier with the SDK: its records, the stream of what it shares, and what answers tracebacks. */
interface StoryCarrier {
  /** Takes records in: they are in its store, and of those that it shares all are with the platform. */
  readonly hear: (records: readonly CallRecord[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Settings of a carrier. */
interface StoryCarrierOptions {
  readonly directory: string;
  readonly member: TestMember;
  /** What it shares of its live calls; absent: nothing. */
  readonly shares?: SharingPolicyData;
  /** Whether it answers tracebacks. */
  readonly answers: boolean;
}

/** Every call with its caller, whoever was called under a pseudonym: what a large carrier might agree to. */
export const SHARES_VEILED: SharingPolicyData = {
  ...DEFAULT_SHARING_POLICY,
  id: 'story-veiled-1',
  share: 'all-pseudonymous',
  members: {
    ...DEFAULT_SHARING_POLICY.members,
    'all-pseudonymous': { ...DEFAULT_SHARING_POLICY.members['all-pseudonymous'], calling: 'kept' },
  },
};
/** Every call with both numbers. */
export const SHARES_WHOLE: SharingPolicyData = { ...DEFAULT_SHARING_POLICY, id: 'story-whole-1', share: 'all' };

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
async function openStoryCarrier(
  story: StoryPlatform,
  name: StoryName,
  { directory, member, shares, answers }: StoryCarrierOptions,
): Promise<StoryCarrier> {
  const { platform, clock } = story;
  const { providerId, name: businessName } = STORY_PROVIDERS[name];
  const { clientId, key } = member;
  const store = createMemoryRecordStore({ clock });
  const closers: (() => Promise<void>)[] = [() => store.close()];
  const streaming =
    shares === undefined ? undefined : await streamOf(story, { name, directory, member, shares, store });
  if (streaming !== undefined) closers.push(() => streaming.stream.close());
  if (answers) {
    const answerKey = createTestKey();
    const jwk = { ...answerKey.publicKeyJwk, kid: `${name}-answers-1` };
    await story.ask(story.operator, 'addAnswerKey', { parameters: { providerId }, body: { jwk } });
    const responder = await createCarrierResponder({
      ...{ directory: join(directory, 'responder'), store, zone: 'America/New_York', policy: POLICY },
      provider: { providerId, name: businessName },
      trunks: storyTrunks(name),
      answerKey: { privateKeyPem: answerKey.privateKeyPem, keyId: `${name}-answers-1` },
      clock: { ...clock, monotonicMs: clock.nowMs },
      platform: {
        ...{ baseUrl: platform.url, tokenUrl: platform.tokenUrl, receiptKeys: platform.receiptKeys },
        ...{ clientId, key: key.privateKey, keyId: key.keyId },
      },
    });
    closers.push(() => responder.close());
  }
  return {
    hear: async (records) => {
      await (streaming?.feed ?? store).insert(records);
      await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: clock.nowMs() * 1_000 });
      const drained = await streaming?.stream.drain();
      if (drained !== undefined && drained.status !== 'drained') throw new Error(`${name}: ${drained.status}`);
    },
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

async function streamOf(
  { platform, clock }: StoryPlatform,
  parts: {
    readonly name: StoryName;
    readonly directory: string;
    readonly member: TestMember;
    readonly shares: SharingPolicyData;
    readonly store: ReturnType<typeof createMemoryRecordStore>;
  },
) {
  const { name, directory, shares, store } = parts;
  const { clientId, key } = parts.member;
  const authorization = await privateKeyJwt({
    ...{ tokenUrl: platform.tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, clock },
  });
  const stream = await openRecordStream({
    ...{ directory: join(directory, 'stream'), source: `/carriers/${name}/switches/1` },
    transport: createHttpsRecordTransport({ url: `${platform.url}/v1/record-batches`, authorization }),
  });
  const policy = createSharingPolicy({
    ...{ data: shares, key: new Uint8Array(32).fill(name.length), rotationId: '2026-11', tenantId: name },
  });
  return { stream, feed: createRecordFeed({ store, stream, policy }) };
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

type OtherName = Exclude<keyof StoryWorld['members'], StoryName>;

const OTHERS: Readonly<Record<OtherName, readonly [kind: PlatformScope, organizationId: string, JoinDetails]>> = {
  guard: ['app', 'app-guard', { name: 'Call guard' }],
  shield: ['app', 'app-shield', { name: 'Call shield' }],
  texas: ['agency', 'ag-tx', { name: 'Attorney General of Texas', jurisdiction: 'US-TX' }],
  ohio: ['agency', 'ag-oh', { name: 'Attorney General of Ohio', jurisdiction: 'US-OH' }],
  ftc: ['agency', 'us-ftc', { name: 'Federal Trade Commission', jurisdiction: 'US' }],
  reviewer: ['staff', 'counsel', { name: 'Reviewing counsel', roles: ['reviewer'] }],
};

/** Starts the platform, imports the filings, and registers everybody over the API. */
export async function startStoryWorld({ startMs, officeTelephone, shares }: StoryWorldOptions): Promise<StoryWorld> {
  const pki = await createTestPki();
  const directory = await mkdtemp(join(tmpdir(), 'hopback-story-'));
  const clock = createWorldClock();
  clock.advance(startMs - clock.nowMs());
  const lines: { message: string; details?: Readonly<Record<string, unknown>> }[] = [];
  const keep: PlatformLog['info'] = (message, details) =>
    void lines.push({ message, ...(details !== undefined && { details }) });
  const lab = await startReferenceLab({
    ...{ clock, log: { info: keep, warn: keep, error: keep }, database: { directory: join(directory, 'database') } },
    webhooks: { ca: pki.tlsRoot.certificatePem, dangerouslyAllowPrivateAddresses: true },
  });
  const ask = async <Value>(client: PlatformClient, operationId: string, params?: RouteCallParams) => {
    const route = lab.platform.routes.find((one) => one.operationId === operationId);
    if (route === undefined) throw new Error(`there is no ${operationId}`);
    const answer = await client.call(route, params);
    return (answer.kind === 'json' ? answer.value : answer.kind === 'file' ? answer.bytes : undefined) as Value;
  };
  const operator = await lab.clientOf(lab.operator);
  const story: StoryPlatform = { platform: lab.platform, clock, operator, lines, ask };
  const joined = async (...joining: Parameters<ReferenceLab['join']>): Promise<StoryMember> => {
    const member = await lab.join(...joining);
    return { ...member, client: await lab.clientOf(member) };
  };
  const opened: StoryCarrier[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((carrier) => carrier.close()));
    await lab[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const body = { csv: storyFilings(officeTelephone), source: 'Robocall Mitigation Database' };
    await ask(operator, 'importRegistry', { body });
    const members: Record<string, StoryMember> = {};
    for (const [name, joining] of Object.entries(OTHERS)) members[name] = await joined(...joining);
    const carriers: Record<string, StoryCarrier> = {};
    for (const [name, { providerId, name: businessName, spc }] of Object.entries(STORY_PROVIDERS)) {
      const of = name as StoryName;
      const office = { zone: 'America/New_York', spcs: [spc] };
      await ask(operator, 'setProviderOffice', { parameters: { providerId }, body: office });
      const member = await joined('carrier', providerId, { name: businessName });
      const sharing = shares?.[of];
      const carrier = await openStoryCarrier(story, of, {
        ...WAYS_TO_TAKE_PART[of],
        ...(sharing !== undefined && { shares: sharing }),
        ...{ member, directory: join(directory, name) },
      });
      opened.push(carrier);
      [members[name], carriers[name]] = [member, carrier];
    }
    return worldOf({ story, pki, directory, carriers, members } as Parts, close);
  } catch (error) {
    await close();
    throw error;
  }
}

type Parts = Pick<StoryWorld, 'story' | 'pki' | 'directory' | 'carriers' | 'members'>;

function worldOf(parts: Parts, close: () => Promise<void>): StoryWorld {
  const { carriers, members } = parts;
  return {
    ...parts,
    carry: async (calls) => {
      for (const [name, carrier] of Object.entries(carriers)) {
        const records = calls.flatMap((call) => storyRecord(call, name as StoryName) ?? []);
        await carrier.hear(records);
      }
    },
    report: async (calls, transcriptOf) => {
      for (const call of calls) {
        const { client } = call.index % 4 < 2 ? members.guard : members.shield;
        await client.appReports.create(storyReport(call, transcriptOf(call)));
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
