import { writeFile } from 'node:fs/promises';
import { createSidecarFolder, type SidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarProcess } from '../support/sidecar-process.js';
import { signCall } from './signed-calls.js';

export type CallFile = Awaited<ReturnType<typeof writeCalls>>;

/** Of calls that were signed before the load began, on both sides alike. */
export const FRESHNESS_SECONDS = 3_600;
const PROVIDERS = 8;

/** Makes a folder for sidecars and signs so many calls of now. */
export async function startCallLab(count: number, freshnessSeconds: number = FRESHNESS_SECONDS) {
  const lab = await createSidecarFolder({ count: PROVIDERS });
  await lab.configure({ verification: { freshnessSeconds } });
  return {
    lab,
    calls: await writeCalls(lab, count),
    /** Starts a sidecar that has all certificates. */
    start: async (args: readonly string[] = []): Promise<SidecarProcess> => {
      const sidecar = await lab.start({ args });
      await sidecar.heard(({ part }) => part === 'certificates');
      return sidecar;
    },
    [Symbol.asyncDispose]: (): Promise<void> => lab[Symbol.asyncDispose](),
  };
}

/** Signs calls as lines of a file of the lab: Identity, calling and called number, tabs between. */
async function writeCalls(lab: SidecarFolder, count: number) {
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
    path,
    /** So many lines that nobody has had for as long as there are others, and the octets before them; `who` has a turn of its own. */
    slice: (who: string, wanted: number) => {
      const begin = next.get(who) ?? 0;
      const from = begin + wanted > count ? 0 : begin;
      next.set(who, from + wanted);
      return { path, offset: offsets[from] ?? 0, count: Math.min(wanted, count) };
    },
  };
}

const numberOf = (address: string): string => /sip:[+](\d+)@/.exec(address)?.[1] ?? '';
