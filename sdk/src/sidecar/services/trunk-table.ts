import type { TrunkPolicy } from '../../switch/index.js';
import type { TrunkConfiguration } from '../config/configuration.js';

/** Finds the trunk of a call. */
export interface TrunkTable {
  /**
   * @param call - the name that the switch gives, or the address that the call came from
   * @returns its name and policy; those of `default`, or of nothing, where it is no other
   */
  readonly find: (call: { readonly name?: string | undefined; readonly address?: string | undefined }) => {
    readonly name?: string;
    readonly policy?: TrunkPolicy;
  };
}

/** @param trunks - by name */
export function trunkTable(trunks: Readonly<Record<string, TrunkConfiguration>>): TrunkTable {
  const byName = new Map(Object.entries(trunks));
  const byAddress = new Map(
    [...byName].flatMap(([name, { addresses }]) => addresses.map((address) => [address, name] as const)),
  );
  return {
    find({ name, address }) {
      const found = name !== undefined && byName.has(name) ? name : byAddress.get(address ?? '');
      const policy = byName.get(found ?? 'default');
      return { ...(found !== undefined && { name: found }), ...(policy !== undefined && { policy }) };
    },
  };
}
