import { relative } from 'node:path';
import { HARNESS_VERSION } from '../../version.js';
import { DEFAULT_PROFILE } from '../api/profile.js';
import { isReadableOnTheWay } from './settings.js';
import type { PlatformSettings } from './settings.js';

/** A platform that has just begun to listen. */
export interface StartedPlatform {
  readonly url: string;
  readonly profile: string;
  readonly keys: string;
  readonly startedInMs: number;
  /** What the operator has to know: `audit: broken at 57`. */
  readonly warnings?: readonly string[];
}

/** A path as a person would type it here. */
export function shownPath(path: string, here: string): string {
  const from = relative(here, path);
  return from === '' ? '.' : from.startsWith('..') ? path : from;
}

/** What a person reads when the platform has begun to listen. */
export function startLines(
  settings: PlatformSettings,
  { url, profile, keys, startedInMs, warnings = [] }: StartedPlatform,
  here: string,
): readonly string[] {
  const shownProfile = shownPath(profile, here);
  const by = shownProfile === DEFAULT_PROFILE ? '' : ` --profile ${shownProfile}`;
  const database = settings.databaseUrl === undefined ? 'the embedded database' : 'PostgreSQL';
  return [
    `Hopback reference platform ${HARNESS_VERSION}, up in ${(startedInMs / 1_000).toFixed(1)} s`,
    '',
    `  listens at  ${url}`,
    `  data in     ${shownPath(settings.directory, here)}, ${database}`,
    `  keys in     ${shownPath(keys, here)}: a backup of them belongs elsewhere than one of the data,`,
    '              which nobody can read without them',
    `  operator    ${shownProfile}`,
    ...(isReadableOnTheWay(settings)
      ? [
          '',
          `! Others than this machine reach it, and without TLS what they send can be read: --tls-cert and --tls-key.`,
        ]
      : []),
    ...warnings.flatMap((warning) => ['', `! ${warning}`]),
    '',
    'In another terminal:',
    '',
    `  hopback-harness campaigns list${by}`,
    `  hopback-harness organizations list${by}`,
    '  hopback-harness api --help',
    '',
    'It is no product of the Industry Traceback Group, and nothing that it says is legal advice.',
    'Ctrl-C ends it when what is being worked on is done; a second one ends it at once.',
  ];
}
