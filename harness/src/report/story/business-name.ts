import type { NetworkPlan } from '../../network/plan/index.js';
import { oneLine } from '../ladder/one-line.js';

/** The name that a provider does business under, by its id in the plan or in the registry; whoever is in neither has said its name itself. */
export function businessName({ providers }: NetworkPlan, id: string): string {
  return oneLine(providers.find((one) => one.id === id || one.providerId === id)?.name ?? id);
}

/** A sentence with its point; a name that ends with one brings it along. */
export const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);
