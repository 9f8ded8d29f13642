import { BlockList, isIPv6 } from 'node:net';
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

/**
 * @param trunks - by name; an address that is in networks of several belongs to the one with the longest prefix
 */
export function trunkTable(trunks: Readonly<Record<string, TrunkConfiguration>>): TrunkTable {
  const byName = new Map(Object.entries(trunks));
  const places = [...byName].flatMap(([name, { addresses }]) => addresses.map((address) => ({ name, address })));
  const byAddress = new Map(places.map(({ name, address }) => [address, name]));
  const networks = places
    .filter(({ address }) => address.includes('/'))
    .map(({ name, address }) => networkOf(name, address))
    .toSorted((left, right) => right.prefix - left.prefix);
  return {
    find({ name, address = '' }) {
      const known = name !== undefined && byName.has(name) ? name : byAddress.get(address);
      const found = known ?? networks.find(({ has }) => has(address))?.name;
      const policy = byName.get(found ?? 'default');
      return { ...(found !== undefined && { name: found }), ...(policy !== undefined && { policy }) };
    },
  };
}

interface Network {
  readonly name: string;
  readonly prefix: number;
  readonly has: (address: string) => boolean;
}

/** A network as the schema lets it through. */
function networkOf(name: string, text: string): Network {
  const [network = '', length = ''] = text.split('/');
  const prefix = Number(length);
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return { name, prefix, has: (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') };
}
