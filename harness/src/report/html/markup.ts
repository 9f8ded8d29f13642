import type { TrueAnswer } from '../../network/truth/index.js';
import type { SeenAnswer } from '../../oracle/index.js';
import type { Behaviour } from '../../scenario/index.js';

/** Markup that is safe to be written: made by {@link html} alone. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: text is escaped, markup is not, lists are joined, nothing is left out. */
type Content = string | number | Markup | undefined | readonly Content[];

/**
 * Template of HTML and SVG: every value is escaped unless it is {@link Markup} itself, within elements and within quoted attributes. Text of
 * peers has no other way into a page.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let markup = strings[0] ?? '';
  for (const [index, value] of values.entries()) markup += contentOf(value) + (strings[index + 1] ?? '');
  return { markup };
}

function contentOf(value: Content): string {
  if (value === undefined) return '';
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return 'markup' in value ? value.markup : value.map(contentOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that HTML and SVG do not have, and those that turn the direction of what follows, are shown as what they are. */
function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(
      /[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\u202a-\u202e\u2066-\u2069]/gu,
      '\ufffd',
    );
}

/** A table that is scrolled by itself. Headings of columns with numbers begin with `#`. */
export function dataTable(label: string, headings: readonly string[], rows: readonly Markup[]): Markup {
  const heads = headings.map((heading) =>
    heading.startsWith('#')
      ? html`<th scope="col" class="num">${heading.slice(1)}</th>`
      : html`<th scope="col">${heading}</th>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** A behaviour as a QA engineer would say it, with when and for how many calls it holds. */
export function behaviourText(behaviour: Behaviour): string {
  const { fromSeconds, untilSeconds, share } = behaviour;
  const bounds = [
    fromSeconds === undefined ? '' : `from ${fromSeconds} s`,
    untilSeconds === undefined ? '' : `until ${untilSeconds} s`,
    share === undefined ? '' : `${Math.round(share * 100)} % of calls`,
  ].filter((text) => text !== '');
  // The table has under each kind the text of that kind.
  const doing = (DOINGS[behaviour.kind] as Doing<Behaviour['kind']>)(behaviour);
  return bounds.length === 0 ? doing : `${doing} (${bounds.join(', ')})`;
}

type Doing<Kind extends Behaviour['kind']> = (behaviour: Extract<Behaviour, { readonly kind: Kind }>) => string;

const DOINGS: { readonly [Kind in Behaviour['kind']]: Doing<Kind> } = {
  'strips-identity': () => 'strips Identity',
  'signs-spoofed': () => 'signs spoofed calls with A',
  downgrades: ({ to }) => `signs anew with ${to}`,
  'alters-identity': () => 'alters what others have signed',
  'signs-as': ({ provider, attestation }) => `signs as ${provider} with ${attestation}`,
  diverts: ({ to, withoutDiv }) => `diverts to ${to}${withoutDiv === true ? ' without div' : ''}`,
  'rewrites-numbers': ({ how }) => `rewrites numbers: ${how}`,
  forks: ({ branches }) => `forks to ${branches}`,
  'replays-identity': () => 'replays Identity',
  overloads: ({ perSecond }) => `refuses above ${perSecond} calls/s`,
  crashes: () => 'crashes',
  certificate: ({ fault }) => `certificate: ${fault}`,
  'certificate-server': ({ fault }) => `certificate server: ${fault}`,
  'record-gap': () => 'has a gap in its records',
  'purged-records': () => 'has purged its records',
  'clock-skew': ({ seconds }) => `clock is off by ${seconds} s`,
  silent: () => 'is silent',
  late: ({ hours }) => `answers after ${hours} h`,
  refuses: ({ reason }) => `refuses: ${reason}`,
  'names-another': ({ provider, colludes, otherCall }) =>
    `lies: names ${provider}${colludes === true ? ', which colludes' : ''}${otherCall === true ? ', and discloses another call' : ''}`,
  'names-nobody': ({ name }) => `lies: names ${name}`,
  'claims-origin': () => 'lies: says it is the origin',
  denies: () => 'lies: says there was no such call',
};

/** A true answer in words. */
export function answerText(answer: TrueAnswer): string {
  switch (answer.kind) {
    case 'upstream':
      return `from ${answer.provider}`;
    case 'origin':
      return `origin, customer ${answer.caller}`;
    case 'point-of-entry':
      return `point of entry, from ${answer.foreign}`;
    default:
      return answer.kind.replaceAll('-', ' ');
  }
}

/** An answer that was given, in the words of a true one. */
export function seenAnswerText({ kind, named }: SeenAnswer): string {
  if (named !== undefined && (kind === 'received-from' || kind === 'upstream')) return `from ${named}`;
  const words = kind.replaceAll('-', ' ');
  return named === undefined ? words : `${words}: ${named}`;
}

/** What a traceback came to, in words. Of a dispute nobody is the one that it is about. */
export function outcomeText({ kind, provider }: { readonly kind: string; readonly provider?: string }): string {
  const words = kind === 'non-responsive' ? kind : kind.replaceAll('-', ' ');
  return provider === undefined || kind === 'disputed' ? words : `${words} ${provider}`;
}

/** A number with its noun: `1 call`, `2 calls`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Styles of the report: light and dark, on screen and on paper, nothing fetched. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#545d68;--page:#fff;--card:#f5f7f9;--line:#c9d1d9;--good:#12653a;--bad:#a40e26;--accent:#0a57b4;--goodfill:#e3f4ea;--badfill:#fdeaec;--warnfill:#fff5d9}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf0;--soft:#a9b3bd;--page:#12161b;--card:#1b2127;--line:#3d4650;--good:#6fd79b;--bad:#ff9aa5;--accent:#7cb7ff;--goodfill:#143323;--badfill:#42191f;--warnfill:#3a3013}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main,header,nav,footer{max-width:76rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:1.75rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem;padding-top:.5rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.25rem 0 .5rem}
p{margin:.5rem 0;max-width:62rem}p,li,h3{overflow-wrap:anywhere}
a{color:var(--accent)}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:4px;padding:.6rem .75rem;margin:.5rem 0}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
.soft{color:var(--soft)}
.verdict{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:center;border-left:.5rem solid var(--good);background:var(--goodfill);padding:.9rem 1.1rem;margin:1rem 0}
.verdict.failed{border-left-color:var(--bad);border-left-style:double;background:var(--badfill)}
.verdict span{flex:1 1 16rem}.verdict strong{font-size:1.35rem;white-space:nowrap}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.75rem;margin:1rem 0;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:.6rem .8rem}
.tiles b{display:block;font-size:1.3rem;line-height:1.3}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;margin:.75rem 0}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:4px}
.scroll:focus-visible,summary:focus-visible,a:focus-visible,input:focus-visible,select:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.925rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .7rem;border-bottom:1px solid var(--line)}
thead th{background:var(--card);white-space:nowrap}
tr:last-child>*{border-bottom:0}
td.num,th.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}
.trace td,.trace th{border-right:1px solid var(--line);min-width:8.5rem}
.trace td.lie{background:var(--badfill)}.trace td.quiet{background:var(--warnfill)}
details{border:1px solid var(--line);border-radius:4px;margin:.5rem 0;background:var(--page)}
summary{cursor:pointer;padding:.5rem .75rem;overflow-wrap:anywhere}
details>div{padding:0 .75rem .75rem}
details[open]>summary{border-bottom:1px solid var(--line);background:var(--card)}
details details{margin:.2rem 0}details details>summary{padding:.25rem .6rem;font-size:.9rem}
.beside{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:0 1rem}
.filters{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center;margin:.5rem 0}
.filters[hidden]{display:none}
input,select{max-width:100%;font:inherit;color:inherit;background:var(--page);border:1px solid var(--soft);border-radius:4px;padding:.3rem .5rem}
svg{display:block;max-width:none}svg.fit{max-width:100%;height:auto}
svg text{fill:var(--ink);font:13px system-ui,sans-serif}
svg .small{font-size:12px;fill:var(--soft)}
svg .strong{font-weight:600}
svg .mark{fill:var(--bad);font-weight:600;font-size:12px}
svg .fine{fill:var(--good);font-size:12px}
svg .box{fill:var(--card);stroke:var(--soft)}
svg .box.odd{stroke:var(--bad);stroke-dasharray:6 3;stroke-width:1.6}
svg .box.true{stroke:var(--ink);stroke-width:2.4}
svg .ring{fill:none;stroke:var(--ink);stroke-width:1.2}
svg .who{fill:var(--page);stroke:var(--soft)}
svg .wire{fill:none;stroke:var(--soft);stroke-width:1.3}
svg .life{stroke:var(--line)}
svg .arrow{stroke:var(--ink);stroke-width:1.3}
svg .arrow.lost{stroke:var(--bad);stroke-dasharray:5 3}
svg .head{fill:var(--ink)}
svg .behind{fill:var(--page)}
svg .grid{stroke:var(--line);stroke-width:1}
svg .plot{fill:none;stroke:var(--accent);stroke-width:1.8}
svg .plot.second{stroke-dasharray:6 3}svg .plot.third{stroke-dasharray:2 3}
svg .dot{fill:var(--accent)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
.plots svg{width:100%;height:auto}
figure{margin:0}figcaption{font-weight:600;margin-bottom:.25rem}
footer{padding-top:2rem;padding-bottom:2rem;color:var(--soft);font-size:.875rem}
@media print{nav,.filters,.skip{display:none}body{font-size:11pt}h2{break-after:avoid}details,tr,figure{break-inside:avoid}.scroll{overflow:visible}main,header,footer{max-width:none;padding:0}.scroll svg{max-width:100%;height:auto}}
`;

/** Filters of lists: all that a script does here. Without it everything is shown. */
export const FILTER_SCRIPT = `
for (const form of document.querySelectorAll('.filters')) {
  const rows = document.querySelectorAll(form.dataset.rows);
  const told = form.querySelector('output');
  const apply = () => {
    const words = form.querySelector('input').value.toLowerCase();
    const kind = form.querySelector('select').value;
    let shown = 0;
    for (const row of rows) {
      const fits = (kind === '' || row.dataset.kind === kind) && row.textContent.toLowerCase().includes(words);
      row.hidden = !fits;
      if (fits) shown += 1;
    }
    told.textContent = shown + ' of ' + rows.length + ' shown';
  };
  form.addEventListener('input', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.hidden = false;
  apply();
}
const opened = () => {
  for (let at = document.getElementById(location.hash.slice(1)); at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
};
addEventListener('hashchange', opened);
addEventListener('beforeprint', () => {
  for (const ladder of document.querySelectorAll('details.call')) ladder.open = true;
});
opened();
`;
