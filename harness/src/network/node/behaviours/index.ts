import type { Behaviour, BehaviourKind } from '../../../scenario/index.js';
import { altersIdentity } from './alters-identity.js';
import { certificateServer } from './certificate-server.js';
import { certificate } from './certificate.js';
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
import type { NodeBehaviour } from './node-behaviour.js';
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

export type { Leg, NodeBehaviour } from './node-behaviour.js';

/** What each kind makes a node do. */
export const NODE_BEHAVIOURS: { readonly [Kind in BehaviourKind]: NodeBehaviour<Kind> } = {
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

/** What a behaviour makes a node do. Its functions are to be given that very behaviour. */
export function doingOf(behaviour: Behaviour): NodeBehaviour<BehaviourKind> {
  return NODE_BEHAVIOURS[behaviour.kind] as NodeBehaviour<BehaviourKind>;
}
