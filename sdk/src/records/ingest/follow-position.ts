import { hash } from 'node:crypto';
import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonLimits, JsonObject, JsonValue } from '../../core/json-text.js';
import type { CoverageState } from './row-coverage.js';

/**
 * Octets by which content is known again, at its beginning and before the place up to which it was read. A KiB holds some rows, and
 * rows carry ids and times: no two files of a switch agree in both.
 */
export const FINGERPRINT_BYTES = 1_024;

/** Some octets of a file in short. */
export interface Fingerprint {
  readonly sizeBytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** How far the content of a file was read, and how to know it again under another name, packed, or copied. */
export interface ReadPlace {
  /** Octets of the content up to behind the last row that was read. */
  readonly offset: number;
  /** Number of the line that begins there. */
  readonly line: number;
  /** Of the first octets, {@link FINGERPRINT_BYTES} at most, none of them behind `offset`. */
  readonly head: Fingerprint;
  /** Of the octets before `offset`, {@link FINGERPRINT_BYTES} at most. */
  readonly tail: Fingerprint;
}

/** A file that holds content, as it was when it was read. */
export interface KnownFile {
  /** Device and inode. */
  readonly key: string;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
  readonly isGzip: boolean;
}

/** What is kept of content that is followed. */
export interface StreamPosition extends ReadPlace {
  /** Which of the kept positions it is. */
  readonly slot: number;
  /** Files that hold it: the one it was written to, copies of it, packed ones. */
  readonly files: readonly KnownFile[];
  /** When it was last written to, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** Nothing more is expected of it. */
  readonly isFinal: boolean;
}

/** Where the text of what waits in a reader is kept, in pieces. */
export interface KeptWaiting {
  /** Which of two places, in turn: while one is written the other is whole. */
  readonly turn: 0 | 1;
  readonly pieces: number;
  readonly sha256: string;
}

/** What is made durable at one time. */
export interface FollowCheckpoint {
  /** Of the streams that were read last. */
  readonly streams: readonly StreamPosition[];
  readonly coverage?: CoverageState;
  /** What the reader had waiting, and where it is kept: it may be long. */
  readonly waiting?: KeptWaiting;
  /** Files last written to before that time are not looked at, unless they are known: they were read, and there were too many to remember. */
  readonly forgottenMs: number;
}

/** Fingerprint of octets. */
export function fingerprintOf(octets: Uint8Array): Fingerprint {
  return { sizeBytes: octets.length, sha256: hash('sha256', octets, 'hex') };
}

/** Where reading of new content begins. */
export const BEGINNING: ReadPlace = {
  offset: 0,
  line: 1,
  head: fingerprintOf(new Uint8Array(0)),
  tail: fingerprintOf(new Uint8Array(0)),
};

/**
 * Whether content begins with what was read of other content, so far as its head tells.
 * @param first - its first octets, {@link FINGERPRINT_BYTES} where it has as many
 */
export function hasSameHead(first: Uint8Array, { head, offset }: ReadPlace): boolean {
  if (offset === 0 || first.length < head.sizeBytes) return false;
  return fingerprintOf(first.subarray(0, head.sizeBytes)).sha256 === head.sha256;
}

/** Position as it is written down. */
export function positionText(position: StreamPosition): string {
  return JSON.stringify(position);
}

/** Reads {@link positionText} back. Never throws. @returns undefined where it is none */
export function readPositionText(text: string): StreamPosition | undefined {
  const parsed = parseBoundedJson(text, POSITION_LIMITS);
  return parsed.status === 'parsed' ? positionIn(parsed.value) : undefined;
}

/** Checkpoint as it is written down. */
export function checkpointText(checkpoint: FollowCheckpoint): string {
  return JSON.stringify(checkpoint);
}

/** Reads {@link checkpointText} back. Never throws. @returns undefined where it is none */
export function readCheckpointText(text: string): FollowCheckpoint | undefined {
  const parsed = parseBoundedJson(text, POSITION_LIMITS);
  if (parsed.status !== 'parsed' || !isObject(parsed.value)) return undefined;
  const { streams, coverage, waiting, forgottenMs } = parsed.value;
  if (!isList(streams) || typeof forgottenMs !== 'number') return undefined;
  const positions = streams.map((stream) => positionIn(stream));
  if (!positions.every((position) => position !== undefined)) return undefined;
  const covered = coverageIn(coverage);
  const kept = keptWaitingIn(waiting);
  return {
    streams: positions,
    ...(covered === undefined ? {} : { coverage: covered }),
    ...(kept === undefined ? {} : { waiting: kept }),
    forgottenMs,
  };
}

/** Sixteen positions with some files each; a journal takes 1 MiB at most. */
const POSITION_LIMITS: JsonLimits = { maxChars: 1_048_576, maxDepth: 6, maxEntries: 4_096 };

function positionIn(value: JsonValue): StreamPosition | undefined {
  if (!isObject(value)) return undefined;
  const { slot, offset, line, mtimeMs, isFinal } = value;
  const head = fingerprintIn(value['head']);
  const tail = fingerprintIn(value['tail']);
  const files = isList(value['files']) ? value['files'].map((file) => knownFileIn(file)) : [];
  if (!isCount(slot) || !isCount(offset) || !isCount(line) || typeof mtimeMs !== 'number') return undefined;
  if (head === undefined || tail === undefined || typeof isFinal !== 'boolean') return undefined;
  if (tail.sizeBytes > offset || head.sizeBytes > offset) return undefined;
  if (!files.every((file) => file !== undefined)) return undefined;
  return { slot, offset, line, head, tail, files, mtimeMs, isFinal };
}

function fingerprintIn(value: JsonValue | undefined): Fingerprint | undefined {
  if (!isObject(value)) return undefined;
  const { sizeBytes, sha256 } = value;
  if (!isCount(sizeBytes) || sizeBytes > FINGERPRINT_BYTES || typeof sha256 !== 'string') return undefined;
  return { sizeBytes, sha256 };
}

function knownFileIn(value: JsonValue): KnownFile | undefined {
  if (!isObject(value)) return undefined;
  const { key, sizeBytes, mtimeNs, isGzip } = value;
  if (typeof key !== 'string' || !isCount(sizeBytes) || typeof mtimeNs !== 'string') return undefined;
  return typeof isGzip === 'boolean' ? { key, sizeBytes, mtimeNs, isGzip } : undefined;
}

function coverageIn(value: JsonValue | undefined): CoverageState | undefined {
  if (!isObject(value)) return undefined;
  const { fromUs, writtenUs, paceUs } = value;
  if (typeof fromUs !== 'number' || typeof writtenUs !== 'number') return undefined;
  return typeof paceUs === 'number' ? { fromUs, writtenUs, paceUs } : { fromUs, writtenUs };
}

function keptWaitingIn(value: JsonValue | undefined): KeptWaiting | undefined {
  if (!isObject(value)) return undefined;
  const { turn, pieces, sha256 } = value;
  if ((turn !== 0 && turn !== 1) || !isCount(pieces) || typeof sha256 !== 'string') return undefined;
  return { turn, pieces, sha256 };
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
