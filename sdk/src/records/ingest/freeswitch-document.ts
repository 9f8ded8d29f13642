import { decodePercent } from '../../core/sip-uri.js';

/** A document of `mod_json_cdr`: one leg with all its channel variables. */
export interface FreeswitchDocument {
  /** A channel variable, decoded; empty where there is none. */
  readonly variable: (name: string) => string;
  /** Who called whom when the leg came in, before the dialplan changed it. */
  readonly profile: FreeswitchProfile;
  /** Of a leg that another one made: that other leg. */
  readonly originator: FreeswitchProfile | undefined;
  /** Of a leg that made others: the one that it was last connected with. */
  readonly originatee: FreeswitchProfile | undefined;
  readonly times: FreeswitchTimes;
}

/** What a caller profile says; members are empty where it says nothing. */
export interface FreeswitchProfile {
  readonly callerIdNumber: string;
  readonly destinationNumber: string;
  readonly networkAddress: string;
  readonly uuid: string;
}

/** Microseconds since the epoch as text, `0` for what never happened. */
export interface FreeswitchTimes {
  readonly created: string;
  readonly answered: string;
  readonly hangup: string;
}

/** A leg with SDP of both sides, hundreds of variables and its applications has some 60 KiB. */
export const MAX_DOCUMENT_CHARS = 1_048_576;

/** Profiles of one leg that are looked at: one for each transfer within the switch. */
const MAX_PROFILES = 64;

/** No value that a record takes is longer; an Identity header is the longest. */
const MAX_VALUE_CHARS = 16_384;

/**
 * Reads a document of `mod_json_cdr`. Values of variables are percent-encoded unless `encode-values` is off; both are read.
 * Never throws.
 * @returns undefined where the text is no JSON object with `variables`
 * @see https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653131/
 */
export function freeswitchDocument(text: string): FreeswitchDocument | undefined {
  const document = objectOf(parsed(text));
  const variables = objectOf(document?.['variables']);
  if (document === undefined || variables === undefined) return undefined;
  const flow = Array.isArray(document['callflow']) ? document['callflow'].slice(0, MAX_PROFILES) : [];
  const flows = flow.map(objectOf).filter((entry) => entry !== undefined);
  // The newest profile is written first: the last is the call as it came in.
  const first = flows.at(-1);
  const profile = objectOf(first?.['caller_profile']);
  const times = objectOf(first?.['times']);
  const latestTimes = objectOf(flows[0]?.['times']);
  return {
    variable: (name) => variableOf(variables, name),
    profile: profileOf(profile),
    originator: linkedProfile(flows, 'originator'),
    originatee: linkedProfile(flows, 'originatee'),
    times: {
      created: textOf(times, 'created_time'),
      answered: textOf(latestTimes, 'answered_time'),
      hangup: textOf(latestTimes, 'hangup_time'),
    },
  };
}

/**
 * The values of a variable that may have several: FreeSWITCH writes a header that comes more than once as `ARRAY::a|:b`. Never throws.
 */
export function severalValues(value: string): readonly string[] {
  if (value === '') return [];
  return value.startsWith(ARRAY) ? value.slice(ARRAY.length).split('|:', MAX_PROFILES) : [value];
}

const ARRAY = 'ARRAY::';

type Members = Readonly<Record<string, unknown>>;

function parsed(text: string): unknown {
  if (text.length > MAX_DOCUMENT_CHARS) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

function textOf(members: Members | undefined, name: string): string {
  const value = members?.[name];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value.slice(0, MAX_VALUE_CHARS) : '';
}

function variableOf(variables: Members, name: string): string {
  const value = textOf(variables, name);
  return decodePercent(value) ?? value;
}

function profileOf(profile: Members | undefined): FreeswitchProfile {
  return {
    callerIdNumber: textOf(profile, 'caller_id_number'),
    destinationNumber: textOf(profile, 'destination_number'),
    networkAddress: textOf(profile, 'network_addr'),
    uuid: textOf(profile, 'uuid'),
  };
}

/** `caller_profile.originator.originator_caller_profiles[]`, and the same with `originatee`, of the newest profile that has one. */
function linkedProfile(flows: readonly Members[], kind: 'originator' | 'originatee'): FreeswitchProfile | undefined {
  for (const flow of flows) {
    const list = objectOf(objectOf(flow['caller_profile'])?.[kind])?.[`${kind}_caller_profiles`];
    const linked = Array.isArray(list) ? objectOf(list[0]) : undefined;
    if (linked !== undefined) return profileOf(linked);
  }
  return undefined;
}
