import type { NetworkPlan, PlannedCall, PlannedProvider } from '../../network/plan/index.js';
import type { Lab } from './lab.js';
import { LAB_FILES } from './lab.js';

/** The calls of a caller as SIPp reads them with `-inf`: index, calling number, called number, seconds after the beginning and duration in milliseconds. */
export function callsCsv(calls: readonly PlannedCall[]): string {
  const lines = calls.map(({ index, calling, called, atMs, durationMs }) =>
    [index, calling, called, (atMs / MS_PER_SECOND).toFixed(3), durationMs].join(';'),
  );
  return `${['SEQUENTIAL', ...lines].join('\n')}\n`;
}

const MS_PER_SECOND = 1_000;

/** Roles of trunks, as the sidecar calls them. */
const TRUNK_ROLES: Readonly<Record<PlannedProvider['role'], string>> = {
  originating: 'originating',
  ipes: 'originating',
  gateway: 'gateway',
  transit: 'intermediate',
  foreign: 'intermediate',
  terminating: 'terminating',
};

/** Configuration of a sidecar beside a switch; paths begin at the folder of the provider. */
export function sidecarYaml(
  { role, failureAction }: PlannedProvider,
  { x5u, port }: { readonly x5u: string; readonly port: number },
): string {
  const { root, stiPaRoot, crl, crlSigner, webRoot } = LAB_FILES;
  return `# Paths begin at the directory of this file.
trust: { roots: [../${root}], stiPaRoots: [../${stiPaRoot}], crls: [../${crl}], crlSigners: [../${crlSigner}] }
certificates: { ca: ../${webRoot}, allow: { addresses: [127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16], ports: [${String(port)}] } }
signing: { key: signing-key.pem, certificate: signing-chain.pem, x5u: '${x5u}' }
trunks:
  default: { role: ${TRUNK_ROLES[role]}, failureAction: ${failureAction} }
`;
}

/** The page that stands in the folder. */
export function labReadme(plan: NetworkPlan, lab: Lab, x5uOf: (id: string) => string): string {
  const { root, stiPaRoot, crl, crlSigner, webRoot } = LAB_FILES;
  const place = (id: string): string => {
    const at = lab.listen[id];
    return lab.external[id] ?? (at === undefined ? 'any free port of 127.0.0.1' : `${at.host}:${String(at.port)}`);
  };
  const switches = plan.providers.filter(({ id }) => lab.external[id] !== undefined);
  return `# What the programs of others are told

All keys and certificates are of a test PKI. Trust it in a laboratory, for the time of the test, and nowhere else.

| file | what it is |
| --- | --- |
| ${root} | the one trust anchor (STI-CA root) |
| ${crl}, ${crlSigner}, ${stiPaRoot} | the CRL, who signs it, and the root above; each run writes the CRL anew |
| ${webRoot} | the authority for HTTPS of the certificate server, which is at ${lab.certificates.host}:${String(lab.certificates.httpsPort)} while a run lasts |
${switches.map((one) => switchText(one, plan, { place, x5u: x5uOf(one.id) })).join('')}${lab.externalCallers.map((id) => callerText(id, plan, place)).join('')}`;
}

function switchText(
  { id, name, role, spc, stir, upstream, downstream, serves }: PlannedProvider,
  plan: NetworkPlan,
  { place, x5u }: { readonly place: (id: string) => string; readonly x5u: string },
): string {
  const to = [
    ...downstream.map((next) => `- calls for the numbers of ${next} go to ${place(next)}`),
    ...plan.scenario.called
      .filter((one) => serves.includes(one.id))
      .map(
        ({ id: called, first, count = 1 }) =>
          `- +${first} and ${String(count - 1)} more (${called}) are at ${place(called)}`,
      ),
  ];
  const signing = stir
    ? `It signs with \`${id}/signing-key.pem\` and \`${id}/signing-chain.pem\`, x5u ${x5u}; \`${id}/hopback.yaml\` is for a sidecar of ours beside it.\n`
    : '';
  return `
## The switch of ${id}

${name}, ${role}, SPC ${spc}. It takes calls at ${place(id)}, from ${upstream.length === 0 ? 'its customers' : upstream.join(', ')}.

${to.join('\n')}

${signing}It should hand the header field X-Hopback-Call on as it came. One that does not is no less right: its calls are then known by their numbers.
`;
}

function callerText(id: string, { scenario }: NetworkPlan, place: (id: string) => string): string {
  const at = scenario.callers.find((one) => one.id === id)?.at ?? '';
  return `
## The calls of ${id}

\`${id}.csv\` has them, for SIPp's -inf: index, calling number, called number, seconds after the beginning, duration in milliseconds. They
go to ${at} at ${place(at)}, with the header field \`X-Hopback-Call: INDEX 0\`. The caller hangs up.
`;
}
