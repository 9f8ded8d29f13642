import type { Ladder } from './ladder.js';
import { timesText } from './ladder-text.js';

/** A ladder as a sequence diagram of Mermaid, for wikis and tickets that draw it. */
export function ladderMermaid(title: string, { lifelines, rows }: Ladder): string {
  const lines = ['sequenceDiagram', `  %% ${safe(title)}`];
  for (const [index, { id, kind }] of lifelines.entries()) {
    lines.push(`  ${kind === 'hop' || kind === 'external' ? 'participant' : 'actor'} L${index} as ${safe(id)}`);
  }
  for (const row of rows) {
    if (row.kind === 'note') lines.push(`  Note over L${row.at}: ${row.isTrue ? '' : '≠ '}${safe(row.text)}`);
    else {
      const arrow = row.isLost ? '-x' : '->>';
      lines.push(`  L${row.from}${arrow}L${row.to}: ${safe(row.label)} (${safe(timesText(row))})`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Nothing in peer text may end a statement, begin a directive or become markup: what is not plain is an entity by its number. */
function safe(text: string): string {
  return Array.from(text.replaceAll(/\s+/g, ' '))
    .map((character) => (/[\p{L}\p{N} .,()/@+_≠>-]/u.test(character) ? character : `#${character.codePointAt(0)};`))
    .join('')
    .replaceAll('>', '→');
}
