import { resolve } from 'node:path';
import { backoffBoundMs } from '../../core/runtime/deadline.js';
import type { Backoff } from '../../core/runtime/deadline.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { hasSameHead, newCarrier, restBytes } from './follow-position.js';
import type { Carrier, FileState, FollowPlaces, ReadPlace, Stream } from './follow-position.js';
import { candidatesOf, firstOctets, isBeginningOf, OpenCarriers, readOn } from './follow-reading.js';
import type { Candidate, FollowPattern, ReadOnEnd } from './follow-reading.js';
import { isGzip, isPackedOtherwise } from './readable-files.js';
import type { DamagedMember, FileFacts, FollowedFile, FollowedFiles } from './readable-files.js';
import type { RowFraming } from './record-reader.js';
import type { SplitRow } from './row-splitter.js';

/** How long a file that could not be read is left alone. A disk may take seconds for each attempt, and the other files wait for it. */
const RETRY: Backoff = { baseMs: 1_000, capMs: 30_000 };

/** What is known of a file that is worked on. */
interface NamedFile {
  /** Device and inode, or the full path where the disk does not even tell those. */
  readonly key: string;
  readonly path: string;
  /** When it was written to last, as far as is known. */
  readonly mtimeMs?: number;
}

/** A file that could not be read at the last attempt. */
interface FaultyFile extends Required<NamedFile> {
  /** When it failed first since it last could be read. */
  readonly sinceMs: number;
  readonly triedMs: number;
  readonly failures: number;
}

/** Ends a look, and says nothing of the file that it is at. With a cause: the rows that were read could not be stored. */
class LookEnded extends Error {}

/** The files of one source that cannot be read. Each is tried again by itself, and none keeps the others waiting. */
class FileFaults {
  readonly #clock: Clock;
  readonly #tell: (path: string, cause: unknown) => void;
  readonly #faulty = new Map<string, FaultyFile>();
  /** Of those, the ones that were worked on since the last sweep. */
  #asked = new Set<string>();

  /** @param tell - called for the first of the failures in a row of a file */
  constructor(clock: Clock, tell: (path: string, cause: unknown) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /**
   * Works on a file unless it failed a moment ago.
   * @returns undefined where it failed
   * @throws `LookEnded`
   */
  async attempt<Value>(file: NamedFile, work: () => Promise<Value>): Promise<Value | undefined> {
    if (this.#faulty.has(file.key)) this.#asked.add(file.key);
    if (this.isResting(file.key)) return undefined;
    try {
      const value = await work();
      this.#faulty.delete(file.key);
      return value;
    } catch (cause) {
      if (cause instanceof LookEnded) throw cause;
      this.#failed(file, cause);
      return undefined;
    }
  }

  get(key: string): FaultyFile | undefined {
    return this.#faulty.get(key);
  }

  all(): readonly FaultyFile[] {
    return [...this.#faulty.values()];
  }

  /** Whether a file failed so recently that it is left alone. */
  isResting(key: string): boolean {
    const fault = this.#faulty.get(key);
    if (fault === undefined) return false;
    const restedMs = this.#clock.nowMs() - fault.triedMs;
    // Where the clock was set back nobody waits for it to come round again.
    return restedMs >= 0 && restedMs < backoffBoundMs(fault.failures, RETRY);
  }

  /** Drops files that nobody worked on since the last sweep: they are gone. */
  sweep(): void {
    for (const key of this.#faulty.keys()) if (!this.#asked.has(key)) this.#faulty.delete(key);
    this.#asked = new Set();
  }

  #failed({ key, path, mtimeMs }: NamedFile, cause: unknown): void {
    const triedMs = this.#clock.nowMs();
    const before = this.#faulty.get(key);
    this.#asked.add(key);
    if (before === undefined) this.#tell(path, cause);
    const { failures, sinceMs } = before ?? { failures: 0, sinceMs: triedMs };
    this.#faulty.set(key, {
      key,
      path,
      mtimeMs: mtimeMs ?? sinceMs,
      sinceMs,
      triedMs,
      failures: failures + 1,
    });
  }
}

/**
 * How long a file has to be as it is before it is taken for complete, milliseconds: one being packed or copied, a rotated one whose
 * last line has no end, a deleted one. Switches write rows in one piece and packing never pauses for so long.
 */
export const FINAL_AFTER_MS = 60_000;

/**
 * What was last written to so long ago when it is seen first is complete, milliseconds: nobody is waited for. Longer than
 * {@link FINAL_AFTER_MS}, since it is the time of whoever keeps the files, whose clock may be minutes behind.
 */
export const OLD_AT_SIGHT_MS = 600_000;

/** What happened to a file that somebody may want to hear of. */
export interface FollowNotice {
  /**
   * `truncated`: it is shorter than what was read of it, or other content; `lost`: it is gone, and may have had rows that were not read;
   * `stuck`: something waits to be read and nothing was for long; `resumed`: it goes on again;
   * `damaged`: packed content that cannot be unpacked to its end; `not-gzip`: a file whose name says that it is packed, and which holds
   * neither gzip nor text, so that none of it is read; `failed`: a look that could not be finished, or the file under `path`,
   * which cannot be read; both are tried again.
   */
  readonly kind: 'truncated' | 'lost' | 'damaged' | 'not-gzip' | 'failed' | 'stuck' | 'resumed';
  readonly path?: string;
  readonly cause?: unknown;
}

/** What a turn works with. */
export interface FollowTurn {
  readonly files: FollowedFiles;
  /** Which files, as of now. `facts` does not reject. */
  readonly pattern: (facts: FollowedFiles['facts']) => Promise<FollowPattern>;
  readonly places: FollowPlaces;
  readonly framing: RowFraming;
  readonly maxRowBytes?: number;
  readonly clock: Clock;
  /** Takes rows that are new; the place of the stream is behind them. Rejects where they cannot be stored. */
  readonly take: (rows: readonly SplitRow[], path: string) => Promise<void>;
  /** Rows may be missing here. */
  readonly broke: () => void;
  readonly notice: (notice: FollowNotice) => void;
  readonly isClosing: () => boolean;
}

interface ShortFile {
  readonly carrier: Carrier;
  readonly file: FollowedFile;
  readonly facts: FileFacts;
}

interface TakenRows {
  readonly rows: readonly SplitRow[];
  readonly behind: ReadPlace;
  readonly path: string;
}

/** Looks at the files of one source, and reads what is new in them. */
export class FileLooker {
  readonly #turn: FollowTurn;
  readonly #places: FollowPlaces;
  readonly #clock: Clock;
  readonly #files: FollowedFiles;
  readonly #carriers: OpenCarriers;
  readonly #unplaced = new Map<string, Unplaced>();
  /** Files that could not be opened, and were reported. */
  readonly #denied = new Set<string>();
  readonly #faults: FileFaults;
  #underWayMs: number | undefined;

  constructor(turn: FollowTurn) {
    this.#turn = turn;
    this.#places = turn.places;
    this.#clock = turn.clock;
    this.#files = filesUntil(turn.isClosing, turn.files);
    this.#carriers = new OpenCarriers(this.#files, turn.places);
    this.#faults = new FileFaults(turn.clock, (path, cause) => turn.notice({ kind: 'failed', path, cause }));
  }

  /** One look at all of them. Rejects where `take` does, or where the disk does not list them. */
  async look(): Promise<void> {
    try {
      await this.#visitAll();
    } catch (error) {
      if (!(error instanceof LookEnded)) throw error;
      if (error.cause !== undefined) throw error.cause instanceof Error ? error.cause : error;
    } finally {
      this.#underWayMs = undefined;
    }
  }

  /** Files that were found and not read: too new to be told from others, not to be opened, or not readable. */
  unreadFiles(): number {
    return this.#unreadFilesMs().length;
  }

  /** When the oldest content that is not read was written at the latest, milliseconds since the epoch; Infinity where all is read. */
  oldestUnreadMs(): number {
    const unread = this.#places.all().filter((stream) => hasUnreadRest(stream, this.#clock.nowMs()));
    return Math.min(...this.#unreadFilesMs(), ...unread.map(({ mtimeMs }) => mtimeMs));
  }

  /** When the file that is being read was written to last; undefined while none is. */
  underWayMs(): number | undefined {
    return this.#underWayMs;
  }

  close(): Promise<void> {
    return this.#carriers.closeAll();
  }

  async #visitAll(): Promise<void> {
    const facts: FollowedFiles['facts'] = (path) =>
      this.#faults.attempt({ key: resolve(path), path }, () => this.#files.facts(path));
    const candidates = await candidatesOf(await this.#turn.pattern(facts), { names: this.#files.names, facts });
    await this.#forgetVanished(new Set(candidates.map(({ key }) => key)));
    await this.#lookForOrphans(candidates);
    for (const candidate of candidates) {
      if (this.#turn.isClosing()) return;
      this.#underWayMs = candidate.mtimeMs;
      await this.#faults.attempt(candidate, () => this.#visit(candidate));
    }
    this.#faults.sweep();
    await this.#carriers.closeOldest();
  }

  async #visit(candidate: Candidate): Promise<void> {
    const stream = this.#places.ofFile(candidate.key);
    const carrier = stream?.carriers.get(candidate.key);
    if (stream === undefined || carrier === undefined) return this.#identify(candidate);
    this.#unplaced.delete(candidate.key);
    carrier.path = candidate.path;
    // A switch may be in the middle of a row when its file is renamed.
    if (carrier.isLive && !candidate.isLive) carrier.changedAtMs = this.#clock.nowMs();
    carrier.isLive = candidate.isLive;
    if (!isDue(this.#turn, stream, { carrier, candidate })) return undefined;
    const file = await this.#carriers.open(carrier);
    if (file === undefined) return this.#reportDenied(candidate);
    const end = await this.#readFile(stream, carrier, file).catch(async (error: unknown) => {
      // A handle of a file server may be stale for ever, and a new one good.
      if (!(error instanceof LookEnded)) await this.#carriers.release(carrier);
      throw error;
    });
    if (end.status !== 'replaced') return undefined;
    // What is read from here on is other content. Of the old, rows may have come and gone since the last look.
    await this.#carriers.release(carrier);
    this.#places.detach(stream, carrier.key);
    stream.isFinal = true;
    this.#turn.broke();
    this.#turn.notice({ kind: 'truncated', path: candidate.path });
    return this.#identify(candidate);
  }

  /** Finds out whether the content of a file that is not known was read under another name, and reads what is new of it. */
  async #identify(candidate: Candidate): Promise<void> {
    const seen = this.#noteUnplaced(candidate);
    const nowMs = this.#clock.nowMs();
    const isSettled = nowMs - seen.sinceMs >= FINAL_AFTER_MS || nowMs - candidate.mtimeMs >= OLD_AT_SIGHT_MS;
    if (candidate.sizeBytes === 0 || seen.isDone || (seen.isBlank && !isSettled)) return;
    if (this.#places.isDone(candidate, candidate.mtimeMs)) {
      seen.isDone = true;
      return;
    }
    const file = await this.#files.open(candidate.path);
    if (file === undefined) return this.#reportDenied(candidate);
    this.#denied.delete(candidate.key);
    let isKept = false;
    try {
      const facts = await file.facts();
      // Another file has come under the name since it was listed: the next look finds it there.
      if (facts.key !== candidate.key) return;
      const { octets: first, fault } = await firstOctets(file);
      const { path, isLive } = candidate;
      const isOther = await isPackedOtherwise(file, path);
      const carrier = newCarrier({
        key: facts.key,
        path,
        isLive,
        isGzip: isOther || (await isGzip(file)),
        changedAtMs: nowMs,
      });
      if (isOther) {
        if (isSettled) this.#skipFile(carrier, facts, { kind: 'not-gzip', path });
        return;
      }
      if (first.length === 0) {
        if (isSettled && fault !== undefined) this.#skipFile(carrier, facts, { kind: 'damaged', path, cause: fault });
        // A log that was empty when it was packed.
        seen.isDone = isSettled;
        seen.isBlank = true;
        return;
      }
      const placed = await this.#place({
        carrier,
        file,
        first,
        facts,
        isSettled,
      });
      if (placed !== 'placed') return;
      this.#unplaced.delete(candidate.key);
      isKept = !carrier.isGzip;
      if (isKept) carrier.file = file;
    } finally {
      if (!isKept) await file.close();
    }
  }

  /** Tells of a file that cannot be read once, also over restarts. Written to again, it is looked at anew. */
  #skipFile(carrier: Carrier, facts: FileFacts, notice: FollowNotice): void {
    const stream = this.#places.add(facts.mtimeMs);
    remember(carrier, facts);
    this.#places.attach(stream, carrier);
    stream.isFinal = true;
    this.#unplaced.delete(carrier.key);
    this.#turn.broke();
    this.#turn.notice(notice);
  }

  /** Once: who rotates files may have given the new one to another user, and nothing else would say so. */
  async #reportDenied({ key, path }: Candidate): Promise<void> {
    // One that was renamed or deleted after it was listed is none.
    if (this.#denied.has(key) || (await this.#files.facts(path))?.key !== key) return;
    this.#denied.add(key);
    this.#turn.notice({ kind: 'failed', path, cause: new HopbackError('storage-failed', 'it may not be read') });
  }

  async #place(unknown: UnknownFile): Promise<'placed' | 'too-early'> {
    const { carrier, file, first, facts, isSettled } = unknown;
    for (const stream of this.#places.beginningWith(first)) {
      if (!carrier.isGzip && facts.sizeBytes < stream.place.offset) {
        const other = await this.#carriers.openPlain(stream);
        if (other !== undefined && (await isBeginningOf(file, other))) {
          remember(carrier, facts);
          this.#places.attach(stream, carrier);
          return 'placed';
        }
        // A copy that is still being made: in a moment it is as long as what was read, and can be told by that.
        if (!isSettled) return 'too-early';
        continue;
      }
      const end = await this.#readFile(stream, carrier, file, { isSure: false });
      if (end.status === 'damaged' && !isSettled) return 'too-early';
      if (end.status === 'replaced' || (end.status === 'damaged' && end.isOther)) continue;
      this.#places.attach(stream, carrier);
      return 'placed';
    }
    // Packed content that was not read before: once it is whole.
    if (carrier.isGzip && !isSettled) return 'too-early';
    const stream = this.#places.add(facts.mtimeMs);
    this.#places.attach(stream, carrier);
    await this.#readFile(stream, carrier, file);
    return 'placed';
  }

  /** Reads on in one file that holds a content. */
  async #readFile(
    stream: Stream,
    carrier: Carrier,
    file: FollowedFile,
    { isSure }: { readonly isSure: boolean } = { isSure: true },
  ): Promise<ReadOnEnd> {
    const facts = await file.facts();
    if (!carrier.isGzip && facts.sizeBytes < stream.place.offset)
      return this.#checkShort(stream, {
        carrier,
        file,
        facts,
      });
    // The inode of a deleted file is given to another: where nothing was read of the content nothing else tells them apart.
    if (stream.place.offset === 0 && (await isGzip(file)) !== carrier.isGzip) return { status: 'replaced' };
    const isChanged = !isUnchanged(carrier, facts);
    const isOld = this.#clock.nowMs() - facts.mtimeMs >= OLD_AT_SIGHT_MS;
    // A file that was renamed while the directory was listed is in the list twice, once as it is no more: not to change is not enough.
    const isQuiet = !isChanged && this.#clock.nowMs() - (carrier.changedAtMs ?? Infinity) >= FINAL_AFTER_MS;
    const before = stream.place;
    let isOver = isComplete(stream, carrier) && (carrier.isGzip || isQuiet || isOld);
    const end = await readOn(stream.place, {
      file,
      isGzip: carrier.isGzip,
      framing: this.#turn.framing,
      ...(this.#turn.maxRowBytes === undefined ? {} : { maxRowBytes: this.#turn.maxRowBytes }),
      // Of a row that came while this was read there may be a part.
      isFinal: async () => (isOver &&= isUnchanged(facts, await file.facts())),
      take: async (rows, behind) => {
        await this.#takeRows(stream, { rows, behind, path: carrier.path });
        return !this.#turn.isClosing();
      },
    });
    if (end.status === 'replaced' || end.status === 'stopped') return end;
    if (!isSure && end.status === 'damaged' && end.isOther) return end;
    stream.damaged = end.status === 'damaged' ? sumOf(stream.damaged, end.damaged) : undefined;
    const quietMs = this.#clock.nowMs() - Math.max(facts.mtimeMs, carrier.changedAtMs ?? 0);
    if (end.status === 'damaged' && (isOld || (!isChanged && quietMs >= FINAL_AFTER_MS))) {
      this.#turn.broke();
      this.#turn.notice({ kind: 'damaged', path: carrier.path, cause: end.fault.of(stream.damaged) });
    }
    remember(carrier, facts);
    const nowMs = this.#clock.nowMs();
    if (isChanged || !isOver) carrier.changedAtMs = nowMs;
    if (stream.place !== before || restBytes(stream, carrier) === 0) stream.placeSinceMs = nowMs;
    stream.placeSinceMs ??= nowMs;
    stream.mtimeMs = Math.max(stream.mtimeMs, facts.mtimeMs);
    stream.isFinal = isOver && !(end.status === 'damaged' && isChanged && !isOld);
    this.#places.touch(stream);
    return end;
  }

  /** A file that is shorter than what was read: a copy that was made before, or one that was truncated. */
  async #checkShort(stream: Stream, { carrier, file, facts }: ShortFile): Promise<ReadOnEnd> {
    const { offset } = stream.place;
    if (carrier.sizeBytes >= offset || facts.sizeBytes < carrier.sizeBytes) return { status: 'replaced' };
    const { octets: first } = await firstOctets(file);
    if (!hasSameHead(first, stream.place)) return { status: 'replaced' };
    remember(carrier, facts);
    return { status: 'read' };
  }

  async #takeRows(stream: Stream, { rows, behind, path }: TakenRows): Promise<void> {
    if (behind === stream.place && rows.length === 0) return;
    stream.place = behind;
    this.#places.touch(stream);
    await this.#turn.take(rows, path).catch((cause: unknown) => {
      throw new LookEnded('the rows could not be stored', { cause });
    });
  }

  async #forgetVanished(present: ReadonlySet<string>): Promise<void> {
    for (const seen of [this.#unplaced, this.#denied])
      for (const key of seen.keys()) if (!present.has(key)) seen.delete(key);
    for (const stream of this.#places.all()) {
      for (const carrier of stream.carriers.values()) {
        const { key, path } = carrier;
        // Where the disk does not tell of a name, its file is not gone.
        if (present.has(key) || this.#faults.get(resolve(path)) !== undefined || this.#turn.isClosing()) continue;
        await this.#faults.attempt({ key, path, mtimeMs: stream.mtimeMs }, () => this.#readVanished(stream, carrier));
        const { sinceMs = Infinity } = this.#faults.get(key) ?? {};
        if (this.#clock.nowMs() - sinceMs >= OLD_AT_SIGHT_MS) await this.#forget(stream, carrier);
      }
    }
  }

  /** Reads what a file that is not in the directory any more still has, while it is open. */
  async #readVanished(stream: Stream, carrier: Carrier): Promise<void> {
    const { file } = carrier;
    if (file !== undefined) {
      carrier.isLive = true;
      const isSame = isUnchanged(carrier, await file.facts());
      const quietMs = this.#clock.nowMs() - (carrier.changedAtMs ?? this.#clock.nowMs());
      if (isSame && quietMs < FINAL_AFTER_MS) return;
      carrier.isLive = !isSame;
      const end = await this.#readFile(stream, carrier, file);
      if (end.status !== 'replaced' && !isSame) return;
      stream.isFinal = true;
    }
    await this.#forget(stream, carrier);
  }

  async #forget(stream: Stream, carrier: Carrier): Promise<void> {
    await this.#carriers.release(carrier);
    this.#places.detach(stream, carrier.key);
  }

  /**
   * Looks for content that no known file holds any more in those that are not known: copied or packed under another name. What is not
   * found was not open when it went, and nobody knows what was still to come. Before new rows are read, so that coverage ends here.
   */
  async #lookForOrphans(candidates: readonly Candidate[]): Promise<void> {
    const orphans = this.#places.all().filter((stream) => !stream.isFinal && stream.carriers.size === 0);
    if (orphans.length === 0) return;
    const found = new Set<Stream>();
    for (const candidate of candidates) {
      if (this.#places.ofFile(candidate.key) !== undefined || this.#turn.isClosing()) continue;
      const first = await this.#firstOctetsOf(candidate);
      // One that cannot be read just now may hold it.
      if (first === 'not known yet') return;
      const same = orphans.filter(({ place: read }) => hasSameHead(first, read));
      if (same.length > 0) await this.#faults.attempt(candidate, () => this.#identify(candidate));
      // Also where it is too early to tell: a file that is still being packed.
      for (const stream of same) found.add(stream);
    }
    for (const stream of orphans) {
      if (found.has(stream) || this.#turn.isClosing()) continue;
      stream.isFinal = true;
      this.#places.touch(stream);
      this.#turn.broke();
      this.#turn.notice({ kind: 'lost' });
    }
  }

  async #firstOctetsOf({ key, path }: Candidate): Promise<Uint8Array | 'not known yet'> {
    const isResting = this.#faults.isResting(key);
    const first = isResting ? undefined : await this.#carriers.firstOctetsOf(path).catch(() => undefined);
    if (first !== undefined) return first;
    const { sinceMs = this.#clock.nowMs() } = this.#faults.get(key) ?? {};
    return this.#clock.nowMs() - sinceMs < OLD_AT_SIGHT_MS ? 'not known yet' : new Uint8Array(0);
  }

  /** When each was written to last. */
  #unreadFilesMs(): readonly number[] {
    const waiting = [...this.#unplaced].filter(([, { sizeBytes, isDone }]) => sizeBytes > 0 && !isDone);
    const faulty = this.#faults.all().map(({ key, mtimeMs }) => [key, { mtimeMs }] as const);
    return [...new Map([...faulty, ...waiting]).values()].map(({ mtimeMs }) => mtimeMs);
  }

  #noteUnplaced({ key, sizeBytes, mtimeNs, mtimeMs }: Candidate): Unplaced {
    const state = `${sizeBytes}:${mtimeNs}`;
    const nowMs = this.#clock.nowMs();
    const before = this.#unplaced.get(key);
    // Where the clock was set back, time begins anew.
    if (before?.state === state && before.sinceMs <= nowMs) return before;
    const seen = {
      state,
      sizeBytes,
      mtimeMs,
      sinceMs: nowMs,
      isDone: false,
      isBlank: false,
    };
    this.#unplaced.set(key, seen);
    return seen;
  }
}

/** Files whose reading ends when it is to, whatever it is at: packed content of any length may hold no row. */
function filesUntil(isOver: () => boolean, files: FollowedFiles): FollowedFiles {
  const open = async (path: string): Promise<FollowedFile | undefined> => {
    const file = await files.open(path);
    if (file === undefined) return undefined;
    const read: FollowedFile['read'] = async (octets, offset, length, position) => {
      if (isOver()) throw new LookEnded();
      return file.read(octets, offset, length, position);
    };
    return { ...file, read };
  };
  return { ...files, open };
}

/** A file that is nobody's yet. */
interface Unplaced {
  /** Size and time. */
  readonly state: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** When it was seen so first. */
  readonly sinceMs: number;
  /** It was read, and is of content that is not followed any more: not to be opened as long as it is as it was. */
  isDone: boolean;
  /** It was read to its end and held nothing. */
  isBlank: boolean;
}

/**
 * Whether octets behind the last row count as unread. In the file that the switch writes to they are a row that is not complete: the switch
 * may have stopped there for ever, and nothing waits. Where they grow and become no row something is wrong, and in a rotated file they become
 * one soon.
 */
function hasUnreadRest(stream: Stream, nowMs: number): boolean {
  const { placeSinceMs = Infinity, isFinal } = stream;
  return [...stream.carriers.values()].some((carrier) => {
    if (restBytes(stream, carrier) === 0) return false;
    const { changedAtMs = -Infinity } = carrier;
    return carrier.isLive ? changedAtMs > placeSinceMs && nowMs - changedAtMs < FINAL_AFTER_MS : !isFinal;
  });
}

/** A member whose rows were taken in by two readings. */
function sumOf(before: DamagedMember | undefined, now: DamagedMember | undefined): DamagedMember | undefined {
  if (before === undefined || now?.member !== before.member) return now;
  return { member: now.member, rows: before.rows + now.rows };
}

interface UnknownFile {
  readonly carrier: Carrier;
  readonly file: FollowedFile;
  readonly first: Uint8Array;
  readonly facts: FileFacts;
  /** It has been as it is for so long that nobody is at work on it. */
  readonly isSettled: boolean;
}

/** Whether a last line without end is all there will be of it, once the file does not change any more. */
function isComplete(stream: Stream, carrier: Carrier): boolean {
  if (carrier.isLive) return false;
  // While another file holds the same content, and is written to or was packed into this one, the rest comes there.
  for (const other of stream.carriers.values()) {
    if (other !== carrier && (other.isLive || (carrier.isGzip && !other.isGzip))) return false;
  }
  return true;
}

function isUnchanged(before: FileState, now: FileState): boolean {
  return before.sizeBytes === now.sizeBytes && before.mtimeNs === now.mtimeNs;
}

function remember(carrier: Carrier, { sizeBytes, mtimeNs }: FileFacts): void {
  carrier.sizeBytes = sizeBytes;
  carrier.mtimeNs = mtimeNs;
}

/** Whether there is something to read in a file that is known. */
function isDue(
  { clock }: FollowTurn,
  stream: Stream,
  { carrier, candidate }: { readonly carrier: Carrier; readonly candidate: Candidate },
): boolean {
  if (!isUnchanged(carrier, candidate)) return true;
  const nowMs = clock.nowMs();
  const isOld = nowMs - candidate.mtimeMs >= OLD_AT_SIGHT_MS;
  // Not seen since a restart; or the clock was set back, and time begins anew.
  carrier.changedAtMs = Math.min(carrier.changedAtMs ?? (isOld ? candidate.mtimeMs : nowMs), nowMs);
  if (candidate.isLive || stream.isFinal) return false;
  return nowMs - carrier.changedAtMs >= FINAL_AFTER_MS;
}
