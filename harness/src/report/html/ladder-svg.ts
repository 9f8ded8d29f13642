import type { Ladder, LadderArrow, LadderNote } from '../ladder/ladder.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';
import { arrowHead, FITTING_PX } from './path-graph.js';
import { counted } from './words.js';

const COLUMN_PX = 190;
const ROW_PX = 34;
const TOP_PX = 44;
const TIMES_PX = 84;

/** A ladder as a drawing. Each message leads to its text: `#m-CALL-ROW`. */
export function ladderSvg(ladder: Ladder, callIndex: number): Markup {
  const { lifelines, rows, left } = ladder;
  const width = TIMES_PX + lifelines.length * COLUMN_PX;
  const height = TOP_PX + rows.length * ROW_PX + 24;
  const columnAt = (index: number): number => TIMES_PX + index * COLUMN_PX + COLUMN_PX / 2;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Ladder of call ${callIndex}">
      <svg
        class="${width <= FITTING_PX ? 'fit' : ''}"
        width="${width}"
        height="${height}"
        viewBox="0 0 ${width} ${height}"
        role="group"
        aria-label="Ladder of call ${callIndex}: ${counted(rows.length, 'row')}, told in words below"
      >
        ${lifelines.map(
          ({ id, kind }, index) =>
            html`<line
                class="life"
                x1="${columnAt(index)}"
                x2="${columnAt(index)}"
                y1="${TOP_PX - 12}"
                y2="${height - 8}"
              />
              <text
                class="${kind === 'hop' || kind === 'external' ? 'strong' : 'small'}"
                text-anchor="middle"
                x="${columnAt(index)}"
                y="22"
                >${id.slice(0, 28)}${kind === 'external' ? ' (external)' : ''}</text
              >`,
        )}
        ${rows.map((row, index) =>
          row.kind === 'note'
            ? noteSvg(row, columnAt(row.at), rowAt(index))
            : arrowSvg(row, {
                from: columnAt(row.from),
                to: columnAt(row.to),
                y: rowAt(index),
                id: `#m-${callIndex}-${index}`,
              }),
        )}
      </svg>
    </div>
    ${left > 0 ? html`<p class="soft">${counted(left, 'more message')} of these calls are not drawn.</p>` : undefined}`;
}

const rowAt = (index: number): number => TOP_PX + index * ROW_PX + ROW_PX / 2;

interface ArrowPlace {
  readonly from: number;
  readonly to: number;
  readonly y: number;
  readonly id: string;
}

function arrowSvg(row: LadderArrow, { from, to, y, id }: ArrowPlace): Markup {
  const isRight = from < to;
  const tip = { x: to, y: y + 6 };
  const middle = (from + to) / 2;
  const width = row.label.length * 7 + 10;
  return html`<text class="small" x="6" y="${y + 9}">${timesSvg(row)}</text>
    <line
      class="arrow${row.isLost ? ' lost' : ''}"
      x1="${from}"
      x2="${isRight ? to - 6 : to + 6}"
      y1="${y + 6}"
      y2="${y + 6}"
    />
    ${row.isLost ? html`<text class="mark" x="${isRight ? to - 62 : to + 8}" y="${y + 20}">✕ not seen</text>` : arrowHead({ x: from, y: y + 6 }, tip)}
    <rect class="behind" x="${middle - width / 2}" y="${y - 13}" width="${width}" height="15" />
    <a href="${id}"><text text-anchor="middle" x="${middle}" y="${y - 1}">${row.label}</text></a>`;
}

function timesSvg({ sentMs, receivedMs }: LadderArrow): string {
  const shown = (ms: number): string => String(Math.round(ms * 10) / 10);
  if (sentMs !== undefined && receivedMs !== undefined) return `${shown(sentMs)}→${shown(receivedMs)}`;
  const one = sentMs ?? receivedMs;
  return one === undefined ? '' : `${shown(one)} ms`;
}

function noteSvg({ text, isTrue }: LadderNote, x: number, y: number): Markup {
  const shown = `${isTrue ? '✓' : '≠'} ${text}`;
  const width = shown.length * 6.8 + 14;
  return html`<rect
      class="box${isTrue ? '' : ' odd'}"
      x="${x - width / 2}"
      y="${y - 11}"
      width="${width}"
      height="23"
      rx="3"
    />
    <text class="${isTrue ? 'fine' : 'mark'}" text-anchor="middle" x="${x}" y="${y + 5}">${shown}</text>`;
}
