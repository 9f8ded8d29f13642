import { join } from 'node:path';
import type { LogFiles } from './log-files.js';
import type { Segment, SegmentCatalogue } from './segment-catalogue.js';
import { removed, type SegmentWriter } from './segment-writer.js';
import { asked } from './storage-failure.js';

/** What is trimmed. */
export interface TrimSource {
  readonly catalogue: SegmentCatalogue;
  readonly writer: SegmentWriter;
  readonly settings: { readonly directory: string; readonly files: LogFiles };
  readonly durableSequence: number;
  /** Whether the newest segment may go too: its room is what the disk lacks. */
  readonly mayEmpty: boolean;
}

/**
 * Removes the segments that have nothing above a sequence number, oldest first, so that a crash leaves no hole.
 * @throws HopbackError `storage-failed` (retryable) when the disk refuses
 */
export async function trimSegments(source: TrimSource, through: number): Promise<void> {
  const { catalogue, writer, durableSequence, mayEmpty } = source;
  const reach = Math.min(through, durableSequence);
  for (const segment of [...catalogue.segments]) {
    const last = catalogue.lastOf(segment);
    if (last === undefined || last > reach) break;
    await remove(source, segment);
  }
  const newest = catalogue.newest();
  if (!mayEmpty || newest === undefined || newest.sizeBytes === 0 || durableSequence > reach) return;
  if (catalogue.segments.length > 1) return;
  // Its name keeps the sequence number; an empty file needs no block of a full disk.
  await writer.succeed(durableSequence + 1);
  await remove(source, newest);
}

async function remove({ catalogue, settings }: TrimSource, segment: Segment): Promise<void> {
  await asked('remove', () => removed(settings.files, join(settings.directory, segment.fileName)));
  catalogue.remove(segment);
}
