import { REDIRECT_RULES, startRedirectService } from '../../support/conformance-redirect.js';
import type { ColumnDefinition } from './column.js';

const ROUTES = [
  ['atis', 'Hopback, ATIS-1000082', 'the sidecar, `hopback serve`, asked at `/stir/v1` in the dialect of ATIS-1000082'],
  ['3gpp', 'Hopback, 3GPP Ms', 'the same service, asked in the dialect of TS 24.229 annex V'],
  [
    'secsipidx',
    'Hopback, /v1/check',
    'the same service at the routes of secsipidx: an Identity goes in, OK or FAILED comes out',
  ],
] as const;

/** Our services, configured as the guide says. */
export const OUR_COLUMNS: readonly ColumnDefinition[] = [
  ...ROUTES.map(([kind, name, note]): ColumnDefinition => ({
    ...{ name, note, isOurs: true },
    start: async (lab) => ({
      target: { kind, url: await lab.startSidecar() },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  })),
  {
    name: 'Hopback, redirect',
    note: `\`hopback redirect\` at the drachtio server of the harness, over UDP; calls go on with their verdict (302), profile \`${REDIRECT_RULES.profile}\``,
    isOurs: true,
    start: startRedirectService,
  },
];
