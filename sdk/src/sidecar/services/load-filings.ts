import { stat } from 'node:fs/promises';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { createFilingDirectory } from '../../switch/index.js';
import type { FilingDirectory } from '../../switch/index.js';
import type { SidecarConfiguration } from '../config/configuration.js';
import { readTextFile } from './files.js';
import type { OnNotice } from './notice.js';

/** The filings of upstream providers, as long as trunks and file stay what they are. */
export interface FilingsPart {
  readonly directory: FilingDirectory;
  /** What trunks say of their filings. */
  readonly trunks: string;
  /** When the file was handed out, milliseconds since the epoch: its own time. */
  readonly listedAtMs: number;
}

/**
 * Loads a file of filings. One that cannot be the whole database leaves the last one in its place, and is told.
 * @param path - absolute
 * @param options - trunks, time, what was loaded before
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `invalid-configuration` when it is the first and cannot be used
 */
export async function loadFilings(
  path: string,
  options: {
    readonly trunks: SidecarConfiguration['trunks'];
    readonly clock: Clock;
    readonly before: FilingsPart | undefined;
    readonly onNotice: OnNotice;
  },
): Promise<FilingsPart> {
  const { clock, before, onNotice } = options;
  const references = Object.fromEntries(
    Object.entries(options.trunks).flatMap(([name, { filing }]) => (filing === undefined ? [] : [[name, filing]])),
  );
  const trunks = JSON.stringify(references);
  const listedAtMs = await stat(path).then(
    ({ mtimeMs }) => Math.floor(mtimeMs),
    (cause: unknown) => {
      throw new HopbackError('storage-failed', `${path} cannot be read`, { cause, retryable: true });
    },
  );
  if (before?.trunks === trunks && before.listedAtMs === listedAtMs) return before;
  const directory = before?.trunks === trunks ? before.directory : createFilingDirectory({ trunks: references, clock });
  const loaded = directory.load(await readTextFile(path), { listedAtMs });
  if (loaded.status === 'loaded') return { directory, trunks, listedAtMs };
  const text = `${path} is not taken for the Robocall Mitigation Database: ${loaded.reason}`;
  if (before === undefined) throw new HopbackError('invalid-configuration', text);
  onNotice({ level: 'warn', part: 'filings', text });
  return before;
}
