import { fileURLToPath } from 'node:url';

/**
 * How a program of a bench is started that has a platform in it: as docs/platform/operating.md says that a platform is. Whoever profiles the bench profiles
 * the platform, and whoever gives the bench another young generation gives that to the platform.
 * @param program - name of its file, beside this one
 */
export const platformProcess = (program: string): readonly string[] => [
  '--max-semi-space-size=64',
  ...process.execArgv.filter((argument) => /^--(?:cpu-prof|max-semi-space-size=)/.test(argument)),
  ...['--import', 'tsx', fileURLToPath(new URL(program, import.meta.url))],
];
