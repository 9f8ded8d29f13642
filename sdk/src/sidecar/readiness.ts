import type { RecordIntake } from '../records/index.js';
import type { SidecarServices } from './services/sidecar-services.js';

/** Whether the service can do what it is there for. */
export interface Readiness {
  readonly isReady: boolean;
  /** `trust`: somebody is trusted. `signing`: the key and certificate can be used; `off` where nothing is signed here. */
  readonly trust: 'ready' | 'nobody is trusted yet' | 'nobody answers calls';
  readonly signing: string;
  readonly isDraining: boolean;
  /** `ready`, or which sources are stuck: calls are answered all the same. Absent where no records are taken in. */
  readonly records?: string;
}

/** How the sources of an intake fare, for {@link Readiness}. */
export function recordsReadiness(intake: RecordIntake | undefined): Pick<Readiness, 'records'> {
  if (intake === undefined) return {};
  const stuck = intake.state().sources.filter(({ isStuck }) => isStuck);
  return { records: stuck.length === 0 ? 'ready' : `stuck: ${stuck.map(({ id }) => id).join(', ')}` };
}

/**
 * @param services - in force
 * @param isDraining - the process is about to end
 */
export function readinessOf({ trust, signing }: SidecarServices, isDraining: boolean): Readiness {
  const isTrusting = trust.current() !== undefined;
  const obstacle = signing?.service.obstacle();
  return {
    isReady: isTrusting && obstacle === undefined && !isDraining,
    trust: isTrusting ? 'ready' : 'nobody is trusted yet',
    signing: signing === undefined ? 'off' : (obstacle?.detail ?? 'ready'),
    isDraining,
  };
}
