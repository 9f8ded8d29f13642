/**
 * How the checker treats a block of a guide. HTML comments before the block say so, and readers do not see them:
 * `<!-- block: skip REASON -->`, `<!-- block: exits 1 3 -->`, `<!-- block: background until TEXT -->`, `<!-- block: file NAME -->`,
 * `<!-- block: printed by the commands above -->`.
 */
export type BlockUse =
  | { readonly kind: 'run'; readonly exits: readonly number[] }
  /** Runs until the guide is over; the next block waits for a text that it prints. */
  | { readonly kind: 'background'; readonly until: string }
  /** Is written to a file, as the guide tells its readers. */
  | { readonly kind: 'file'; readonly name: string }
  /** The block before it prints it, beside what else it prints. */
  | { readonly kind: 'printed' }
  | { readonly kind: 'skip'; readonly reason: string };

/** A block of a guide that the checker runs, writes or skips. */
export interface GuideBlock {
  readonly line: number;
  readonly text: string;
  readonly use: BlockUse;
}

/** Shorter ones do not say why. */
const LEAST_REASON_CHARS = 15;

/** Blocks of commands, and those that are written to files; a comment that says nothing of use is a problem. */
export function guideBlocks(
  path: string,
  text: string,
): { readonly blocks: readonly GuideBlock[]; readonly problems: readonly string[] } {
  const blocks: GuideBlock[] = [];
  const problems: string[] = [];
  let said: string | undefined;
  let open: { readonly line: number; readonly language: string; readonly lines: string[] } | undefined;
  for (const [at, line] of text.split('\n').entries()) {
    const [, language] = /^```(\S*)$/.exec(line) ?? [];
    if (open !== undefined && line === '```') {
      const use = said === undefined ? RUN : useOf(said);
      if (use === undefined)
        problems.push(`${path}:${String(open.line)}: the comment before the block is unclear: ${said}`);
      else if (open.language === 'sh' || ['file', 'printed'].includes(use.kind))
        blocks.push({ line: open.line, text: open.lines.join('\n'), use });
      else if (said !== undefined) problems.push(`${path}:${String(open.line)}: only sh blocks can be run`);
      else if (/^(?:npx|hopback)/.test(open.lines[0] ?? ''))
        problems.push(`${path}:${String(open.line)}: commands belong in a block of sh, where they are run`);
      open = said = undefined;
    } else if (open !== undefined) open.lines.push(line);
    else if (language !== undefined) open = { line: at + 1, language, lines: [] };
    else if (line.trim() !== '') said = /^<!-- block: (.*) -->$/.exec(line)?.[1];
  }
  return { blocks, problems };
}

const RUN: BlockUse = { kind: 'run', exits: [0] };

function useOf(said: string): BlockUse | undefined {
  const [, word = '', rest = ''] = /^(\w+) (.+)$/.exec(said) ?? [];
  if (word === 'skip') return rest.length < LEAST_REASON_CHARS ? undefined : { kind: 'skip', reason: rest };
  if (said === 'printed by the commands above') return { kind: 'printed' };
  if (word === 'file') return /^[\w.-]+$/.test(rest) ? { kind: 'file', name: rest } : undefined;
  if (word === 'exits')
    return /^\d+(?: \d+)*$/.test(rest) ? { kind: 'run', exits: rest.split(' ').map(Number) } : undefined;
  const until = /^until (.+)$/.exec(rest)?.[1];
  return word === 'background' && until !== undefined ? { kind: 'background', until } : undefined;
}
