import { hash } from 'node:crypto';
import type { DurableValues } from '../durable-values.js';
import { DONE_PAGES, NOTHING_FORGOTTEN } from './follow-done-files.js';
import type { DonePage } from './follow-done-files.js';
import { checkpointText, positionText, readCheckpointText, readPositionText } from './follow-position.js';
import type { FollowCheckpoint, StreamPosition } from './follow-position.js';
import { FOLLOWED_STREAMS } from './follow-streams.js';
import type { SavedStreams } from './follow-streams.js';
import type { CoverageState } from './row-coverage.js';

/** Characters of what waits in one value: three octets each at most, and a value journal takes 16 KiB. */
const PIECE_CHARS = 5_000;

/** Characters of what waits that are made durable at most: 10,000 calls of 400 each, some 840 values. */
export const MAX_WAITING_CHARS = 4_194_304;

/** What was made durable of a source. */
export interface KeptPlaces extends SavedStreams {
  readonly coverage?: CoverageState;
  /** `lost`: something waited, and is not all there. */
  readonly waiting: { readonly status: 'none' | 'lost' } | { readonly status: 'kept'; readonly text: string };
}

/** What is to be made durable of a source: all that has changed. */
export interface PlacesToSave extends SavedStreams {
  readonly coverage?: CoverageState;
  readonly waiting?: string;
}

/** The durable places of one source. */
export interface FollowPlaces {
  readonly kept: () => KeptPlaces;
  /**
   * Resolves when all is durable. Killed in the middle, what is kept is what was kept before, or that: the checkpoint is written last, and
   * in one piece.
   */
  readonly save: (places: PlacesToSave) => Promise<void>;
}

/** Makes the places of a source, under keys that begin with `follow/` and its name. */
export function createFollowPlaces(values: DurableValues, sourceId: string): FollowPlaces {
  const prefix = `follow/${sourceId}`;
  const slotKey = (slot: number): string => `${prefix}/stream/${slot}`;
  const waitingKey = (turn: 0 | 1, piece: number): string => `${prefix}/waiting/${turn}/${piece}`;
  const doneKey = (page: number): string => `${prefix}/done/${page}`;
  const checkpointKey = `${prefix}/checkpoint`;
  let turn: 0 | 1 = 0;

  const keptWaiting = (waiting: FollowCheckpoint['waiting']): KeptPlaces['waiting'] => {
    if (waiting === undefined) return { status: 'none' };
    turn = waiting.turn;
    if (waiting.pieces > MAX_WAITING_CHARS / PIECE_CHARS + 1) return { status: 'lost' };
    const pieces = Array.from(
      { length: waiting.pieces },
      (_, piece) => values.get(waitingKey(waiting.turn, piece)) ?? '',
    );
    const text = pieces.join('');
    return hash('sha256', text, 'hex') === waiting.sha256 ? { status: 'kept', text } : { status: 'lost' };
  };

  const saveWaiting = async (text: string): Promise<NonNullable<FollowCheckpoint['waiting']>> => {
    turn = turn === 0 ? 1 : 0;
    const writing = turn;
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += PIECE_CHARS) pieces.push(text.slice(at, at + PIECE_CHARS));
    await Promise.all(pieces.map((piece, number) => values.set(waitingKey(writing, number), piece)));
    return { turn: writing, pieces: pieces.length, sha256: hash('sha256', text, 'hex') };
  };

  return {
    kept() {
      const apart: StreamPosition[] = [];
      for (let slot = 0; slot < FOLLOWED_STREAMS; slot += 1) {
        const text = values.get(slotKey(slot));
        const position = text === undefined ? undefined : readPositionText(text);
        if (position?.slot === slot) apart.push(position);
      }
      const done: DonePage[] = [];
      for (let page = 0; page < DONE_PAGES; page += 1) {
        const kept = values.get(doneKey(page));
        if (kept !== undefined) done.push({ page, text: kept });
      }
      const text = values.get(checkpointKey);
      const checkpoint = text === undefined ? undefined : readCheckpointText(text);
      return {
        apart,
        done,
        together: checkpoint?.streams ?? [],
        forgottenMs: checkpoint?.forgottenMs ?? NOTHING_FORGOTTEN,
        ...(checkpoint?.coverage === undefined ? {} : { coverage: checkpoint.coverage }),
        waiting: keptWaiting(checkpoint?.waiting),
      };
    },
    async save({ apart, together, done, forgottenMs, coverage, waiting }) {
      const kept = waiting === undefined ? undefined : await saveWaiting(waiting);
      await Promise.all([
        ...apart.map((position) => values.set(slotKey(position.slot), positionText(position))),
        ...done.map(({ page, text }) => values.set(doneKey(page), text)),
      ]);
      const checkpoint: FollowCheckpoint = {
        streams: together,
        ...(coverage === undefined ? {} : { coverage }),
        ...(kept === undefined ? {} : { waiting: kept }),
        forgottenMs,
      };
      await values.set(checkpointKey, checkpointText(checkpoint));
    },
  };
}
