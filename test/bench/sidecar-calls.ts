import { writeFile } from 'node:fs/promises';
import type { SidecarFolder } from '../support/sidecar-folder.js';
import { signCall } from './signed-calls.js';

/** Calls signed beforehand, as lines of a file: Identity, calling and called number, tabs between. */
export interface CallFile {
  readonly path: string;
  readonly count: number;
  /** Where so many lines begin that nobody has had for as long as there are others; `who` has a turn of its own. */
  readonly slice: (who: string, count: number) => CallSlice;
}

/** Some of the lines, one after the other. */
export interface CallSlice {
  readonly path: string;
  /** Octets before the first one. */
  readonly offset: number;
  readonly count: number;
}

/** Signs calls of now. @returns the file, in the folder of the lab */
export async function writeCalls(lab: SidecarFolder, count: number): Promise<CallFile> {
  const iatSeconds = Math.floor(Date.now() / 1000);
  const path = lab.path('calls.tsv');
  const offsets: number[] = [];
  const lines: string[] = [];
  let octets = 0;
  for (let index = 0; index < count; index += 1) {
    const signer = lab.providers[index % lab.providers.length] ?? lab.providers[0];
    const { identity, from, to } = signCall(signer, index, iatSeconds).request;
    const line = `${identity}\t${numberOf(from)}\t${numberOf(to)}\n`;
    offsets.push(octets);
    octets += line.length;
    lines.push(line);
  }
  await writeFile(path, lines.join(''), 'latin1');
  const next = new Map<string, number>();
  return {
    ...{ path, count },
    slice(who, wanted) {
      const begin = next.get(who) ?? 0;
      const from = begin + wanted > count ? 0 : begin;
      next.set(who, from + wanted);
      return { path, offset: offsets[from] ?? 0, count: Math.min(wanted, count) };
    },
  };
}

const numberOf = (address: string): string => /sip:[+](\d+)@/.exec(address)?.[1] ?? '';
