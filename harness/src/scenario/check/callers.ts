import { isInRange } from '../number-ranges.js';
import type { Scenario, ScenarioCaller } from '../scenario.js';
import { ROBOCALL_SCRIPTS, SCRIPT_WORDS } from '../scripts.js';
import type { Complaint } from './complaint.js';
import { suggestion } from './near-words.js';

/** Callers and called parties of the right form that make no sense. */
export function checkCallers(scenario: Scenario): readonly Complaint[] {
  return scenario.callers.flatMap((caller, at) => {
    const path = ['callers', at];
    const { durationSeconds: duration } = caller;
    return [
      ...(duration !== undefined && duration.from > duration.to
        ? [{ path: [...path, 'durationSeconds', 'to'], message: `must be at least from, ${String(duration.from)}` }]
        : []),
      ...checkKind(caller, path),
      ...checkScript(caller, path),
      ...checkCsv(caller, scenario, path),
    ];
  });
}

function checkKind(caller: ScenarioCaller, path: Complaint['path']): readonly Complaint[] {
  if (caller.kind !== 'ordinary') return [];
  return (['script', 'campaign', 'callBack'] as const).flatMap((member) =>
    caller[member] === undefined
      ? []
      : [{ path: [...path, member], message: 'is of robocallers: an ordinary caller has none' }],
  );
}

const WORD = /\{([^{}]{0,64})\}/gu;

function checkScript({ script, csv }: ScenarioCaller, path: Complaint['path']): readonly Complaint[] {
  if (script === undefined || script === '' || Object.hasOwn(ROBOCALL_SCRIPTS, script)) return [];
  const names = Object.keys(ROBOCALL_SCRIPTS);
  if (/^[a-z0-9-]+$/u.test(script)) {
    const message = `there is no script ${script}${suggestion(script, names) || `: there are ${names.join(', ')}`}`;
    return [{ path: [...path, 'script'], message }];
  }
  const known = [...SCRIPT_WORDS, ...Object.keys(csv?.words ?? {})];
  return Array.from(script.matchAll(WORD), ([, word = '']) => word)
    .filter((word) => !known.includes(word))
    .map((word) => ({
      path: [...path, 'script'],
      message: `has {${word}}, which is none of the words that vary${suggestion(word, known) || `: ${known.join(', ')}`}`,
    }));
}

function checkCsv(caller: ScenarioCaller, { called }: Scenario, path: Complaint['path']): readonly Complaint[] {
  const { csv } = caller;
  if (csv === undefined) return [];
  const at = [...path, 'csv'];
  if (csv.rows === undefined) {
    const message =
      csv.file === undefined ? 'needs file or rows' : 'has not been read: a file is read with its scenario alone';
    return [{ path: at, message }];
  }
  const fields = [csv.calling, csv.called, ...Object.values(csv.words ?? {})].filter((field) => field !== undefined);
  if (fields.length === 0) return [{ path: at, message: 'names no field: calling, called or words' }];
  const needed = Math.max(...fields);
  const ranges = called.filter(({ id }) => caller.calls.includes(id)).map(({ first, count = 1 }) => ({ first, count }));
  return csv.rows.flatMap((row, csvRow): readonly Complaint[] => {
    const found = (message: string): readonly Complaint[] => [
      { path: at, message: `row ${String(csvRow + 1)} ${message}`, csvRow },
    ];
    if (row.length <= needed) return found(`has no field ${String(needed)}`);
    for (const field of [csv.calling, csv.called]) {
      if (field !== undefined && !/^\d{3,15}$/u.test(row[field] ?? ''))
        return found(`has no number of 3 to 15 digits in field ${String(field)}`);
    }
    if (csv.called === undefined || ranges.some((range) => isInRange(row[csv.called ?? 0] ?? '', range))) return [];
    return found('has a called number that is none of those that the caller calls');
  });
}
