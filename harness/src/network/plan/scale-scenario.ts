import type { Scenario, ScenarioCaller } from '../../scenario/index.js';

/** How long calls last where a scenario does not say, seconds. */
const DURATIONS: Readonly<Record<ScenarioCaller['kind'], { readonly from: number; readonly to: number }>> = {
  robocaller: { from: 6, to: 20 },
  ordinary: { from: 30, to: 240 },
};

/**
 * A scenario whose time goes faster: phases, calls and what providers do at certain times are shorter or longer by a factor, rates stay. Durations of calls
 * that were left open are there.
 */
export function scaleScenario(scenario: Scenario, scale: number): Scenario {
  const scaled = (seconds: number): number => seconds * scale;
  return {
    ...scenario,
    phases: scenario.phases.map((phase) => ({ ...phase, seconds: scaled(phase.seconds) })),
    callers: scenario.callers.map((caller) => {
      const { from, to } = caller.durationSeconds ?? DURATIONS[caller.kind];
      const { daily } = caller;
      return {
        ...caller,
        durationSeconds: { from: scaled(from), to: scaled(to) },
        ...(daily === undefined
          ? {}
          : { daily: { ...daily, hoursPerSecond: (daily.hoursPerSecond ?? 1 / 3_600) / scale } }),
      };
    }),
    providers: scenario.providers.map((provider) => {
      if (provider.behaviours === undefined) return provider;
      const behaviours = provider.behaviours.map((behaviour) => ({
        ...behaviour,
        ...(behaviour.fromSeconds === undefined ? {} : { fromSeconds: scaled(behaviour.fromSeconds) }),
        ...(behaviour.untilSeconds === undefined ? {} : { untilSeconds: scaled(behaviour.untilSeconds) }),
      }));
      return { ...provider, behaviours };
    }),
  };
}
