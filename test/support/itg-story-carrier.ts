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
import { createTestKey } from '../../sdk/src/testing/index.js';
import { STORY_CUSTOMER, STORY_PROVIDERS, storyTrunks } from './itg-story-calls.js';
import type { StoryName } from './itg-story-calls.js';
import type { StoryMember, StoryPlatform } from './itg-story-platform.js';

/** A carrier with the SDK: its records, the stream of what it shares, and what answers tracebacks. */
export interface StoryCarrier {
  /** Takes records in: they are in its store, and of those that it shares all are with the platform. */
  readonly hear: (records: readonly CallRecord[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Settings of a carrier. */
export interface StoryCarrierOptions {
  readonly directory: string;
  readonly member: StoryMember;
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
export async function openStoryCarrier(
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
    readonly member: StoryMember;
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
