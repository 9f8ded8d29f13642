import type { ContactDetails } from '@hopback/sdk/traceback';

// Who is in the demo. Nobody of them exists: names are those of trees, addresses end in .example, and numbers are the ones that are kept for
// fiction, 555-01XX.

/** A provider of the demo. */
export interface DemoProvider {
  /** Word of its profile and mail address. */
  readonly word: string;
  readonly providerId: string;
  readonly name: string;
  readonly role: 'serves-subscribers' | 'intermediate' | 'gateway' | 'abroad';
  /** IANA name of the zone of its office. */
  readonly zone: string;
  readonly spc?: string;
  readonly frn: string;
  /** Area code and exchange of the subscribers whose calls it streams. */
  readonly exchange?: string;
  /** Whether it has a client, and so can be asked. */
  readonly isMember: boolean;
  /** Whether it was removed from the Robocall Mitigation Database. */
  readonly isRemoved?: boolean;
}

type Given = Omit<DemoProvider, 'providerId' | 'frn' | 'isMember'> & Partial<DemoProvider>;

const listed: readonly Given[] = [
  {
    ...{ word: 'alder', name: 'Alder Telephone Cooperative', role: 'serves-subscribers', zone: 'America/Chicago' },
    ...{ spc: '901J', exchange: '512555' },
  },
  {
    ...{ word: 'birch', name: 'Birch Valley Wireless', role: 'serves-subscribers', zone: 'America/New_York' },
    ...{ spc: '902J', exchange: '614555' },
  },
  {
    ...{ word: 'cedar', name: 'Cedar Cable Voice', role: 'serves-subscribers', zone: 'America/Denver' },
    ...{ spc: '903J', exchange: '303555' },
  },
  { word: 'dogwood', name: 'Dogwood Tandem Services', role: 'intermediate', zone: 'America/Chicago', spc: '904J' },
  { word: 'elm', name: 'Elm Wholesale Voice', role: 'intermediate', zone: 'America/New_York', spc: '905J' },
  { word: 'fir', name: 'Fir International Gateway', role: 'gateway', zone: 'America/New_York', spc: '906J' },
  { word: 'gum', name: 'Gum Hosted Telephony', role: 'serves-subscribers', zone: 'America/Los_Angeles', spc: '907J' },
  { word: 'hazel', name: 'Hazel Long Distance', role: 'intermediate', zone: 'America/New_York', spc: '908J' },
  { word: 'ivy', name: 'Ivy Mobile', role: 'serves-subscribers', zone: 'America/Los_Angeles', spc: '909J' },
  { word: 'juniper', name: 'Juniper Dialing', role: 'serves-subscribers', zone: 'America/New_York', spc: '910J' },
  { word: 'kauri', name: 'Kauri Voice Limited', role: 'abroad', zone: 'Pacific/Auckland', isMember: false },
  {
    ...{ word: 'larch', name: 'Larch Communications', role: 'intermediate', zone: 'America/New_York', spc: '912J' },
    ...{ isMember: false, isRemoved: true },
  },
];

/** All providers of the demo. */
export const DEMO_PROVIDERS: readonly DemoProvider[] = listed.map((given, at) => ({
  isMember: true,
  providerId: `prv-${given.word}`,
  frn: `00990000${String(at + 1).padStart(2, '0')}`,
  ...given,
}));

const byWord = new Map(DEMO_PROVIDERS.map((provider) => [provider.word, provider]));

/** A provider by its word. */
export function demoProvider(word: string): DemoProvider {
  const found = byWord.get(word);
  if (found === undefined) throw new TypeError(`the demo has no ${word}`);
  return found;
}

/** How a way of a call ends, where the last provider on it is asked. */
export type WayEnd =
  | { readonly says: 'origin'; readonly customer: ContactDetails; readonly knowYourCustomer: string }
  | { readonly says: 'point-of-entry'; readonly upstream: ContactDetails }
  | { readonly says: 'refused'; readonly reason: string }
  /** It does not answer. */
  | { readonly says: 'nothing' };

/** A way that calls take: words of the providers, the one that serves the subscriber first. */
export interface DemoWay {
  readonly providers: readonly string[];
  readonly end: WayEnd;
  /** Who signed, by its word, and with what. */
  readonly signed?: { readonly by: string; readonly attestation: 'A' | 'B' | 'C' };
}

/** Ways of the planted campaign. */
export const CAMPAIGN_WAYS: readonly DemoWay[] = [
  {
    providers: ['alder', 'dogwood', 'elm', 'fir'],
    end: {
      says: 'point-of-entry',
      upstream: { name: 'Kauri Voice Limited', email: 'noc@kauri.example', country: 'NZ' },
    },
    signed: { by: 'fir', attestation: 'C' },
  },
  {
    providers: ['birch', 'dogwood', 'gum'],
    end: {
      says: 'origin',
      customer: { name: 'Brightline Outreach LLC', email: 'accounts@brightline.example', country: 'US' },
      knowYourCustomer: 'Paid in advance by card; articles of organization seen; no call plan asked for.',
    },
    signed: { by: 'gum', attestation: 'B' },
  },
  { providers: ['cedar', 'hazel'], end: { says: 'nothing' } },
  {
    providers: ['ivy', 'juniper'],
    end: { says: 'refused', reason: 'Counsel has to look at the request first.' },
    signed: { by: 'juniper', attestation: 'B' },
  },
];

/** An organization beside providers, with one client. */
export interface DemoOrganization {
  readonly word: string;
  readonly organizationId: string;
  readonly kind: 'app' | 'agency';
  readonly name: string;
  readonly jurisdiction?: string;
}

export const DEMO_APP: DemoOrganization = {
  ...{ word: 'call-guard', organizationId: 'app-call-guard', kind: 'app', name: 'Call Guard' },
};

export const DEMO_AGENCIES: readonly DemoOrganization[] = [
  {
    ...{ word: 'texas', organizationId: 'ag-texas', kind: 'agency', jurisdiction: 'US-TX' },
    name: 'Example Attorney General of Texas',
  },
  {
    ...{ word: 'ohio', organizationId: 'ag-ohio', kind: 'agency', jurisdiction: 'US-OH' },
    name: 'Example Attorney General of Ohio',
  },
];

/** A reviewer of the traceback group, beside its first operator. */
export const DEMO_REVIEWER = { word: 'reviewer', organizationId: 'itg', name: 'Demo reviewer' } as const;
