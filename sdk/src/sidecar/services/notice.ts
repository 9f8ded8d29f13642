/** Something that an operator may want to know; never holds a telephone number, nor anything of a key. */
export interface SidecarNotice {
  readonly level: 'info' | 'warn' | 'error';
  /** What it is about: `trust`, `signing`, `reload`, … */
  readonly part: string;
  readonly text: string;
}

/** Hears notices. */
export type OnNotice = (notice: SidecarNotice) => void;

/** What went wrong, in words. */
export const causeText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
