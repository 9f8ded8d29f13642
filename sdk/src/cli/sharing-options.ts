import { randomBytes } from 'node:crypto';
import { createSharingPolicy, DEFAULT_SHARING_POLICY, readSharingPolicy, SHARING_LEVELS } from '../records/index.js';
import type { SharingLevel, SharingPolicy, SharingPolicyData } from '../records/index.js';
import { HopbackError } from '../errors.js';
import type { CliIo } from './io.js';
import { jsonFile } from './json-file.js';
import type { Options, OptionSpecs } from './options.js';
import { secretFile } from './secret-file.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

export type SharingOption = 'sharing' | 'pseudonym-key' | 'rotation' | 'tenant';

/** What may leave, and under which pseudonyms. */
export const SHARING_OPTIONS: OptionSpecs<SharingOption> = {
  sharing: {
    value: 'LEVEL|FILE',
    text: `what may leave: ${SHARING_LEVELS.join(', ')}, or a JSON file with a policy; default suspicious`,
  },
  'pseudonym-key': {
    value: 'FILE',
    text: 'key of the pseudonyms, 64 hexadecimal digits or more: openssl rand -hex 32',
  },
  rotation: { value: 'ID', text: 'name of that key; a new key has a new name' },
  tenant: { value: 'ID', text: 'whose records they are, as the platform knows you' },
};

/** A policy of which the whole is known, and who the platform takes its records to be of. */
export interface NamedSharingPolicy {
  readonly policy: SharingPolicy;
  readonly tenantId: string;
}

/**
 * The policy by which records leave.
 * @throws {@link UsageError} when the key, its name or the tenant is missing; {@link HopbackError} as {@link readSharingPolicy} and
 * {@link createSharingPolicy}
 */
export async function sharingPolicyOf(options: Options<SharingOption>, io: CliIo): Promise<NamedSharingPolicy> {
  const [keyFile, rotationId, tenantId] = (['pseudonym-key', 'rotation', 'tenant'] as const).map((name) =>
    options.text(name),
  );
  if (keyFile === undefined || rotationId === undefined || tenantId === undefined)
    throw new UsageError(
      'records leave under pseudonyms: --pseudonym-key FILE, --rotation ID and --tenant ID are needed',
    );
  const data = await policyData(options, io);
  const key = await pseudonymKey(keyFile, io);
  return { policy: createSharingPolicy({ data, key, rotationId, tenantId }), tenantId };
}

/** The policy of a dry run: pseudonyms are those of the key where one is given, else of a key of the moment. */
export async function previewPolicyOf(
  options: Options<SharingOption>,
  io: CliIo,
): Promise<{ readonly policy: SharingPolicy; readonly isOwnKey: boolean }> {
  const given = (['pseudonym-key', 'rotation', 'tenant'] as const).filter((name) => options.text(name) !== undefined);
  if (given.length > 0) return { policy: (await sharingPolicyOf(options, io)).policy, isOwnKey: true };
  const data = await policyData(options, io);
  const policy = createSharingPolicy({ data, key: randomBytes(32), rotationId: 'preview', tenantId: 'preview' });
  return { policy, isOwnKey: false };
}

async function policyData(options: Options<SharingOption>, io: CliIo): Promise<SharingPolicyData> {
  const given = options.text('sharing');
  if (given === undefined) return DEFAULT_SHARING_POLICY;
  if (!isLevel(given)) return readSharingPolicy(await jsonFile(given, io), { at: shownText(given) });
  if (given === DEFAULT_SHARING_POLICY.share) return DEFAULT_SHARING_POLICY;
  return { ...DEFAULT_SHARING_POLICY, id: `${DEFAULT_SHARING_POLICY.id}-${given}`, share: given };
}

function isLevel(text: string): text is SharingLevel {
  return (SHARING_LEVELS as readonly string[]).includes(text);
}

async function pseudonymKey(path: string, io: CliIo): Promise<Uint8Array> {
  const text = await secretFile(path, io);
  if (/^(?:[0-9a-fA-F]{2}){32,1024}$/.test(text)) return Buffer.from(text, 'hex');
  throw new HopbackError(
    'key-unusable',
    `${shownText(path)} must have 64 hexadecimal digits or more: openssl rand -hex 32`,
  );
}
