import { REDIRECT_PROFILES, redirectProfile } from '../switch/index.js';
import type { RedirectProfile, RedirectProfileName, RedirectRule, TrunkPolicy } from '../switch/index.js';
import type { Attestation } from '../stir/index.js';
import { HopbackError } from '../errors.js';
import type { CliIo } from './io.js';
import { jsonFile } from './json-file.js';
import { namesOf } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { attestationOf, FACT_OPTIONS } from './signing-options.js';
import type { FactOption } from './signing-options.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

export type RuleOption = FactOption | 'mode' | 'profile' | 'rules' | 'source' | 'trunk-policy';

/** Which calls are signed and which verified, and how it is said. */
export const RULE_OPTIONS: OptionSpecs<RuleOption> = {
  mode: {
    value: 'MODE',
    choices: ['verify', 'sign', 'by-request'],
    text: 'verify or sign all calls, or by-request: as the rules of --rules say',
  },
  source: {
    value: 'ADDRESS',
    multiple: true,
    text: 'address or network (CIDR) of an SBC that is served; a must to sign, everybody is verified otherwise',
  },
  rules: { value: 'FILE', text: 'rules as JSON, for --mode by-request' },
  profile: {
    value: 'NAME|FILE',
    text: `how SBCs are spoken to: ${Object.keys(REDIRECT_PROFILES).join(', ')}, or a profile as JSON; default standard`,
  },
  'trunk-policy': {
    value: 'FILE',
    text: 'what is done with verified calls, as JSON; default that of a terminating provider',
  },
  ...FACT_OPTIONS,
};

const ONLY_TO_SIGN = namesOf(FACT_OPTIONS).filter((name) => name !== 'trunk');
/** Options that say nothing in a mode: whoever gives one means another. */
const USELESS: Readonly<Record<'verify' | 'sign' | 'by-request', readonly RuleOption[]>> = {
  verify: ['rules', ...ONLY_TO_SIGN],
  sign: ['rules', 'trunk-policy'],
  'by-request': ['source', 'trunk', 'trunk-policy', ...ONLY_TO_SIGN.filter((name) => name !== 'policy')],
};

/** Rules and profile as options have them. */
export interface RedirectSettings {
  readonly rules: readonly RedirectRule[];
  readonly profile: RedirectProfile;
  /** Whether calls may bring a level of attestation: by a field that a profile reads, or by a rule. */
  readonly hearsRequests: boolean;
}

/** @throws {@link UsageError} for options that do not go together; {@link HopbackError} of the files */
export async function redirectSettings(options: Options<RuleOption>, io: CliIo): Promise<RedirectSettings> {
  const profile = await profileOption(options.text('profile') ?? 'standard', io);
  const rules = await rulesOf(options, io);
  const hearsRequests = rules.some(
    (rule) =>
      rule.mode === 'sign' &&
      (rule.attestation !== undefined || (rule.profile ?? profile).attestationFields.length > 0),
  );
  return { rules, profile, hearsRequests };
}

async function rulesOf(options: Options<RuleOption>, io: CliIo): Promise<readonly RedirectRule[]> {
  const mode = options.text('mode');
  if (mode === undefined) throw new UsageError('say what is done with calls: --mode verify, sign or by-request');
  const useless = USELESS[mode as keyof typeof USELESS].find((name) => options.isOn(name));
  if (useless !== undefined) throw new UsageError(`--${useless} is of no use with --mode ${mode}`);
  if (mode === 'by-request') return rulesFile(options.text('rules'), io);
  const sources = options.texts('source');
  const common = { name: options.text('trunk') ?? mode, ...(sources.length > 0 && { when: { sources } }) };
  if (mode === 'verify') {
    const path = options.text('trunk-policy');
    const policy = path === undefined ? undefined : ((await jsonFile(path, io)) as TrunkPolicy);
    return [{ ...common, mode, ...(policy !== undefined && { policy }) }];
  }
  if (sources.length === 0)
    throw new UsageError('say whose calls are signed: --source ADDRESS', [
      'Without it whoever reaches the drachtio server would have calls signed in your name.',
    ]);
  const { facts } = await attestationOf(options, io);
  const [level, basis] = [options.text('attest') as Attestation | undefined, options.text('basis')];
  const attestation = level === undefined || basis === undefined ? undefined : { level, basis };
  return [{ ...common, mode: 'sign', facts, ...(attestation !== undefined && { attestation }) }];
}

async function rulesFile(path: string | undefined, io: CliIo): Promise<readonly RedirectRule[]> {
  if (path === undefined) throw new UsageError('--mode by-request needs --rules FILE');
  const rules = await jsonFile(path, io);
  if (!Array.isArray(rules))
    throw new HopbackError('invalid-configuration', `${shownText(path)} must be a list of rules`);
  // The server looks at every member of each.
  return rules.map((rule: unknown, index) => {
    const which = `rule ${String(index + 1)} of ${shownText(path)}`;
    if (typeof rule !== 'object' || rule === null)
      throw new HopbackError('invalid-configuration', `${which} must be an object`);
    const { profile } = rule as { readonly profile?: unknown };
    return (profile === undefined ? rule : { ...rule, profile: profileOf(profile, which) }) as RedirectRule;
  });
}

async function profileOption(text: string, io: CliIo): Promise<RedirectProfile> {
  return isName(text) ? REDIRECT_PROFILES[text] : profileOf(await jsonFile(text, io), shownText(text));
}

/** A name, or members that differ from `standard` or from the profile that `basedOn` names. */
function profileOf(value: unknown, where: string): RedirectProfile {
  if (isName(value)) return REDIRECT_PROFILES[value];
  if (typeof value !== 'object' || value === null) throw notAProfile(where);
  const { basedOn = 'standard', ...partial } = value as Partial<RedirectProfile> & { readonly basedOn?: unknown };
  if (!isName(basedOn)) throw notAProfile(where);
  return redirectProfile(partial, REDIRECT_PROFILES[basedOn]);
}

const notAProfile = (where: string): HopbackError =>
  new HopbackError(
    'invalid-configuration',
    `${where}: a profile is ${Object.keys(REDIRECT_PROFILES).join(', ')}, or an object that may say one of these in basedOn`,
  );

const isName = (value: unknown): value is RedirectProfileName =>
  typeof value === 'string' && Object.hasOwn(REDIRECT_PROFILES, value);
