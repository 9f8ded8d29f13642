import { externalProviders } from '../../network/plan/index.js';
import { hopPairs } from '../../oracle/index.js';
import { isVerdictTrue, rounded } from '../figures.js';
import { ladderOf, verdictText } from '../ladder/ladder.js';
import type { Ladder, LadderArrow } from '../ladder/ladder.js';
import type { RunRecord, SampledCall } from '../run-record.js';
import { readIdentityText, readSipText } from '../sip-text.js';
import { findingText } from '../test-results.js';
import { ladderSvg } from './ladder-svg.js';
import { html } from './markup.js';
import type { Markup } from './markup.js';

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
  const ladder = ladderOf(sample, externalProviders(plan));
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
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Hops of call ${index}">
    <table>
      <thead>
        <tr>
          <th scope="col">Hop</th>
          <th scope="col">Provider</th>
          <th scope="col">True verdict</th>
          <th scope="col">Seen</th>
          <th scope="col">Because</th>
          <th scope="col" class="num">Held</th>
        </tr>
      </thead>
      <tbody>
        ${hopPairs(truth.hops, seen.hops).map((pair, hop) => {
          const { verdict, provider } = pair.truth;
          const isTrue = isVerdictTrue(pair);
          const wanted = `${verdict.verstat.join(' or ')}${verdict.attestation === undefined ? '' : ` (${verdict.attestation})`}`;
          const isUnseen = external.has(provider);
          const was =
            pair.seen === undefined ? 'did not come here' : verdictText(pair.seen.verstat, pair.seen.attestation);
          const held = pair.seen === undefined ? '' : `${(pair.seen.heldUs / 1_000).toFixed(2)} ms`;
          return html`<tr>
            <td>${hop + 1}</td>
            <th scope="row">${provider}</th>
            <td>${wanted}</td>
            ${
              isUnseen
                ? html`<td>not ours: not seen inside</td>`
                : html`<td class="${isTrue ? 'good' : 'bad'}">${isTrue ? '✓' : '≠'} ${was}</td>`
            }
            <td>${verdict.because}</td>
            <td class="num">${held}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
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
