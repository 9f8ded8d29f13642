import { isAbsolute } from 'node:path';
import { isHopbackError } from '@hopback/sdk/errors';
import type { ReferencePlatform } from '../../platform/reference/index.js';
import type { CarryOut } from './order-socket.js';

/** An archive as it was written, in figures. */
export interface ArchiveFigures {
  readonly createdAt: string;
  readonly tables: number;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

/** What an archive comes to. */
export function archiveFigures(manifest: Awaited<ReturnType<ReferencePlatform['backup']>>): ArchiveFigures {
  const { createdAt, tables, files } = manifest;
  return {
    ...{ createdAt, tables: tables.length, files: files.length },
    rows: tables.reduce((total, { rows }) => total + rows, 0),
    bytes: [...tables, ...files].reduce((total, { bytes }) => total + bytes, 0),
  };
}

/** Carries the order of a backup out, one at a time. */
export function backupOrders(platform: Pick<ReferencePlatform, 'backup'>): CarryOut {
  let isBusy = false;
  return async ({ backup: archive }, say) => {
    if (typeof archive !== 'string' || !isAbsolute(archive)) return { failed: 'it is no order' };
    if (isBusy) return { failed: 'another backup is being written' };
    isBusy = true;
    try {
      return { done: archiveFigures(await platform.backup(archive, (progress) => say({ progress }))) };
    } catch (error) {
      return { failed: isHopbackError(error) ? error.message : `the backup failed: ${String(error)}` };
    } finally {
      isBusy = false;
    }
  };
}
