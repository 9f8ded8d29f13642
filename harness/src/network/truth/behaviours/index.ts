import type { Behaviour, BehaviourKind } from '../../../scenario/index.js';
import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';
import { altersIdentity } from './alters-identity.js';
import { certificate } from './certificate.js';
import { certificateServer } from './certificate-server.js';
import { claimsOrigin } from './claims-origin.js';
import { clockSkew } from './clock-skew.js';
import { crashes } from './crashes.js';
import { denies } from './denies.js';
import { diverts } from './diverts.js';
import { downgrades } from './downgrades.js';
import { forks } from './forks.js';
import { late } from './late.js';
import { namesAnother } from './names-another.js';
import { namesNobody } from './names-nobody.js';
import { overloads } from './overloads.js';
import { purgedRecords } from './purged-records.js';
import { recordGap } from './record-gap.js';
import { refuses } from './refuses.js';
import { replaysIdentity } from './replays-identity.js';
import { rewritesNumbers } from './rewrites-numbers.js';
import { signsAs } from './signs-as.js';
import { signsSpoofed } from './signs-spoofed.js';
import { silent } from './silent.js';
import { stripsIdentity } from './strips-identity.js';

export type { BehaviourEffects, BehaviourHop, BehaviourOf, Leg, Reception } from './behaviour-effects.js';

/** What each kind of behaviour makes true. Total: a kind that is new does not compile without its truth. */
export const BEHAVIOUR_TRUTHS: {
  readonly [Kind in BehaviourKind]: (behaviour: BehaviourOf<Kind>) => BehaviourEffects;
} = {
  'strips-identity': stripsIdentity,
  'signs-spoofed': signsSpoofed,
  downgrades,
  'signs-as': signsAs,
  'alters-identity': altersIdentity,
  diverts,
  'rewrites-numbers': rewritesNumbers,
  forks,
  'replays-identity': replaysIdentity,
  overloads,
  crashes,
  certificate,
  'certificate-server': certificateServer,
  'record-gap': recordGap,
  'purged-records': purgedRecords,
  'clock-skew': clockSkew,
  silent,
  late,
  refuses,
  'names-another': namesAnother,
  'names-nobody': namesNobody,
  'claims-origin': claimsOrigin,
  denies,
};

/** What follows from a behaviour. */
export function effectsOf(behaviour: Behaviour): BehaviourEffects {
  // The table has under each kind the function of that kind.
  return (BEHAVIOUR_TRUTHS[behaviour.kind] as (behaviour: Behaviour) => BehaviourEffects)(behaviour);
}
