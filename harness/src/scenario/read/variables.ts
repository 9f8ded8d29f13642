import type { VariableValue } from '../schema/scenario.schema.js';
import { VARIABLES_SECTION } from '../schema/scenario.schema.js';
import { suggestion } from '../check/complaint.js';

/** What variables are worth, where they come from. */
export interface VariableSources {
  /** Of whoever starts the run (`--set name=value`). Default none. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Of the process: `${perSecond}` may be given by `HOPBACK_PER_SECOND`. Others than those that begin so are not looked at. Default none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What became of a text with variables in it. */
export type FilledText =
  | {
      readonly status: 'filled';
      readonly text: string;
      /** The text is one variable and nothing else. */ readonly isWhole: boolean;
    }
  | { readonly status: 'untouched' }
  | { readonly status: 'unknown'; readonly message: string };

/** Variables of a file with what they are worth: what is set wins over the environment, that over the file. */
export type Variables = ReturnType<typeof createVariables>;

/** `$${` is a `${` that is meant so. */
const VARIABLE = /\$\$\{|\$\{(?<name>[A-Za-z_][A-Za-z0-9_-]{0,63})(?::-(?<fallback>[^{}]{0,1000}))?\}|\$\{/gu;
const WHOLE = /^\$\{[^{}]*\}$/u;

/** @param section - `variables` of the file, as it was read */
export function createVariables(section: unknown, { variables = {}, environment = {} }: VariableSources) {
  const parsed = VARIABLES_SECTION.safeParse(section ?? {});
  // A section of the wrong form is told by the schema of the file; what is in it is worth nothing.
  const own: Readonly<Record<string, VariableValue>> = parsed.success ? parsed.data : {};
  const seen = new Set<string>(Object.keys(own));
  const worth = (name: string): string | undefined => {
    if (Object.hasOwn(variables, name)) return variables[name];
    const found = environment[environmentName(name)];
    if (found !== undefined) return found;
    return Object.hasOwn(own, name) ? String(own[name]) : undefined;
  };
  return {
    fill: (text: string): FilledText => {
      if (!text.includes('${')) return { status: 'untouched' };
      let unknown: string | undefined;
      const filled = text.replace(VARIABLE, (all: string, name?: string, fallback?: string) => {
        if (all === '$${') return '${';
        if (name === undefined) {
          unknown ??=
            'has ${ without a name and }: a variable is ${name} or ${name:-default}, and $${ stands for ${ itself';
          return all;
        }
        seen.add(name);
        const value = worth(name) ?? fallback;
        if (value === undefined) {
          const near = suggestion(name, [...Object.keys(own), ...Object.keys(variables)]);
          unknown ??= `there is no variable ${name}: it is not in variables, nor set, nor in ${environmentName(name)}, and has no default${near}`;
        }
        return value ?? all;
      });
      if (unknown !== undefined) return { status: 'unknown', message: unknown };
      return { status: 'filled', text: filled, isWhole: WHOLE.test(text) };
    },
    /** Names that were set although nothing in the file has them. */
    unused: (): readonly string[] => Object.keys(variables).filter((name) => !seen.has(name)),
  };
}

/**
 * The variable of the process that stands for one of a scenario.
 * @returns `HOPBACK_PER_SECOND` for `perSecond` and `per-second`
 */
export const environmentName = (name: string): string =>
  `HOPBACK_${name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/gu, '_')
    .replaceAll('-', '_')
    .toUpperCase()}`;

const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,12})?$/u;

/** What a text is worth where no text can be: a number, true or false; the text where it is none of those. */
export function plainValue(text: string): VariableValue {
  if (text === 'true' || text === 'false') return text === 'true';
  return NUMBER.test(text) ? Number(text) : text;
}
