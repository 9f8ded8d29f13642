import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import type { CallRecord } from '../contract/call-record.js';
import { WIRE_EXAMPLES } from '../platform/index.js';
import { recordIdOf } from '../records/index.js';
import { TEST_PROVIDERS } from './platform/registered-clients.js';

/** Microseconds since the epoch: within the minute that the examples ask about. */
const INVITE_AT_US: number = Date.UTC(2026, 9, 23, 19, 41, 7) * 1_000;

/**
 * Who is at the other end of the trunks of `prv-birch`, the second of {@link TEST_PROVIDERS}, as `readTrunkDirectory` reads it: the calls
 * of {@link sampleCallRecord} come in from `prv-cedar` and go out to `prv-alder`.
 */
export const TEST_TRUNKS: {
  readonly directoryId: string;
  readonly trunks: readonly {
    readonly trunk: string;
    readonly provider: { readonly providerId: string; readonly name: string };
  }[];
} = {
  directoryId: 'test-trunks-1',
  trunks: [trunkOf('alder-dc-2', 'prv-alder'), trunkOf('cedar-ny-1', 'prv-cedar')],
};

function trunkOf(trunk: string, providerId: string): (typeof TEST_TRUNKS)['trunks'][number] {
  const name = TEST_PROVIDERS.find((provider) => provider.providerId === providerId)?.name ?? providerId;
  return { trunk, provider: { providerId, name } };
}

/**
 * The record of the call that {@link WIRE_EXAMPLES} and tracebacks of a test platform ask about, as `prv-birch` has it: answered, in from
 * one trunk of {@link TEST_TRUNKS} and out by the other. Checks nothing, and never throws.
 * @param parts - what is to be otherwise
 * @returns the record, of the source `sbc-1`
 * @see {@link TestPlatform}
 * @example
 * ```ts
 * const { ingress, egress, called } = sampleCallRecord();
 * console.log(ingress.trunk, egress.trunk, called?.tn); // cedar-ny-1 alder-dc-2 12025550143
 * ```
 */
export function sampleCallRecord(parts: Partial<CallRecord> = {}): CallRecord {
  const { inviteAtUs = INVITE_AT_US, legId = 'leg-1' } = parts;
  const { called = '', calling = '' } = WIRE_EXAMPLES.TracebackRequest[0].value.call;
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: 'sbc-1', legId, inviteAtUs }),
    source: {
      id: 'sbc-1',
      format: 'asterisk-cdr',
      readerVersion: 1,
      sha256: createHash('sha256').update(`${legId} ${inviteAtUs}`).digest('hex'),
    },
    legId,
    callGroupId: legId,
    inviteAtUs,
    time: { written: 'utc', resolutionUs: 1_000_000 },
    calling: numberOf(calling),
    called: numberOf(called),
    ingress: { trunk: 'cedar-ny-1', address: '198.51.100.7:5060', callId: `${legId}@198.51.100.7` },
    egress: { trunk: 'alder-dc-2', address: '192.0.2.9:5060', callId: `${legId}@192.0.2.1` },
    disposition: 'answered',
    answeredAtUs: inviteAtUs + 6_000_000,
    endedAtUs: inviteAtUs + 51_000_000,
    release: { sipStatus: 200, q850Cause: 16, party: 'called' },
    ...parts,
  };
}

/** As a switch writes it: canonical, whatever whoever asks wrote. */
function numberOf(written: string): NonNullable<CallRecord['calling']> & NonNullable<CallRecord['called']> {
  const digits = written.replaceAll(/\D/g, '');
  const tn = digits.length === 10 ? `1${digits}` : digits;
  return { asWritten: tn, tn };
}

/** Answers for one name: addresses, or an error code such as `ENOTFOUND`. */
type LookupAnswer = Parameters<typeof createScriptedLookup>[0][string][number];

/**
 * A resolver that answers from a script: the n-th query for a name gets the n-th answer, the last one repeats, so that a
 * name can turn from a public address into a loopback one between two look-ups (DNS rebinding). Unknown names: ENOTFOUND.
 * Never throws: errors are called back with, as by `dns.lookup`.
 * @param script - answers by host name
 * @returns the resolver, in the shape of `dns.lookup`, for the `lookup` option of sockets; `queries` says how often a name was asked for
 * @see RFC 8224 section 7.2 for what a verifier fetches
 * @example
 * ```ts
 * const lookup = createScriptedLookup({ 'certs.example': [['192.0.2.1'], ['127.0.0.1']] });
 * const ask = () => new Promise((resolve) => lookup('certs.example', {}, (_error, address) => resolve(address)));
 * console.log(await ask()); // 192.0.2.1
 * console.log(await ask()); // 127.0.0.1
 * console.log(lookup.queries('certs.example')); // 2
 * ```
 */
export function createScriptedLookup(
  script: Readonly<Record<string, readonly (readonly string[] | { readonly errorCode: string })[]>>,
): LookupFunction & { readonly queries: (hostname: string) => number } {
  const counts = new Map<string, number>();
  const lookup: LookupFunction = (hostname, options, callback) => {
    const count = counts.get(hostname) ?? 0;
    counts.set(hostname, count + 1);
    const answers = Object.hasOwn(script, hostname) ? (script[hostname] ?? []) : [];
    const answer = answers[Math.min(count, answers.length - 1)] ?? { errorCode: 'ENOTFOUND' };
    // As dns.lookup does, never before the caller has returned.
    process.nextTick(() => respond(answer, options.all === true, callback));
  };
  return Object.assign(lookup, { queries: (hostname: string) => counts.get(hostname) ?? 0 });
}

function respond(answer: LookupAnswer, isAll: boolean, callback: Parameters<LookupFunction>[2]): void {
  if ('errorCode' in answer) {
    callback(Object.assign(new Error(`scripted ${answer.errorCode}`), { code: answer.errorCode }), '', 0);
    return;
  }
  const addresses = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  if (isAll) callback(null, addresses);
  else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4);
}
