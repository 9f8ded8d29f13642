import type { Behaviour } from '../behaviour.js';
import type { Scenario, ScenarioProvider } from '../scenario.js';
import type { Complaint } from './complaint.js';

/** Providers and behaviours of the right form that make no sense. */
export function checkProviders({ providers, platform }: Scenario): readonly Complaint[] {
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
        ? { path, message: 'is foreign: country has to say where, as ISO 3166-1 has it' }
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
    return [{ path, message: 'value is missing: the number that is put in the place of the calling one' }];
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
