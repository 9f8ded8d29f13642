import {
  MAX_CALLS,
  MAX_DNO_NUMBERS,
  MAX_FAULTS,
  MAX_PHONES,
  MAX_POOL_NUMBERS,
  ROBOCALL_SCRIPTS,
  SCRIPT_WORDS,
  isInRange,
  numbersUnder,
  readNumberRange,
} from '../scenario.js';
import type {
  Behaviour,
  Scenario,
  ScenarioCaller,
  ScenarioProvider,
  ScenarioTrace,
} from '../schema/scenario.schema.js';
import type { MetricName, Threshold } from '../thresholds/thresholds.js';
import { contradiction, METRICS, misfit, parseThreshold } from '../thresholds/thresholds.js';
import { suggestion } from './complaint.js';
import type { Complaint } from './complaint.js';

/** Callers and called parties of the right form that make no sense. */
function checkCallers(scenario: Scenario): readonly Complaint[] {
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
      : [{ path: [...path, member], message: 'is only for robocallers, not for ordinary callers' }],
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
      message: `has {${word}}, which is not a script word${suggestion(word, known) || `: ${known.join(', ')}`}`,
    }));
}

function checkCsv(caller: ScenarioCaller, { called }: Scenario, path: Complaint['path']): readonly Complaint[] {
  const { csv } = caller;
  if (csv === undefined) return [];
  const at = [...path, 'csv'];
  if (csv.rows === undefined) {
    const message =
      csv.file === undefined ? 'needs file or rows' : 'has not been read: CSV files are read only with a scenario file';
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
    return found('has a called number that the caller does not call');
  });
}

/** Numbers that overlap, ranges that are none, more than can be held. */
function checkNumbers(scenario: Scenario): readonly Complaint[] {
  return [
    ...checkCalled(scenario),
    ...scenario.callers.flatMap((caller, at) => checkCalling(caller, ['callers', at, 'numbers'])),
    ...checkVolume(scenario),
  ];
}

function checkCalled({ called }: Scenario): readonly Complaint[] {
  const ranges = called
    .map(({ id, first, count = 1 }, at) => ({
      id,
      at,
      first,
      from: Number(first),
      to: Number(first) + count - 1,
    }))
    .toSorted((a, b) => a.first.length - b.first.length || a.from - b.from || a.at - b.at);
  const overlaps = ranges.flatMap((range, place): readonly Complaint[] => {
    const before = ranges[place - 1];
    const path = ['called', range.at, 'first'];
    if (String(range.to).length > range.first.length && !range.first.startsWith('0'))
      return [{ path: ['called', range.at, 'count'], message: 'goes on to numbers with a digit more' }];
    if (before === undefined || before.first.length !== range.first.length || before.to < range.from) return [];
    return [{ path, message: `${range.first} is one of the numbers of ${before.id}` }];
  });
  const phones = called.reduce((sum, { by, count = 1 }) => sum + (by === 'phones' ? count : 0), 0);
  if (phones <= MAX_PHONES) return overlaps;
  const path = ['called', called.findIndex(({ by }) => by === 'phones'), 'count'];
  const message = `there are ${String(phones)} phones in all: at most ${String(MAX_PHONES)}; a sink answers any number`;
  return [...overlaps, { path, message }];
}

function checkCalling({ numbers }: ScenarioCaller, path: Complaint['path']): readonly Complaint[] {
  if (numbers.kind === 'snowshoe') return checkPrefixes(numbers, path);
  if (numbers.kind === 'neighbour' || numbers.kind === 'invalid') return [];
  let total = 0;
  for (const [place, text] of numbers.numbers.entries()) {
    const range = readNumberRange(text);
    if (range === undefined)
      return [{ path: [...path, 'numbers', place], message: `${text} is not a range: FIRST-LAST, of equal length` }];
    total += range.count;
  }
  const max = numbers.kind === 'dno' ? MAX_DNO_NUMBERS : MAX_POOL_NUMBERS;
  if (total <= max) return [];
  return [{ path: [...path, 'numbers'], message: `are ${String(total)} numbers: at most ${String(max)}` }];
}

function checkPrefixes(
  { prefixes, count }: { readonly prefixes: readonly string[]; readonly count: number },
  path: Complaint['path'],
): readonly Complaint[] {
  const room = prefixes.reduce((sum, prefix) => sum + numbersUnder(prefix).room, 0);
  // Half of the room: numbers are drawn, and the last ones would be hard to find.
  if (count <= room / 2) return [];
  const message = `is more than half of the ${String(room)} numbers under the prefixes`;
  return [{ path: [...path, 'count'], message }];
}

/** Calls of a phase, on average. */
function callsOfPhase({ seconds, rate }: Scenario['phases'][number]): number {
  if (rate.shape === 'ramp') return (seconds * (rate.from + rate.to)) / 2;
  if (rate.shape === 'spike') return (seconds * (2 * rate.perSecond + rate.peak)) / 3;
  return seconds * rate.perSecond;
}

function checkVolume({ phases }: Scenario): readonly Complaint[] {
  const total = phases.reduce((sum, phase) => sum + callsOfPhase(phase), 0);
  if (total <= MAX_CALLS) return [];
  return [{ path: ['phases'], message: `have ${String(Math.round(total))} calls: at most ${String(MAX_CALLS)}` }];
}

/** Providers and behaviours of the right form that make no sense. */
function checkProviders({ providers, platform }: Scenario): readonly Complaint[] {
  return providers.flatMap((provider, at) => [
    ...checkCountry(provider, ['providers', at]),
    ...(provider.behaviours ?? []).flatMap((behaviour, place) => [
      ...checkTimes(behaviour, ['providers', at, 'behaviours', place]),
      ...checkSense(behaviour, provider, ['providers', at, 'behaviours', place]),
    ]),
    ...(platform === undefined && provider.shares !== undefined && provider.shares !== 'nothing'
      ? [{ path: ['providers', at, 'shares'], message: 'needs a platform to share with: the scenario has none' }]
      : []),
  ]);
}

function checkCountry({ role, country }: ScenarioProvider, path: Complaint['path']): readonly Complaint[] {
  if (role === 'foreign' && (country === undefined || country === 'US')) {
    return [
      country === undefined
        ? { path, message: 'is foreign: set country, as an ISO 3166-1 code' }
        : { path: [...path, 'country'], message: 'must be another than US for a foreign provider' },
    ];
  }
  return [];
}

function checkTimes(behaviour: Behaviour, path: Complaint['path']): readonly Complaint[] {
  const { fromSeconds = 0, untilSeconds = Number.POSITIVE_INFINITY } = behaviour;
  if (fromSeconds < untilSeconds) return [];
  return [{ path: [...path, 'untilSeconds'], message: `must be more than fromSeconds, ${String(fromSeconds)}` }];
}

function checkSense(
  behaviour: Behaviour,
  { stir, role }: ScenarioProvider,
  path: Complaint['path'],
): readonly Complaint[] {
  if (behaviour.kind === 'rewrites-numbers' && behaviour.how === 'calling' && behaviour.value === undefined)
    return [{ path, message: 'value is missing: the number that replaces the calling number' }];
  if (behaviour.kind === 'rewrites-numbers' && behaviour.how === 'national' && behaviour.value !== undefined)
    return [{ path: [...path, 'value'], message: 'has no meaning where numbers are made national' }];
  if (SIGNS.has(behaviour.kind) && !(stir ?? role !== 'foreign'))
    return [{ path: [...path, 'kind'], message: `${behaviour.kind} needs a provider that takes part in STIR/SHAKEN` }];
  return [];
}

/** Behaviours of somebody who signs: whoever has no certificate cannot have them. */
const SIGNS: ReadonlySet<Behaviour['kind']> = new Set<Behaviour['kind']>([
  'signs-spoofed',
  'downgrades',
  'signs-as',
  'certificate',
  'certificate-server',
]);

/** Names that are there twice, and names of what is not there. */
function checkReferences(scenario: Scenario): readonly Complaint[] {
  const { providers, trunks, callers, called, phases, platform } = scenario;
  const known = providers.map(({ id }) => id);
  const provider = naming('provider', known);
  const destination = naming(
    'entry of called',
    called.map(({ id }) => id),
  );
  const caller = naming(
    'caller',
    callers.map(({ id }) => id),
  );
  return [
    ...twice('providers', known),
    ...twice(
      'callers',
      callers.map(({ id }) => id),
    ),
    ...twice(
      'called',
      called.map(({ id }) => id),
    ),
    ...twice(
      'phases',
      phases.map(({ name }) => name),
      'name',
    ),
    ...twice(
      'providers',
      providers.map(({ spc }) => spc),
      'spc',
    ),
    ...twice(
      'trunks',
      trunks.map(({ from, to }) => `${from} to ${to}`),
      'to',
    ),
    ...trunks.flatMap(({ from, to }, at) => [
      ...provider(from, ['trunks', at, 'from']),
      ...provider(to, ['trunks', at, 'to']),
      ...(from === to ? [{ path: ['trunks', at, 'to'], message: 'leads back to where it comes from' }] : []),
    ]),
    ...callers.flatMap(({ at: home, calls }, at) => [
      ...provider(home, ['callers', at, 'at']),
      ...calls.flatMap((id, place) => destination(id, ['callers', at, 'calls', place])),
    ]),
    ...called.flatMap(({ at: home }, at) => provider(home, ['called', at, 'at'])),
    ...phases.flatMap((phase, at) =>
      (phase.callers ?? []).flatMap((id, place) => caller(id, ['phases', at, 'callers', place])),
    ),
    ...(platform?.traces ?? []).flatMap((trace, at) => [
      ...provider(trace.through, ['platform', 'traces', at, 'through']),
      ...(trace.caller === undefined ? [] : caller(trace.caller, ['platform', 'traces', at, 'caller'])),
      ...missedBehaviour(trace, { providers, path: ['platform', 'traces', at, 'behaviour'] }),
    ]),
    ...providers.flatMap(({ id, behaviours = [] }, at) =>
      behaviours.flatMap((behaviour, place) => {
        if (!('provider' in behaviour)) return [];
        const path = ['providers', at, 'behaviours', place, 'provider'];
        if (behaviour.provider === id) return [{ path, message: 'is the provider itself: name another' }];
        return provider(behaviour.provider, path);
      }),
    ),
  ];
}

/** A call is to be traced for what a provider does that does no such thing. */
function missedBehaviour(
  { through, behaviour }: ScenarioTrace,
  { providers, path }: { readonly providers: Scenario['providers'] } & Pick<Complaint, 'path'>,
): readonly Complaint[] {
  const provider = providers.find(({ id }) => id === through);
  if (behaviour === undefined || provider === undefined) return [];
  const kinds = (provider.behaviours ?? []).map(({ kind }) => kind);
  if (kinds.includes(behaviour)) return [];
  return [{ path, message: `is not a behaviour of ${through}${suggestion(behaviour, kinds)}` }];
}

type Naming = (id: string, path: Complaint['path']) => readonly Complaint[];

function naming(what: string, known: readonly string[]): Naming {
  const set = new Set(known);
  let missing = 0;
  return (id, path) => {
    if (set.has(id)) return [];
    missing += 1;
    // Words are compared with all that there are: not for more than are told.
    const meant = missing > MAX_FAULTS ? '' : suggestion(id, known);
    return [{ path, message: `there is no ${what} ${id}${meant}` }];
  };
}

function twice(list: string, names: readonly (string | undefined)[], member = 'id'): readonly Complaint[] {
  const seen = new Set<string>();
  return names.flatMap((name, at) => {
    if (name === undefined) return [];
    if (seen.has(name)) return [{ path: [list, at, member], message: `${name} is there twice` }];
    seen.add(name);
    return [];
  });
}

/** Thresholds that cannot be parsed, name no metric, ask of it what it has not, or can never hold. */
function checkThresholdTexts({ thresholds = {}, platform }: Scenario): readonly Complaint[] {
  return Object.entries(thresholds).flatMap(([name, held]): readonly Complaint[] => {
    if (!Object.hasOwn(METRICS, name)) {
      const message = `there is no metric ${name}${suggestion(name, Object.keys(METRICS))}`;
      return [{ path: ['thresholds', name], message }];
    }
    const { kind, isOfPlatform, isLive } = METRICS[name as MetricName];
    if (platform === undefined && isOfPlatform === true)
      return [{ path: ['thresholds', name], message: 'needs a platform, and the scenario has none' }];
    const before: Threshold[] = [];
    return held.flatMap((entry, at) => {
      const parsed = parseThreshold(typeof entry === 'string' ? entry : entry.threshold);
      const message =
        parsed.status === 'faulty'
          ? parsed.reason
          : (misfit(parsed.threshold.aggregate, kind) ?? contradiction(parsed.threshold, kind, before));
      if (message !== undefined) return [{ path: ['thresholds', name, at], message }];
      if (typeof entry !== 'string' && entry.abortOnFail === true && isLive !== true)
        return [
          { path: ['thresholds', name, at, 'abortOnFail'], message: `${name} is known only when the run is over` },
        ];
      if (parsed.status === 'parsed') before.push(parsed.threshold);
      return [];
    });
  });
}

/** Most times that a call may be diverted: further on it goes in circles. */
export const MAX_DIVERSIONS = 5;

/** Calls that cannot come to where they are for, whether they are diverted or not. */
function checkWays(scenario: Scenario): readonly Complaint[] {
  const reachable = reachability(scenario);
  const home = new Map(scenario.called.map(({ id, at }) => [id, at]));
  return [
    ...scenario.callers.flatMap(({ at: from, calls }, at) =>
      calls.flatMap((id, place) => {
        const to = home.get(id);
        if (to === undefined || reachable(from).has(to)) return [];
        const message = `no way leads from ${from} to ${to}, which serves ${id}: a trunk is missing`;
        return [{ path: ['callers', at, 'calls', place], message }];
      }),
    ),
    ...checkDiversions(scenario, reachable),
    ...checkForks(scenario),
  ];
}

/** Ids that calls can come to from a provider, itself among them; each provider is walked from once. */
function reachability({ trunks }: Scenario): (from: string) => ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const { from, to } of trunks) {
    const known = next.get(from);
    if (known === undefined) next.set(from, [to]);
    else known.push(to);
  }
  const found = new Map<string, ReadonlySet<string>>();
  return (from) => {
    const known = found.get(from);
    if (known !== undefined) return known;
    const reached = new Set([from]);
    // A set hands out what is added while it is walked.
    for (const id of reached) for (const to of next.get(id) ?? []) reached.add(to);
    found.set(from, reached);
    return reached;
  };
}

function checkDiversions(
  { providers, called }: Scenario,
  reachable: (from: string) => ReadonlySet<string>,
): readonly Complaint[] {
  const servedBy = (number: string): string | undefined =>
    called.find(({ first, count = 1 }) => isInRange(number, { first, count }))?.at;
  const diverted = new Map<string, string>();
  const complaints = providers.flatMap(({ id, behaviours = [] }, at) =>
    behaviours.flatMap((behaviour, place): readonly Complaint[] => {
      if (behaviour.kind !== 'diverts') return [];
      const path = ['providers', at, 'behaviours', place, 'to'];
      const to = servedBy(behaviour.to);
      if (!called.some((entry) => entry.at === id))
        return [{ path, message: `${id} serves no numbers: a provider diverts calls to its own subscribers` }];
      if (to === undefined) return [{ path, message: `nobody serves ${behaviour.to}: it is in no entry of called` }];
      if (to === id) return [{ path, message: 'is served by the provider itself: divert to a number of another' }];
      if (!reachable(id).has(to)) return [{ path, message: `no way leads from ${id} to ${to}, which serves it` }];
      diverted.set(id, to);
      return [];
    }),
  );
  if (complaints.length > 0) return complaints;
  return providers.flatMap(({ id }, at) => {
    let end: string | undefined = id;
    for (let times = 0; times < MAX_DIVERSIONS && end !== undefined; times += 1) end = diverted.get(end);
    const path = ['providers', at, 'behaviours'];
    return end === undefined || !diverted.has(end) ? [] : [{ path, message: 'divert calls in circles' }];
  });
}

function checkForks({ providers, trunks }: Scenario): readonly Complaint[] {
  return providers.flatMap(({ id, behaviours = [] }, at) =>
    behaviours.flatMap((behaviour, place) => {
      if (behaviour.kind !== 'forks') return [];
      const hops = trunks.filter(({ from }) => from === id).length;
      if (hops >= behaviour.branches) return [];
      const message = `is more than the ${String(hops)} trunks that ${id} has`;
      return [{ path: ['providers', at, 'behaviours', place, 'branches'], message }];
    }),
  );
}

/** What makes no sense in a scenario whose form is right; empty: it can be planned. Never throws. */
export function checkScenario(scenario: Scenario): readonly Complaint[] {
  const references = checkReferences(scenario);
  return [
    ...references,
    ...checkProviders(scenario),
    ...checkNumbers(scenario),
    ...checkCallers(scenario),
    ...checkThresholdTexts(scenario),
    // Ways between providers that are not there would be missed a second time.
    ...(references.length === 0 ? checkWays(scenario) : []),
  ];
}
