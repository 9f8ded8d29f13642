import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestPki } from '../../sdk/src/testing/index.js';
import type { TestPki } from '../../sdk/src/testing/index.js';
import type { SharingPolicyData } from '../../sdk/src/records/index.js';
import { STORY_PROVIDERS, storyFilings, storyRecord, storyReport } from './itg-story-calls.js';
import type { StoryCall, StoryName } from './itg-story-calls.js';
import { openStoryCarrier, SHARES_VEILED, SHARES_WHOLE } from './itg-story-carrier.js';
import type { StoryCarrier, StoryCarrierOptions } from './itg-story-carrier.js';
import { startStoryPlatform } from './itg-story-platform.js';
import type { StoryJoining, StoryMember, StoryPlatform } from './itg-story-platform.js';

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
  /** What carriers share beside or instead of what they share in the story. */
  readonly shares?: Partial<Readonly<Record<StoryName, SharingPolicyData>>>;
}

/** What each provider does. */
const WAYS_TO_TAKE_PART: Readonly<Record<StoryName, Pick<StoryCarrierOptions, 'shares' | 'answers'>>> = {
  alder: { shares: SHARES_VEILED, answers: true },
  birch: { answers: true },
  cedar: { answers: true },
  dune: { answers: true },
  flint: { answers: false },
  grove: { shares: SHARES_WHOLE, answers: true },
};

/** Agencies, applications and staff. */
const OTHERS: Readonly<Record<Exclude<keyof StoryWorld['members'], StoryName>, StoryJoining>> = {
  guard: { kind: 'app', organizationId: 'app-guard', name: 'Call guard' },
  shield: { kind: 'app', organizationId: 'app-shield', name: 'Call shield' },
  texas: {
    ...{ kind: 'agency', organizationId: 'ag-tx', name: 'Attorney General of Texas', jurisdiction: 'US-TX' },
    contactEmail: 'robocalls@oag-tx.example',
  },
  ohio: {
    ...{ kind: 'agency', organizationId: 'ag-oh', name: 'Attorney General of Ohio', jurisdiction: 'US-OH' },
    contactEmail: 'robocalls@oag-oh.example',
  },
  ftc: {
    ...{ kind: 'agency', organizationId: 'us-ftc', name: 'Federal Trade Commission', jurisdiction: 'US' },
    contactEmail: 'robocalls@ftc.example',
  },
  reviewer: { kind: 'staff', organizationId: 'itg', name: 'Reviewing counsel', roles: ['reviewer'] },
};

/** Starts the platform, imports the filings, and lets everybody in over the API. */
export async function startStoryWorld({ startMs, officeTelephone, shares }: StoryWorldOptions): Promise<StoryWorld> {
  const pki = await createTestPki();
  const directory = await mkdtemp(join(tmpdir(), 'hopback-story-'));
  const story = await startStoryPlatform(startMs, {
    webhooks: { ca: pki.tlsRoot.certificatePem, dangerouslyAllowPrivateAddresses: true },
  });
  const opened: StoryCarrier[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((carrier) => carrier.close()));
    await story[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const body = { csv: storyFilings(officeTelephone), source: 'Robocall Mitigation Database' };
    await story.ask(story.operator, 'importRegistry', { body });
    const members: Record<string, StoryMember> = {};
    for (const [name, joining] of Object.entries(OTHERS)) members[name] = await story.join(joining);
    const carriers: Record<string, StoryCarrier> = {};
    for (const [name, { providerId, name: businessName, spc }] of Object.entries(STORY_PROVIDERS)) {
      const of = name as StoryName;
      const office = { zone: 'America/New_York', spcs: [spc] };
      await story.ask(story.operator, 'setProviderOffice', { parameters: { providerId }, body: office });
      const member = await story.join({ kind: 'carrier', organizationId: providerId, name: businessName });
      const sharing = shares?.[of];
      const options = {
        ...WAYS_TO_TAKE_PART[of],
        ...(sharing !== undefined && { shares: sharing }),
        ...{ member, directory: join(directory, name) },
      };
      const carrier = await openStoryCarrier(story, of, options);
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
