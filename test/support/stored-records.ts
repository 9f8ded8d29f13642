import { createHash } from 'node:crypto';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { PassportEvidence, VerdictEvidence } from '../../sdk/src/core/verdict-evidence.js';
import { recordIdOf } from '../../sdk/src/records/record-id.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';

/** 2026-11-02T12:00:00Z, microseconds. */
export const NOON_US: number = Date.UTC(2026, 10, 2, 12, 0, 0) * 1_000;

/** Trunks of the sample carrier, and the providers behind them. */
export const SAMPLE_TRUNKS = 48;

/** SHA-256 of a text as hexadecimal digits: noise that is the same in every run, and as hard to compress as what it stands for. */
function noise(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function uuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** One of the 100 numbers of each area code that are set aside for fiction. */
function sampleNumber(seed: number): string {
  const areaCode = 201 + ((seed * 7) % 780);
  return `1${areaCode}55501${String(seed % 100).padStart(2, '0')}`;
}

/**
 * A transit call with a verified SHAKEN PASSporT, as a carrier's switch and our verification service write it down: some 1,900 octets
 * of JSON, with every identifier as random as in life.
 * @param index - which; the same index makes the same call
 * @param inviteAtUs - when it began
 */
export function sampleRecord(index: number, inviteAtUs: number): CallRecord {
  const seed = noise(`call ${index}`);
  const other = noise(`leg ${index}`);
  const calling = sampleNumber(Number.parseInt(seed.slice(0, 8), 16));
  const called = sampleNumber(Number.parseInt(seed.slice(8, 16), 16));
  const upstream = Number.parseInt(seed.slice(16, 20), 16) % SAMPLE_TRUNKS;
  const downstream = Number.parseInt(seed.slice(20, 24), 16) % SAMPLE_TRUNKS;
  const isAnswered = index % 3 === 0;
  const ringsUs = 1_000 * (Number.parseInt(seed.slice(24, 28), 16) % 30_000);
  const talksUs = 1_000 * (Number.parseInt(seed.slice(28, 32), 16) * 2);
  const callId = `${seed.slice(32, 64)}@198.51.100.${upstream}`;
  const origId = uuid(other);
  const iatSeconds = Math.floor(inviteAtUs / 1_000_000) - (index % 2);
  const evidence = sampleEvidence({ index, calling, called, origId, iatSeconds, upstream, inviteAtUs });
  return sparseRecord(callId, inviteAtUs, {
    source: { id: 'sbc-1', format: 'ribbon-act', readerVersion: 1, sha256: noise(`row ${index}`) },
    ...(isAnswered ? { answeredAtUs: inviteAtUs + ringsUs } : {}),
    endedAtUs: inviteAtUs + ringsUs + (isAnswered ? talksUs : 0),
    time: { written: 'utc', resolutionUs: 1_000 },
    calling: { asWritten: `+${calling}`, tn: calling },
    called: { asWritten: `+${called}`, tn: called },
    ingress: {
      trunk: `TG-IN-${upstream}`,
      provider: `upstream-${upstream}`,
      address: `198.51.100.${upstream}:5060`,
      callId,
    },
    egress: {
      trunk: `TG-OUT-${downstream}`,
      provider: `downstream-${downstream}`,
      address: `203.0.113.${downstream}:5060`,
      callId: `${other.slice(32, 64)}@192.0.2.10`,
    },
    disposition: isAnswered ? 'answered' : 'no-answer',
    release: isAnswered
      ? { sipStatus: 200, q850Cause: 16, cause: 'NORMAL_CLEARING', party: 'calling' }
      : { sipStatus: 487, q850Cause: 19, cause: 'NO_ANSWER', party: 'network' },
    received: {
      verstat: 'TN-Validation-Passed',
      attestation: index % 5 === 0 ? 'B' : 'A',
      origId,
      iatSeconds,
      spc: `${700 + upstream}J`,
      evidence,
    },
  });
}

interface EvidenceParts {
  readonly index: number;
  readonly calling: string;
  readonly called: string;
  readonly origId: string;
  readonly iatSeconds: number;
  readonly upstream: number;
  readonly inviteAtUs: number;
}

const PASSED_STEPS = 'header-syntax passport-syntax freshness orig dest certificate chain signature'.split(' ');

function sampleEvidence(parts: EvidenceParts): VerdictEvidence {
  const { index, calling, called, origId, iatSeconds, upstream, inviteAtUs } = parts;
  const signingInputSha256 = noise(`passport ${index}`);
  const passport: PassportEvidence = {
    index: 0,
    ppt: 'shaken',
    status: 'passed',
    signingInputSha256,
    x5u: `https://certificates.example.com/${upstream}/shaken.pem`,
    certificateSha256: noise(`certificate ${upstream}`),
    trustAnchorSha256: noise(`anchor ${upstream % 4}`),
    spc: `${700 + upstream}J`,
    orig: calling,
    dest: [called],
    iatSeconds,
    attestation: index % 5 === 0 ? 'B' : 'A',
    origId,
    passed: PASSED_STEPS,
    exceptions: [],
  };
  return {
    format: 'hopback.verdict-evidence.1',
    checkedAtMs: Math.floor(inviteAtUs / 1_000) + 2 + (index % 7),
    profile: 'shaken',
    freshnessSeconds: 60,
    trustStore: noise('trust store').slice(0, 32),
    verstat: 'TN-Validation-Passed',
    request: { orig: calling, origSource: 'p-asserted-identity', dest: called, destSource: 'to', target: called },
    passports: [passport],
    callKey: signingInputSha256,
    seenCount: 1,
    firstSeenMs: Math.floor(inviteAtUs / 1_000) + 2 + (index % 7),
  };
}

/**
 * A call of which little is known, for claims about one field: the rest is what `parts` says.
 * @param legId - names it
 */
export function sparseRecord(legId: string, inviteAtUs: number, parts: Partial<CallRecord> = {}): CallRecord {
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: 'sbc-1', legId, inviteAtUs }),
    source: { id: 'sbc-1', format: 'asterisk-cdr', readerVersion: 1, sha256: noise(legId) },
    legId,
    callGroupId: legId,
    inviteAtUs,
    time: { written: 'utc', resolutionUs: 1_000_000 },
    ingress: {},
    egress: {},
    disposition: 'no-answer',
    ...parts,
  };
}

/** Callers of `insert`, and records each hands in at a time: a reader that follows files, a listener. */
export const CALLERS = 32;
export const CALL_RECORDS = 500;

/** Stores records by many callers at once. @throws Error where one of them is there already */
export async function storedByCallers(store: RecordStore, records: readonly CallRecord[]): Promise<void> {
  let next = 0;
  let inserted = 0;
  const caller = async (): Promise<void> => {
    while (next < records.length) {
      const from = next;
      next += CALL_RECORDS;
      const result = await store.insert(records.slice(from, from + CALL_RECORDS));
      inserted += result.inserted;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  if (inserted !== records.length) throw new Error(`${inserted} of ${records.length} records were new`);
}
