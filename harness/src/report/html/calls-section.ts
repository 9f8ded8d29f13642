import { externalProviders } from '../../network/plan/index.js';
import { hopPairs } from '../../oracle/index.js';
import { ladderOf, verdictText } from '../ladder/ladder.js';
import type { Ladder, LadderArrow, LadderNote } from '../ladder/ladder.js';
import { isVerdictTrue, rounded } from '../run-record.js';
import type { RunRecord, SampledCall } from '../run-record.js';
import { readIdentityText, readSipText } from '../sip-text.js';
import { findingText } from '../test-results.js';
import { counted, dataTable, html } from './markup.js';
import type { Markup } from './markup.js';
import { FITTING_PX, arrowHead } from './path-graph.js';

const COLUMN_PX = 190;
const ROW_PX = 34;
const TOP_PX = 44;
const TIMES_PX = 84;

/** A ladder as a drawing. Each message leads to its text: `#m-CALL-ROW`. */
function ladderSvg(ladder: Ladder, callIndex: number): Markup {
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
        aria-label="Ladder of call ${callIndex}: ${counted(rows.length, 'row')}, described in words below"
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

const WHY = { failed: '≠ with findings', traced: 'traced', example: 'example' } as const;

/** The calls that were sampled, those with findings first: hops, ladder and every message. */
export function callsSection(record: RunRecord): Markup {
  const { samples, facts } = record;
  if (samples.length === 0) return html`<p>No call was placed.</p>`;
  const origin = facts.startedAtMs;
  return html`<p class="soft">
      ${samples.length} of ${record.plan.calls.length} calls. Each opens to what is true and was seen at every hop, its
      ladder with both sides of each message, and the messages themselves with Identity taken apart (nothing of it is
      verified here).
    </p>
    <form class="filters" data-rows="details.call" hidden>
      <label>Find <input type="search" placeholder="provider, number, verdict" /></label>
      <label
        >Show
        <select>
          <option value="">all</option>
          <option value="failed">with findings</option>
          <option value="traced">traced</option>
          <option value="example">examples</option>
        </select></label
      ><output></output>
    </form>
    ${samples.map((sample) => callDetails(sample, record, origin))}`;
}

function callDetails(sample: SampledCall, { plan, oracle, command }: RunRecord, originMs: number): Markup {
  const { index, why, seen, truth, messages } = sample;
  const call = plan.calls.find((one) => one.index === index);
  const ladder = ladderOf(sample, plan);
  const status = seen.finalStatus === undefined ? 'no final response' : `ended with ${seen.finalStatus}`;
  const findings = oracle.findings.filter(({ callIndex }) => callIndex === index);
  const placed =
    seen.placedAtMs === undefined ? 'not placed' : `placed at ${((seen.placedAtMs - originMs) / 1_000).toFixed(2)} s`;
  return html`<details class="call" id="c-${index}" data-kind="${why}">
    <summary>
      <strong>Call ${index}</strong> ${WHY[why]}: ${call?.calling ?? ''} → ${call?.called ?? ''},
      ${call?.way.join(' › ') ?? ''}, ${status}
    </summary>
    <div>
      <p>
        ${call?.caller ?? ''}, phase ${call?.phase ?? ''}, ${placed}. True end: ${truth.finalStatus.join(' or ')}. Again
        by itself: <code>${command.replace(/ run /, ` replay ${index} `)} --trace</code>
      </p>
      ${
        findings.length > 0
          ? html`<ul>
              ${findings.map((finding) => html`<li class="bad">≠ ${findingText(finding)}</li>`)}
            </ul>`
          : undefined
      }
      ${hopsTable(sample, plan)}
      ${
        messages.length > 0
          ? html`<h3>Ladder</h3>
              ${ladderSvg(ladder, index)}${messageList(ladder, index)}`
          : html`<p>No messages of this call were kept.</p>`
      }
    </div>
  </details>`;
}

function hopsTable({ index, truth, seen }: SampledCall, { providers }: RunRecord['plan']): Markup {
  const external = externalProviders({ providers });
  const rows = hopPairs(truth.hops, seen.hops).map((pair, hop) => {
    const { verdict, provider } = pair.truth;
    const isTrue = isVerdictTrue(pair);
    const wanted = `${verdict.verstat.join(' or ')}${verdict.attestation === undefined ? '' : ` (${verdict.attestation})`}`;
    const was = pair.seen === undefined ? 'did not come here' : verdictText(pair.seen.verstat, pair.seen.attestation);
    const found = external.has(provider)
      ? html`<td>external: not seen inside</td>`
      : html`<td class="${isTrue ? 'good' : 'bad'}">${isTrue ? '✓' : '≠'} ${was}</td>`;
    const held = pair.seen === undefined ? '' : `${(pair.seen.heldUs / 1_000).toFixed(2)} ms`;
    return html`<tr>
      <td>${hop + 1}</td>
      <th scope="row">${provider}</th>
      <td>${wanted}</td>
      ${found}
      <td>${verdict.because}</td>
      <td class="num">${held}</td>
    </tr>`;
  });
  return dataTable(`Hops of call ${index}`, ['Hop', 'Provider', 'True verdict', 'Seen', 'Because', '#Held'], rows);
}

function messageList({ rows, lifelines }: Ladder, callIndex: number): Markup {
  return html`<h3>Messages</h3>
    ${rows.map((row, index) => {
      if (row.kind === 'note') return undefined;
      const from = lifelines[row.from]?.id ?? '';
      const to = lifelines[row.to]?.id ?? '';
      return html`<details id="m-${callIndex}-${index}">
        <summary>${row.label}: ${from} → ${to} <span class="soft">${timesOf(row)}</span></summary>
        <div>${messageBody(row)}</div>
      </details>`;
    })}`;
}

function timesOf({ sentMs, receivedMs, isLost }: LadderArrow): string {
  const sent = sentMs === undefined ? 'sent by no provider' : `sent at ${rounded(sentMs)} ms`;
  const came =
    receivedMs === undefined
      ? isLost
        ? '✕ not seen by the next hop'
        : 'received by no provider'
      : `received at ${rounded(receivedMs)} ms`;
  return `${sent}, ${came}`;
}

function messageBody({ message }: LadderArrow): Markup {
  const { identities } = readSipText(message.text);
  const { transport, local, remote } = message;
  const decoded = identities.map((value) => {
    const identity = readIdentityText(value);
    if (identity === undefined)
      return html`<p class="bad">≠ An Identity header field whose token cannot be taken apart.</p>`;
    return html`<h4>Identity</h4>
      <pre>
${identity.header}
${identity.claims}</pre>
      <p class="soft">${identity.parameters}</p>`;
  });
  const ends = `${transport}, ${local.address}:${local.port} ${message.direction === 'out' ? '→' : '←'} ${remote.address}:${remote.port}`;
  return html`<p class="soft">${ends}</p>
    <div class="${decoded.length > 0 ? 'beside' : ''}">
      <pre>${message.text}</pre>
      ${decoded.length > 0 ? html`<div>${decoded}</div>` : undefined}
    </div>`;
}
