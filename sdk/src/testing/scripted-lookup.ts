import type { LookupAddress, LookupOptions } from 'node:dns';

/** What `dns.lookup` calls back with. */
export type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** The shape of `dns.lookup`. */
export type LookupFunction = (hostname: string, options: LookupOptions, callback: LookupCallback) => void;

/** A resolver in the shape of `dns.lookup`, for the `lookup` option of sockets. */
export interface ScriptedLookup extends LookupFunction {
  /** How often a name was asked for. */
  readonly queries: (hostname: string) => number;
}

/** Answers for one name: addresses, or an error code such as `ENOTFOUND`. */
export type LookupAnswer = readonly string[] | { readonly errorCode: string };

/**
 * A resolver that answers from a script: the n-th query for a name gets the n-th answer, the last one repeats, so that a
 * name can turn from a public address into a loopback one between two look-ups (DNS rebinding). Unknown names: ENOTFOUND.
 * Never throws: errors are called back with, as by `dns.lookup`.
 * @param script - answers by host name
 * @returns the resolver, which counts what it is asked for
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
export function createScriptedLookup(script: Readonly<Record<string, readonly LookupAnswer[]>>): ScriptedLookup {
  const counts = new Map<string, number>();
  const lookup: LookupFunction = (hostname, options, callback) => {
    const count = counts.get(hostname) ?? 0;
    counts.set(hostname, count + 1);
    const answers = Object.hasOwn(script, hostname) ? (script[hostname] ?? []) : [];
    const answer = answers[Math.min(count, answers.length - 1)] ?? { errorCode: 'ENOTFOUND' };
    // As dns.lookup does, never before the caller has returned.
    process.nextTick(() => respond(answer, options, callback));
  };
  return Object.assign(lookup, { queries: (hostname: string) => counts.get(hostname) ?? 0 });
}

function respond(answer: LookupAnswer, options: LookupOptions, callback: LookupCallback): void {
  if ('errorCode' in answer) {
    callback(Object.assign(new Error(`scripted ${answer.errorCode}`), { code: answer.errorCode }), '', 0);
    return;
  }
  const addresses = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  if (options.all === true) callback(null, addresses);
  else callback(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4);
}
