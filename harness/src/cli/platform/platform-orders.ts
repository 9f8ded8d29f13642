import { isAbsolute } from 'node:path';
import { isHopbackError } from '@hopback/sdk/errors';
import type { ReferencePlatform } from '../../platform/reference/index.js';
import type { CarryOut, OrderLine } from './order-socket.js';

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

/** Carries out what commands of this machine ask of a platform that runs: one backup at a time, and looks through its audit. */
export function platformOrders(platform: Pick<ReferencePlatform, 'backup' | 'verifyAudit'>): CarryOut {
  let isBusy = false;
  const backUp = async (archive: string, say: (line: OrderLine) => void): Promise<OrderLine> => {
    if (isBusy) return { failed: 'another backup is being written' };
    isBusy = true;
    try {
      return { done: archiveFigures(await platform.backup(archive, (progress) => say({ progress }))) };
    } finally {
      isBusy = false;
    }
  };
  return async (order, say) => {
    const { backup, verifyAudit } = order;
    try {
      if (typeof backup === 'string' && isAbsolute(backup)) return await backUp(backup, say);
      if (isListOfText(verifyAudit)) return { done: await platform.verifyAudit(verifyAudit) };
      return { failed: 'it is no order' };
    } catch (error) {
      if (!isHopbackError(error)) return { failed: `it failed: ${String(error)}` };
      return { failed: error.message, code: error.code };
    }
  };
}

const isListOfText = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
