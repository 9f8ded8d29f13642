import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { MACHINE_CLOCK } from '@hopback/sdk/internal/runtime';
import { PlatformClient, privateKeyJwt } from '@hopback/sdk/platform';
import type { PlatformFetch, TimerClock } from '@hopback/sdk/platform';
import { z } from 'zod';
import { jsonOf } from '../../laboratory/index.js';

const text = z.string();

/** Who calls a platform, and where it is: a file of JSON that `hopback-harness platform` writes for its first operator. */
const PROFILE = z.object({
  /** Address in front of `/v1`. */
  baseUrl: text,
  clientId: text,
  keyId: text,
  /** PEM file of the private key, from the folder of the profile. */
  keyFile: text,
  algorithm: z.exactOptional(z.enum(['ES256', 'ES384', 'PS256', 'EdDSA'])),
  /** How far the clock of the platform is ahead of that of this machine: of a test network, in which days pass in no time. Default 0. */
  clockAheadMs: z.exactOptional(z.int()),
});
/** What a profile says. */
export type ApiProfile = Readonly<z.output<typeof PROFILE>>;

/** Where a profile is looked for where none is named. */
export const DEFAULT_PROFILE = 'hopback-platform/operator.json';
/** Variable of the environment that names a profile. */
export const PROFILE_VARIABLE = 'HOPBACK_PLATFORM_PROFILE';

/**
 * Makes the client of a profile.
 * @param onWarning - is told what the platform tells staff of itself, each once
 * @throws HopbackError `invalid-configuration` where the file or its key cannot be read, with what to do
 */
export async function clientOfProfile(
  path: string,
  onWarning: (warning: string) => void = () => undefined,
): Promise<PlatformClient> {
  const profile = readProfile(path, await contentOf(path, 'the profile'));
  const keyPath = isAbsolute(profile.keyFile) ? profile.keyFile : join(dirname(path), profile.keyFile);
  const clock = clockAhead(profile.clockAheadMs ?? 0);
  const authorization = await privateKeyJwt({
    tokenUrl: `${profile.baseUrl}/oauth/token`,
    clientId: profile.clientId,
    keyId: profile.keyId,
    clock,
    key: await contentOf(keyPath, 'the key of the profile'),
    ...(profile.algorithm !== undefined && { algorithm: profile.algorithm }),
  });
  return new PlatformClient({ baseUrl: profile.baseUrl, authorization, clock, fetch: watchedFetch(onWarning) });
}

/** Fetches, and passes on what the platform says in `Platform-Warning`. */
function watchedFetch(onWarning: (warning: string) => void): PlatformFetch {
  const told = new Set<string>();
  return async (url, request) => {
    const response = await fetch(url, request as RequestInit);
    const warning = response.headers.get('platform-warning');
    if (warning !== null && !told.has(warning)) {
      told.add(warning);
      onWarning(warning);
    }
    return response;
  };
}

const clockAhead = (aheadMs: number): TimerClock => ({
  nowMs: () => Date.now() + aheadMs,
  schedule: MACHINE_CLOCK.schedule,
});

async function contentOf(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const why = isHopbackError(cause) || !(cause instanceof Error) ? '' : ` (${(cause as NodeJS.ErrnoException).code})`;
    throw new HopbackError(
      'invalid-configuration',
      `${what}, ${path}, cannot be read${why}: name it with --profile or ${PROFILE_VARIABLE}`,
      { cause },
    );
  }
}

function readProfile(path: string, json: string): ApiProfile {
  const read = PROFILE.safeParse(jsonOf(json));
  if (read.success) return read.data;
  const faults = read.error.issues.map((issue) => issue.path.join('.') || 'members');
  throw new HopbackError('invalid-configuration', `${path} is no profile: see its ${faults.join(', ')}`);
}
