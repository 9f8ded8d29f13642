import { counted } from '../html/markup.js';
import { judgedTracebacks } from '../run-record.js';
import type { RunRecord } from '../run-record.js';
import { businessName } from './business-name.js';
import { wrapped } from './wrapped.js';

const REST = '    ';

/** Who is named as origin or point of entry and whether that is true; who was named by liars, and whether anything came of it. */
export function namedLines(record: RunRecord): readonly string[] {
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
      const as = kind === 'origin' ? 'where the calls began' : 'where the calls came into the country';
      return wrapped(`${businessName(plan, provider)}, ${as}, by ${counted(count, 'traceback')}. It is true.`, {
        first: '  ✓ ',
        rest: REST,
      });
    }),
    ...(right.size === 0 ? ['  ✗ Nobody whom it is true of.'] : []),
    ...[...falsely].flatMap((named) =>
      accused.includes(named)
        ? []
        : wrapped(`${businessName(plan, named)} was named falsely, and is not accused.`, { first: '  ✓ ', rest: REST }),
    ),
    ...[...new Set(accused)].flatMap((one) =>
      wrapped(`${businessName(plan, one)} IS ACCUSED, and has done nothing.`, { first: '  ✗ ', rest: REST }),
    ),
    ...(undecided > 0
      ? wrapped(`${counted(undecided, 'traceback')} without a name: evidence carried no further.`, {
          first: '  ? ',
          rest: REST,
        })
      : []),
  ];
}
