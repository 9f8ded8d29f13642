import type { AuthenticationService } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';
import { headersToAdd, startSigning } from './sign-call.js';

/**
 * A subscriber forwards calls to another number. Returns the Identity headers that the diverted INVITE must have: those it came
 * with and, where one of them speaks of the number that diverts, a div behind them.
 */
export async function forwarded(
  service: AuthenticationService,
  identity: readonly string[],
): Promise<readonly string[]> {
  const outcome = await service.signDiversion({
    identity,
    divertingTn: '12025550199',
    newTargetTn: '12025550150',
  });
  return outcome.status === 'signed' ? outcome.identityHeaders : identity;
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const service = await startSigning(lab.provider, () => undefined);
  const identity = headersToAdd(service).flatMap((line) => (line.startsWith('Identity: ') ? [line.slice(10)] : []));
  const headers = await forwarded(service, identity);
  console.log(headers.map((value) => value.split('ppt=')[1]).join(' ')); // shaken div
  await lab.close();
}
