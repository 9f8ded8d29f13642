import { sampleCallRecord } from '../../sdk/src/testing/index.js';
import type { CallRecord } from '../../sdk/src/records/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';

/** Providers of the story, as the registry has them after their filings were imported. */
export const STORY_PROVIDERS = {
  alder: { providerId: 'prv-0000000101', frn: '0000000101', name: 'Alder Telephone Company', spc: '101A' },
  birch: { providerId: 'prv-0000000202', frn: '0000000202', name: 'Birch Carrier Services Inc.', spc: '202B' },
  cedar: { providerId: 'prv-0000000303', frn: '0000000303', name: 'Cedar Wholesale LLC', spc: '303C' },
  dune: { providerId: 'prv-0000000404', frn: '0000000404', name: 'Dune Voice LLC', spc: '404D' },
  flint: { providerId: 'prv-0000000606', frn: '0000000606', name: 'Flint Communications Inc.', spc: '606F' },
  grove: { providerId: 'prv-0000000707', frn: '0000000707', name: 'Grove Voice Services LLC', spc: '707G' },
} as const;

/** Name of a provider in the story. */
export type StoryName = keyof typeof STORY_PROVIDERS;

/** Who carried a call, from whoever delivered it back to where it began. */
export type StoryWay = readonly StoryName[];

/** Every hop answers. */
export const ANSWERED_WAY: StoryWay = ['alder', 'birch', 'cedar', 'dune'];
/** Flint is silent; Grove, behind it, is not. */
export const SILENT_WAY: StoryWay = ['alder', 'birch', 'flint', 'grove', 'dune'];

/** A call of somebody whom Birch serves. */
export const ORDINARY_WAY: StoryWay = ['alder', 'birch'];

/** Trunk of the customer with whom the calls of the campaign begin, and what Dune calls him. */
export const STORY_CUSTOMER = { trunk: 'pbx-4417', customerId: 'C-4417', name: 'Lone Star Lead Partners LLC' };

/** A call of the story. */
export interface StoryCall {
  readonly index: number;
  readonly way: StoryWay;
  readonly called: string;
  readonly calling: string;
  readonly atMs: number;
}

/** Milliseconds between a provider's INVITE and that of the one behind it. */
const HOP_MS = 120;
const ANSWERED_AFTER_MS = 4_000;
/** Calls of a campaign end when people hang up; others are conversations. */
const HEARD_MS = 9_000;
const TALKED_MS = 210_000;

/** The record of a call that one of its providers has; undefined where the call did not come by. */
export function storyRecord(call: StoryCall, at: StoryName): CallRecord | undefined {
  const { way, index, atMs } = call;
  const hop = way.indexOf(at);
  if (hop < 0) return undefined;
  const [down, up] = [way[hop - 1], way[hop + 1]];
  const callIdOf = (link: number): string => `story-${String(index)}-${String(link)}@hop.example`;
  const inviteAtUs = (atMs - HOP_MS * hop) * 1_000;
  return sampleCallRecord({
    ...{ inviteAtUs, legId: `${at}-${String(index)}` },
    calling: { asWritten: call.calling, tn: call.calling },
    called: { asWritten: call.called, tn: call.called },
    ingress:
      up === undefined
        ? { trunk: STORY_CUSTOMER.trunk }
        : { trunk: `from-${up}`, provider: STORY_PROVIDERS[up].name, callId: callIdOf(hop + 1) },
    egress:
      down === undefined
        ? { trunk: 'subscribers' }
        : { trunk: `to-${down}`, provider: STORY_PROVIDERS[down].name, callId: callIdOf(hop) },
    ...(up === undefined && { customerId: STORY_CUSTOMER.customerId }),
    received: receivedOf(way),
    answeredAtUs: inviteAtUs + ANSWERED_AFTER_MS * 1_000,
    endedAtUs: inviteAtUs + (ANSWERED_AFTER_MS + (way === ORDINARY_WAY ? TALKED_MS : HEARD_MS)) * 1_000,
  });
}

/** Dune signs in full what it knows its customer of; what it hands to Grove unsigned, Grove signs in part. */
function receivedOf(way: StoryWay): NonNullable<CallRecord['received']> {
  const verstat = 'TN-Validation-Passed';
  if (way === ORDINARY_WAY) return { verstat, attestation: 'A', spc: STORY_PROVIDERS.birch.spc };
  return way === SILENT_WAY
    ? { verstat, attestation: 'B', spc: STORY_PROVIDERS.grove.spc }
    : { verstat, attestation: 'A', spc: STORY_PROVIDERS.dune.spc };
}

/** Who is at the other end of the trunks of a provider, as `readTrunkDirectory` reads it. */
export function storyTrunks(of: StoryName): unknown {
  const trunks = new Map<string, unknown>();
  for (const way of [ANSWERED_WAY, SILENT_WAY]) {
    const hop = way.indexOf(of);
    if (hop < 0) continue;
    const [down, up] = [way[hop - 1], way[hop + 1]];
    const entry = (trunk: string, name: StoryName) =>
      trunks.set(trunk, {
        trunk,
        provider: { providerId: STORY_PROVIDERS[name].providerId, name: STORY_PROVIDERS[name].name },
      });
    if (down === undefined) trunks.set('subscribers', { trunk: 'subscribers', customer: {} });
    else entry(`to-${down}`, down);
    if (up === undefined) {
      const { trunk, customerId } = STORY_CUSTOMER;
      trunks.set(trunk, { trunk, customer: { customerId } });
    } else entry(`from-${up}`, up);
  }
  return { directoryId: `${of}-trunks-1`, trunks: [...trunks.values()] };
}

/** What an application heard of a call, and says of it. */
export function storyReport(call: StoryCall, transcript: string): AppReport {
  return {
    ...{ format: 'hopback.app-report.1', reportId: `report-${String(call.index)}`, app: { name: 'Call guard' } },
    calledAt: new Date(call.atMs + 1_000).toISOString(),
    called: { shown: 'number', tn: call.called },
    ...{ calling: call.calling, servedBy: STORY_PROVIDERS.alder.name },
    ...{ action: 'answered-by-app', reason: 'content', durationSeconds: 9 },
    transcript: { text: transcript, language: 'en' },
  };
}

/** Filings of all of them, in the layout of the Robocall Mitigation Database. */
export function storyFilings(officeTelephone = '+1 202 555 0100'): string {
  const head =
    'business_name,frn,foreign_voice_service_provider,implementation,voice_service_provider,gateway_provider,non_gateway_intermediate_provider,robocall_mitigation_contact_name,robocall_mitigation_contact_telephone_number,last_updated';
  const lines = Object.values(STORY_PROVIDERS).map(({ name, frn }) =>
    [
      ...[`"${name}"`, frn, 'No', 'Complete STIR/SHAKEN Implementation', 'Yes', 'No', 'No'],
      ...['Traceback desk', officeTelephone, '2026-09-14 10:11:12'],
    ].join(','),
  );
  return [head, ...lines, ''].join('\r\n');
}
