import type { NetworkPlan, PlannedCall } from '../../network/plan/index.js';
import type { TrueAnswer } from '../../network/truth/index.js';
import type { SeenCampaign } from '../../oracle/index.js';
import { counted, outcomeText, seenAnswerText } from '../html/markup.js';
import { verdictSentence } from '../html/report-html.js';
import { oneLine } from '../ladder/ladder.js';
import type { AskedProvider, JudgedTraceback, RunRecord, RunSnapshot } from '../run-record.js';
import { askedProviders, isForeign, isTruthful, judgedTracebacks, metricText } from '../run-record.js';

/** The name that a provider does business under, by its id in the plan or in the registry; whoever is in neither has said its name itself. */
function businessName({ providers }: NetworkPlan, id: string): string {
  return oneLine(providers.find((one) => one.id === id || one.providerId === id)?.name ?? id);
}

/** A sentence with its point; a name that ends with one brings it along. */
const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

/** Narrowest terminal that anybody has. */
const COLUMNS = 80;

/** Breaks a text between words into lines of a terminal; a word that is longer than one stays whole. */
function wrapped(text: string, { first, rest }: { readonly first: string; readonly rest: string }): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length >= COLUMNS) {
      lines.push(line);
      [line, isEmpty] = [rest, true];
    }
    line = isEmpty ? `${line}${word}` : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** A text behind its mark. */
const marked = (mark: string, text: string): string[] => wrapped(text, { first: `  ${mark} `, rest: '    ' });

/** Who is named as origin or point of entry and whether that is true; who was named by liars, and whether anything came of it. */
function namedLines(record: RunRecord): readonly string[] {
  const { plan, oracle } = record;
  const judged = judgedTracebacks(record);
  const right = new Map<string, number>();
  for (const { truth, isRight } of judged)
    if (isRight) right.set(truth.culprit.provider, (right.get(truth.culprit.provider) ?? 0) + 1);
  const accused = oracle.findings.flatMap(({ kind, provider }) =>
    kind === 'accusation' && provider !== undefined ? [provider] : [],
  );
  const falsely = new Set(
    judged.flatMap(({ traceback, truth }) =>
      traceback.answers.flatMap(({ provider, named }) => {
        const statement = truth.answers.find((one) => one.provider === provider);
        const isLie = statement?.given.kind === 'upstream' && statement.given !== statement.truth;
        return isLie && named !== undefined ? [named] : [];
      }),
    ),
  );
  const undecided = judged.filter(({ isFair, isRight }) => isFair && !isRight).length;
  return [
    ...[...right].flatMap(([provider, count]) => {
      const { kind } = judged.find(({ truth }) => truth.culprit.provider === provider)?.truth.culprit ?? {};
      const as = kind === 'origin' ? 'where the calls began' : 'the gateway provider (point of entry)';
      return marked('✓', `${businessName(plan, provider)}, ${as}, by ${counted(count, 'traceback')}. It is true.`);
    }),
    ...(right.size === 0 ? ['  ✗ No provider is named correctly.'] : []),
    ...[...falsely]
      .filter((named) => !accused.includes(named))
      .flatMap((named) => marked('✓', `${businessName(plan, named)} was named falsely, and is not accused.`)),
    ...[...new Set(accused)].flatMap((one) =>
      marked('✗', `${businessName(plan, one)} IS ACCUSED, and has done nothing.`),
    ),
    ...(undecided > 0
      ? marked('?', `${counted(undecided, 'traceback')} did not reach the source of the calls: not enough evidence.`)
      : []),
  ];
}

const INDENT = { first: '  ', rest: '    ' };
/** So much of what was said is enough to know it by. */
const QUOTED_CHARS = 100;

/** Who called, how many, under which numbers, and what was said. */
function campaignLines({ plan, facts, oracle }: RunRecord): readonly string[] {
  const placed = new Set(facts.calls.filter(({ placedAtMs }) => placedAtMs !== undefined).map(({ index }) => index));
  const calls = plan.calls.filter(({ index }) => placed.has(index));
  const campaigns = groupedBy(calls, ({ campaign }) => campaign);
  const ordinary = campaigns.get(undefined)?.length ?? 0;
  const { verdict_accuracy: verdicts } = oracle.metrics;
  return [
    ...[...campaigns].flatMap(([campaign, own]) => (campaign === undefined ? [] : oneCampaign(plan, campaign, own))),
    ...(ordinary > 0 ? wrapped(`${counted(ordinary, 'other call')} meanwhile, ordinary ones.`, INDENT) : []),
    ...(verdicts.kind === 'rate' && verdicts.of > 0
      ? wrapped(
          `Real SIP, signed and verified on the way: ${counted(verdicts.of, 'verdict')}, ${verdicts.good === verdicts.of ? 'all of them' : verdicts.good} right.`,
          INDENT,
        )
      : []),
  ];
}

function oneCampaign(plan: NetworkPlan, campaign: string, calls: readonly PlannedCall[]): readonly string[] {
  const at = plan.providers.find(({ id }) => id === calls[0]?.way[0]);
  const country = at === undefined || at.country === 'US' ? '' : `, abroad in ${at.country}`;
  const shown = new Set(calls.map(({ calling }) => calling)).size;
  const called = new Set(calls.map((call) => call.called)).size;
  const said = calls.find(({ transcript }) => transcript !== undefined)?.transcript;
  const quoted =
    said === undefined || said.length <= QUOTED_CHARS
      ? said
      : `${said.slice(0, said.lastIndexOf(' ', QUOTED_CHARS))} …`;
  const by = `${campaign}, a customer of ${at === undefined ? 'nobody' : businessName(plan, at.id)}${country}`;
  const entry = `${by}: ${counted(calls.length, 'call')} to ${counted(called, 'telephone')}, under ${counted(shown, 'calling number')}.`;
  return [
    ...wrapped(entry, INDENT),
    ...(quoted === undefined ? [] : wrapped(`“${oneLine(quoted)}”`, { first: '    ', rest: '    ' })),
  ];
}

/** Campaigns, alerts and tracebacks: how much of what there was, and how soon. */
function foundLines({ plan, facts, snapshots }: RunRecord): readonly string[] {
  const { campaigns, alerts, tracebacks } = facts;
  const beganMs = Math.min(...facts.calls.flatMap(({ placedAtMs }) => placedAtMs ?? []));
  if (campaigns.length === 0) return ['  ✗ No campaign was found.'];
  const after = (atMs: readonly number[]): string => seconds(Math.min(...atMs) - beganMs);
  const known = [
    ...alerts.map(({ atMs }) => atMs - beganMs),
    ...tracebacks.map(({ openedAtMs }) => openedAtMs - beganMs),
  ];
  const soonestMs = Math.min(...known, seenAfterMs(snapshots));
  const knownMs = Number.isFinite(soonestMs) ? soonestMs : undefined;
  const agencies = [...new Set(alerts.map(({ agency }) => agency))].toSorted();
  return [
    ...campaigns.flatMap((one, place) => foundCampaign(one, { plan, knownMs: place === 0 ? knownMs : undefined })),
    ...(alerts.length === 0
      ? ['  ✗ Nobody was alerted.']
      : marked(
          '✓',
          `${counted(alerts.length, 'alert')} to ${agencies.join(' and ')}, the first ${after(alerts.map(({ atMs }) => atMs))} after the first call`,
        )),
    ...(tracebacks.length === 0
      ? ['  ✗ No call was traced back.']
      : marked(
          '✓',
          `${counted(tracebacks.length, 'traceback')} begun, the first ${after(tracebacks.map(({ openedAtMs }) => openedAtMs))} after the first call`,
        )),
  ];
}

/** @param knownMs - by when the first was found, milliseconds after the first call */
function foundCampaign(
  { name, calls }: SeenCampaign,
  { plan, knownMs }: { readonly plan: NetworkPlan; readonly knownMs: number | undefined },
): readonly string[] {
  const soon = knownMs === undefined ? '' : `, found within ${seconds(knownMs)} of its first call`;
  const owners = groupedBy(calls, (index) => plan.calls[index]?.campaign);
  const [meant, own] = [...owners].toSorted(([, one], [, other]) => other.length - one.length)[0] ?? [];
  if (meant === undefined || own === undefined) return marked('✗', `${oneLine(name)}, made of ordinary calls${soon}`);
  const all = plan.calls.filter(({ campaign }) => campaign === meant).length;
  const wrong = calls.length - own.length;
  const others = wrong === 0 ? 'and no other' : `and ${counted(wrong, 'call')} that do not belong to it`;
  return marked('✓', `Campaign “${oneLine(name)}”: ${own.length} of the ${all} calls of ${meant}, ${others}${soon}`);
}

/** From the first look at which a call was placed to the first at which a campaign was there; infinite: there was none. */
function seenAfterMs(snapshots: readonly RunSnapshot[]): number {
  const began = snapshots.find(({ placed }) => placed > 0);
  const seen = snapshots.find(({ found }) => (found?.campaigns ?? 0) > 0);
  return began === undefined || seen === undefined ? Number.POSITIVE_INFINITY : seen.atMs - began.atMs;
}

const seconds = (ms: number): string => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;

function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const known = groups.get(keyOf(item));
    if (known === undefined) groups.set(keyOf(item), [item]);
    else known.push(item);
  }
  return groups;
}

/** Where the second column begins: longest name, and a space on either side. */
const NAME_COLUMNS = 34;

/**
 * One traceback: a line for each carrier with what it said, the truth under what is not, then what gave a lie away, and what all of it came to. Times and
 * ids are left out, so that tracebacks that took the same course are told alike.
 */
function tracebackLines(judged: JudgedTraceback, plan: NetworkPlan): readonly string[] {
  const { traceback, truth, isFair, isRight } = judged;
  const asked = askedProviders(truth, traceback.answers);
  const { kind, provider } = truth.culprit;
  const where = `${kind === 'origin' ? 'the call began at' : 'the call entered the country through'} ${businessName(plan, provider)}`;
  const judgement = isRight
    ? 'That is true'
    : isFair
      ? `Nobody is accused; in truth ${where}`
      : `That is wrong: ${where}`;
  return [
    ...asked.flatMap((one) => askedLines(one, plan)),
    ...asked.flatMap((_, place) => foundOut(asked, { place, plan })),
    ...marked(isRight ? '✓' : isFair ? '?' : '✗', `${sentence(endText(judged, plan))} ${sentence(judgement)}`),
  ];
}

/** What a traceback came to, said of whom it is about. */
function endText({ traceback: { outcome, state } }: JudgedTraceback, plan: NetworkPlan): string {
  if (outcome === undefined) return `It is ${state}`;
  const { kind, provider } = outcome;
  const name = provider === undefined ? 'somebody' : businessName(plan, provider);
  switch (kind) {
    case 'origin':
      return `It names ${name}, where the call began`;
    case 'point-of-entry':
      return `It names ${name}, the gateway provider (point of entry)`;
    case 'disputed':
      return 'It ends disputed: statements contradict each other, and the evidence does not decide between them';
    case 'non-responsive':
      return `It ends at ${name}, which does not answer`;
    default:
      return `It came to: ${outcomeText(outcome)}`;
  }
}

function askedLines(asked: AskedProvider, plan: NetworkPlan): readonly string[] {
  const { provider, statement, answer } = asked;
  const name = businessName(plan, provider);
  const first = `  ${name.padEnd(NAME_COLUMNS - 3)} `;
  const rest = ' '.repeat(NAME_COLUMNS + 2);
  const said = (mark: string, text: string): string[] => wrapped(text, { first: `${first}${mark} `, rest });
  const inTruth =
    statement === undefined ? [] : wrapped(`in truth ${truthText(statement.truth, plan)}`, { first: rest, rest });
  if (answer === undefined) {
    if (isForeign(provider, plan)) return said('·', 'abroad: nobody can ask it');
    if (statement?.given.kind === 'silent') return [...said('⌀', 'SILENT'), ...inTruth];
    return said('·', 'not asked, or no answer');
  }
  const words = saidText(asked, plan);
  const isTrue = isTruthful(asked, plan);
  if (isTrue === undefined) return [...said('⌀', words), ...inTruth];
  if (isTrue) return said('✓', statement === undefined ? `${words}: it never had it` : words);
  return [...said('≠', `LIES: ${words}`), ...inTruth];
}

function saidText({ answer, statement }: AskedProvider, plan: NetworkPlan): string {
  if (answer === undefined) return '';
  const { kind, named } = answer;
  const name = named === undefined ? undefined : businessName(plan, named);
  if (kind === 'received-from' || kind === 'upstream') return `had it from ${name ?? 'somebody'}`;
  if (kind === 'origin') return 'it began here, with a customer';
  if (kind === 'point-of-entry') return `came in from abroad${name === undefined ? '' : `, from ${name}`}`;
  if (kind === 'not-found') return statement === undefined ? 'no such call here' : 'had no such call';
  return oneLine(seenAnswerText(name === undefined ? { ...answer } : { ...answer, named: name }));
}

function truthText(answer: TrueAnswer, plan: NetworkPlan): string {
  switch (answer.kind) {
    case 'upstream':
      return `from ${businessName(plan, answer.provider)}`;
    case 'origin':
      return `it began here, with ${answer.caller}`;
    case 'point-of-entry':
      return `from abroad, from ${businessName(plan, answer.foreign)}`;
    case 'not-retained':
      return 'its record is gone';
    default:
      return 'it has no record of it';
  }
}

/** What gave away a provider that lied or was silent: the one before it on the true way, which was asked after all, and whoever was named falsely. */
function foundOut(
  asked: readonly AskedProvider[],
  { place, plan }: { readonly place: number; readonly plan: NetworkPlan },
): readonly string[] {
  const one = asked[place];
  if (one?.statement === undefined) return [];
  const isSilent = one.answer === undefined && one.statement.given.kind === 'silent' && !isForeign(one.provider, plan);
  const isLie = one.answer !== undefined && isTruthful(one, plan) === false;
  if (!isSilent && !isLie) return [];
  const name = businessName(plan, one.provider);
  const before = asked[place + 1];
  const witness = before?.statement !== undefined && before.answer !== undefined ? before.provider : undefined;
  const named = asked.find(({ provider, statement }) => statement === undefined && provider === one.answer?.named);
  const denies = named?.answer?.kind === 'not-found' ? businessName(plan, named.provider) : undefined;
  const how = [
    ...(denies === undefined ? [] : [`${denies} has no such call`]),
    ...(witness === undefined
      ? []
      : [`the record of ${businessName(plan, witness)} shows that it sent the call to ${name}`]),
  ];
  if (how.length === 0) return [];
  return marked('→', sentence(`${name} is ${isSilent ? 'passed over' : 'contradicted'}: ${how.join(', and ')}`));
}

/** Different tracebacks that are told whole; a terminal is no report. */
const MAX_TOLD = 6;

/**
 * A run told in plain words, for somebody who has never seen one: what the campaign was, what was found of it and when, each traceback hop by hop beside
 * the true way, who is named and who was named falsely, and how that stands to the truth. No line is wider than 80 columns but for names of peers.
 * @returns lines, without colour
 */
export function storyLines(record: RunRecord): readonly string[] {
  const { plan, thresholds, verdict, oracle } = record;
  const courses = new Map<string, { readonly lines: readonly string[]; readonly calls: number[] }>();
  for (const judged of judgedTracebacks(record)) {
    const lines = tracebackLines(judged, plan);
    const known = courses.get(lines.join('\n'));
    if (known === undefined) courses.set(lines.join('\n'), { lines, calls: [judged.traceback.callIndex] });
    else known.calls.push(judged.traceback.callIndex);
  }
  const told = [...courses.values()].slice(0, MAX_TOLD);
  const left = courses.size - told.length;
  return [
    '',
    'WHAT HAPPENED',
    ...campaignLines(record),
    '',
    'WHAT WAS FOUND',
    ...foundLines(record),
    ...told.flatMap(({ lines, calls }) => ['', ...titleOf(calls), ...lines]),
    ...(left > 0 ? ['', `${counted(left, 'other course')} of tracebacks: in the report.`] : []),
    '',
    'WHO IS NAMED',
    ...namedLines(record),
    '',
    'COMPARED WITH THE TRUTH',
    ...thresholds.map(({ metric, threshold, isMet, seen }) => {
      const figure = Object.entries(oracle.metrics).find(([name]) => name === metric)?.[1];
      return `  ${isMet ? '✓' : '✗'} ${metric} ${threshold}: ${figure === undefined ? seen : metricText(figure)}`;
    }),
    ...oracle.findings
      .slice(0, MAX_TOLD)
      .flatMap(({ kind, expected, seen }) =>
        marked('✗', `${kind}: expected ${oneLine(expected)}; seen ${oneLine(seen)}`),
      ),
    '',
    ...wrapped(`${verdict.toUpperCase()}: ${verdictSentence(record)}`, {
      first: `${verdict === 'passed' ? '✓' : '✗'} `,
      rest: '  ',
    }),
  ];
}

function titleOf(calls: readonly number[]): readonly string[] {
  // A call of which there are a record and a report may be traced by either.
  const which = [...new Set(calls)].toSorted((one, other) => one - other);
  const whose = which.length === 1 ? `call ${which[0]}` : `calls ${which.slice(0, -1).join(', ')} and ${which.at(-1)}`;
  return wrapped(
    `${calls.length === 1 ? 'Traceback' : `${calls.length} tracebacks`} of ${whose}, back from the called party:`,
    {
      first: '',
      rest: '  ',
    },
  );
}
