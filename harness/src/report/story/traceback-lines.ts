import type { NetworkPlan } from '../../network/plan/index.js';
import type { TrueAnswer } from '../../network/truth/index.js';
import { outcomeText, seenAnswerText } from '../html/markup.js';
import { askedProviders, isForeign, isTruthful } from '../run-record.js';
import type { AskedProvider, JudgedTraceback } from '../run-record.js';
import { oneLine } from '../ladder/one-line.js';
import { businessName, sentence } from './business-name.js';
import { wrapped } from './wrapped.js';

/** Where the second column begins: longest name, and a space on either side. */
const NAME_COLUMNS = 34;

/**
 * One traceback: a line for each carrier with what it said, the truth under what is not, then what gave a lie away, and what all of it came to. Times and
 * ids are left out, so that tracebacks that took the same course are told alike.
 */
export function tracebackLines(judged: JudgedTraceback, plan: NetworkPlan): readonly string[] {
  const { traceback, truth, isFair, isRight } = judged;
  const asked = askedProviders(truth, traceback.answers);
  const { kind, provider } = truth.culprit;
  const where = `${kind === 'origin' ? 'the call began at' : 'the call came into the country by'} ${businessName(plan, provider)}`;
  const judgement = isRight
    ? 'That is true'
    : isFair
      ? `Nobody is accused; in truth ${where}`
      : `That is wrong: ${where}`;
  return [
    ...asked.flatMap((one) => askedLines(one, plan)),
    ...asked.flatMap((_, place) => foundOut(asked, { place, plan })),
    ...wrapped(`${sentence(endText(judged, plan))} ${sentence(judgement)}`, {
      first: isRight ? '  ✓ ' : isFair ? '  ? ' : '  ✗ ',
      rest: '    ',
    }),
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
      return `It names ${name}, by which the call came into the country`;
    case 'disputed':
      return 'It ends disputed: one word stands against the other, and nothing on record decides between them';
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
  return wrapped(sentence(`${name} is ${isSilent ? 'passed over' : 'contradicted'}: ${how.join(', and ')}`), {
    first: '  → ',
    rest: '    ',
  });
}
