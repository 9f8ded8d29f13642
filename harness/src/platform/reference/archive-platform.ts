import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { FolderLock } from '@hopback/sdk/log';
import {
  AuditLog,
  backupPlatform,
  createPlatformContext,
  isThere,
  namesIn,
  openPlatformDatabase,
  restorePlatform,
  SILENT_LOG,
  verifyAudit,
} from '../database/index.js';
import type {
  ArchiveManifest,
  ArchiveProgress,
  AuditVerification,
  DatabasePlace,
  OpenedDatabase,
} from '../database/index.js';
import { MACHINE_CLOCK } from '@hopback/sdk/internal/runtime';
import { foldersOf, openPlatformHome } from './platform-home.js';
import type { PlatformHome } from './platform-home.js';
import { DEFAULT_LOG_ID, REFERENCE_DEFINITIONS } from './reference-areas.js';

/** A platform that does not run. */
export interface StoppedPlatform {
  /** As that of `startReferencePlatform`. */
  readonly directory: string;
  /** Default PGlite within `directory`. */
  readonly database?: DatabasePlace;
  /** Name of the log of its audit, where it has another than the default. */
  readonly logId?: string;
}

/**
 * Writes an archive of everything but the keys of a platform that does not run. Of one that runs: `ReferencePlatform.backup`.
 * @param archive - a folder that is not there, or is empty
 * @throws HopbackError `invalid-argument` (`reason`: `no-platform`, `not-empty`), `storage-failed` (`reason: 'folder-in-use'` where it runs)
 */
export async function backupStoppedPlatform(
  platform: StoppedPlatform,
  archive: string,
  onProgress?: (progress: ArchiveProgress) => void,
): Promise<ArchiveManifest> {
  const home = await homeOf(platform);
  await using opened = await openStopped(platform, home);
  const { live, files } = home.folders;
  const { database, audit } = opened;
  return await backupPlatform({ database, audit, folders: { live, files }, clock: MACHINE_CLOCK }, archive, onProgress);
}

/**
 * Verifies the audit of a platform that does not run, without changing it. Of one that runs: `ReferencePlatform.verifyAudit`.
 * @param heldCheckpoints - signed notes that were kept elsewhere: they show what was cut off
 * @throws HopbackError `invalid-argument` (`reason: 'no-platform'`, or for a checkpoint that is not one of this audit), `storage-failed`
 * (`reason: 'folder-in-use'` where it runs)
 */
export async function verifyStoppedAudit(
  platform: StoppedPlatform,
  heldCheckpoints: readonly string[],
): Promise<AuditVerification> {
  const { signer, folders } = await homeOf(platform);
  await using database = await openPlatformDatabase(platform.database ?? { directory: folders.database });
  const lock = await FolderLock.take(folders.audit, 'the log of the audit');
  try {
    const logId = platform.logId ?? DEFAULT_LOG_ID;
    const publicKeys = [signer.publicKey];
    return await verifyAudit({
      database,
      directory: folders.audit,
      publicKeys,
      logId,
      heldCheckpoints,
    });
  } finally {
    await lock.close();
  }
}

/** The folder of a platform that is there already. */
async function homeOf({ directory }: StoppedPlatform): Promise<PlatformHome> {
  if (!(await isThere(join(foldersOf(directory).keys, 'ring.json'))))
    throw refused('no-platform', `${directory} is not the folder of a platform: it has no keys`);
  return openPlatformHome(directory);
}

/** What an archive was restored from, and whether its audit is whole. */
export interface RestoredPlatform {
  readonly manifest: ArchiveManifest;
  readonly audit: AuditVerification;
}

/**
 * Makes a platform of an archive in an empty folder, holds its audit against its signatures, and its key ring against what is sealed.
 * @param archive - folder that a backup wrote
 * @param target - where to; `keys` is the folder of a backup of its keys: default those that lie in `directory` already
 * @throws HopbackError `invalid-argument`, `reason` in its details: `keys-missing`, `not-empty`, and as `restorePlatform`; `key-unusable` where the keys are not
 * those of the archive; `log-inconsistent`; `storage-failed`
 */
export async function restoreStoppedPlatform(
  archive: string,
  target: StoppedPlatform & { readonly keys?: string },
  onProgress?: (progress: ArchiveProgress) => void,
): Promise<RestoredPlatform> {
  const { directory } = target;
  const folders = foldersOf(directory);
  await requireKeysAlone(target);
  const home = await openPlatformHome(directory);
  const manifest = await (async () => {
    await using database = await openPlatformDatabase(target.database ?? { directory: folders.database });
    const { audit, live, files } = folders;
    const place = { database, definitions: REFERENCE_DEFINITIONS, folders: { audit, live, files } };
    return await restorePlatform(archive, place, onProgress);
  })();
  await using opened = await openStopped(target, home);
  await requireKeyRing(opened.database, home);
  await opened.audit.drain();
  return { manifest, audit: await opened.audit.verify() };
}

async function requireKeysAlone({ directory, keys }: StoppedPlatform & { readonly keys?: string }): Promise<void> {
  const folders = foldersOf(directory);
  const names = await namesIn(directory);
  const [other] = names.filter((name) => name !== 'keys');
  if (other !== undefined) throw refused('not-empty', `${directory} is not empty: it has ${other}`);
  if (keys !== undefined) {
    if (names.length > 0) throw refused('not-empty', `${directory} has keys already`);
    if (!(await isThere(join(keys, 'ring.json')))) throw refused('keys-missing', `${keys} has no key ring, ring.json`);
    await cp(keys, folders.keys, { recursive: true, errorOnExist: true, force: false });
  }
  if (!(await isThere(join(folders.keys, 'ring.json'))))
    throw refused(
      'keys-missing',
      'no archive has keys: name the folder of their backup, or lay it into the new folder',
    );
}

interface OpenedStopped extends AsyncDisposable {
  readonly database: OpenedDatabase;
  readonly audit: AuditLog;
}

async function openStopped(platform: StoppedPlatform, home: PlatformHome): Promise<OpenedStopped> {
  const database = await openPlatformDatabase(platform.database ?? { directory: home.folders.database });
  try {
    const context = createPlatformContext({ database, clock: MACHINE_CLOCK, log: SILENT_LOG, masterKey: home.keyRing });
    const logId = platform.logId ?? DEFAULT_LOG_ID;
    const audit = await AuditLog.open({
      context,
      database,
      directory: home.folders.audit,
      logId,
      signer: home.signer,
    });
    return {
      database,
      audit,
      [Symbol.asyncDispose]: async () => {
        try {
          await audit.close();
        } finally {
          await database.close();
        }
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A ring that is another opens nothing: whoever restores is told so, and not whoever asks for a number some day. */
async function requireKeyRing(database: OpenedDatabase, { keyRing }: PlatformHome): Promise<void> {
  const context = createPlatformContext({ database, clock: MACHINE_CLOCK, log: SILENT_LOG, masterKey: keyRing });
  const some = await database.database.selectFrom('core_sealed').select('reference').limit(1).executeTakeFirst();
  if (some === undefined) return;
  const reason = { organizationId: 'platform', actor: 'platform', object: 'platform:restore' };
  try {
    await context.transact((transaction) => context.sealed.open(transaction, [some.reference], reason));
  } catch (cause) {
    throw new HopbackError('key-unusable', 'the key ring is not that of the archive: sealed values cannot be opened', {
      cause,
    });
  }
}

function refused(reason: string, message: string): HopbackError {
  return new HopbackError('invalid-argument', message, { details: { reason } });
}
