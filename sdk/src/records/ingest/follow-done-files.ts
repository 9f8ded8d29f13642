import { hash } from 'node:crypto';
import type { KnownFile } from './follow-position.js';

/** Files of a page, each in 11 characters: a page is a value of a journal, which takes 16 KiB. */
const PAGE_FILES = 1_024;

/** Pages: with 65,536 files of a directory a switch that rotates every hour is known for seven years. */
export const DONE_PAGES = 64;

/** Of the hash that a file is known by, 64 bits: that one of so many files is taken for another happens once in 10^14 files. */
const NAME_CHARS = 11;

/** No file is older. */
export const NOTHING_FORGOTTEN = -1;

/** Files that were read and whose content is not followed any more, a page as it is kept. */
export interface DonePage {
  readonly page: number;
  readonly text: string;
}

/** What tells a file as it was when it was read from every other, and from what it becomes when it is written to. */
export type FileState = Pick<KnownFile, 'key' | 'sizeBytes' | 'mtimeNs'>;

/** Files that are done. */
export interface DoneFiles {
  /** Whether a file was read as it is now. */
  readonly has: (file: FileState, mtimeMs: number) => boolean;
  readonly add: (file: FileState, mtimeMs: number) => void;
  /** Pages that changed since they were saved. */
  readonly toSave: () => readonly DonePage[];
  readonly saved: (pages: readonly DonePage[]) => void;
  /** Files last written to before that time count as done: so many were there that the oldest had to be forgotten. */
  readonly forgottenMs: () => number;
}

interface Page {
  readonly names: Set<string>;
  /** When the newest of its files was written to. */
  newestMs: number;
}

/** Keeps the files that are done. Pure: never throws. */
export function createDoneFiles(kept: readonly DonePage[], forgottenMs: number): DoneFiles {
  const pages = new Map<number, Page>();
  for (const { page, text } of kept) {
    const read = readPage(text);
    if (read !== undefined) pages.set(page, read);
  }
  let current = [...pages].find(([, { names }]) => names.size < PAGE_FILES)?.[0] ?? 0;
  let forgotten = forgottenMs;
  const dirty = new Set<number>();

  /** A page that is free, or that whose files were written to longest ago. */
  const turnPage = (): Page => {
    const free = Array.from({ length: DONE_PAGES }, (_, page) => page).find((page) => !pages.has(page));
    const [oldest] = [...pages].sort(([, one], [, other]) => one.newestMs - other.newestMs);
    current = free ?? oldest?.[0] ?? 0;
    if (free === undefined) forgotten = Math.max(forgotten, oldest?.[1].newestMs ?? NOTHING_FORGOTTEN);
    return newPage();
  };
  const newPage = (): Page => {
    const page = { names: new Set<string>(), newestMs: NOTHING_FORGOTTEN };
    pages.set(current, page);
    return page;
  };

  return {
    has(file, mtimeMs) {
      if (mtimeMs < forgotten) return true;
      const name = nameOf(file);
      for (const { names } of pages.values()) if (names.has(name)) return true;
      return false;
    },
    add(file, mtimeMs) {
      let page = pages.get(current) ?? newPage();
      if (page.names.size >= PAGE_FILES) page = turnPage();
      page.names.add(nameOf(file));
      page.newestMs = Math.max(page.newestMs, mtimeMs);
      dirty.add(current);
    },
    toSave: () => [...dirty].map((page) => ({ page, text: pageText(pages.get(page)) })),
    saved(saved) {
      for (const { page } of saved) dirty.delete(page);
    },
    forgottenMs: () => forgotten,
  };
}

function nameOf({ key, sizeBytes, mtimeNs }: FileState): string {
  return hash('sha256', `${key}:${sizeBytes}:${mtimeNs}`, 'base64url').slice(0, NAME_CHARS);
}

/** `NEWESTMS:` and the names, one behind the other. */
function pageText(page: Page | undefined): string {
  return page === undefined ? '' : `${page.newestMs}:${[...page.names].join('')}`;
}

function readPage(text: string): Page | undefined {
  const [, newestMs = '', names = ''] = /^(-?\d{1,16}(?:\.\d{1,9})?):([\w-]*)$/.exec(text) ?? [];
  if (newestMs === '' || names.length % NAME_CHARS !== 0 || names.length > PAGE_FILES * NAME_CHARS) return undefined;
  const found = new Set<string>();
  for (let at = 0; at < names.length; at += NAME_CHARS) found.add(names.slice(at, at + NAME_CHARS));
  return { names: found, newestMs: Number(newestMs) };
}
