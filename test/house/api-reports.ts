import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { Extractor, ExtractorConfig, ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor';
import { builtPackages, packageJson, PACKAGES } from './packages.js';
import { ROOT } from './run.js';

const FOLDER = `${ROOT}docs/api-reports`;
/** Where the reports of this run are made before they are compared. */
const TEMPORARY = `${ROOT}.cache/api`;

/**
 * Holds every public entry of both packages against its report in docs/api-reports.
 * @param options - `update`: write the reports anew instead of comparing
 */
export async function checkApiReports(options: { readonly update: boolean }): Promise<readonly string[]> {
  await mkdir(FOLDER, { recursive: true });
  const problems: string[] = [...(await builtPackages())];
  if (problems.length > 0) return problems;
  const written: string[] = [];
  for (const workspace of PACKAGES) {
    const entries = Object.entries((await packageJson(workspace)).exports).flatMap(([entry, target]) =>
      // What the harness shares with the sdk is promised to nobody.
      typeof target === 'string' || entry.startsWith('./internal')
        ? []
        : [{ types: target.types, report: reportName(workspace, entry) }],
    );
    const extracted = entries.map(({ types, report }) => extract(workspace, types, { report, update: options.update }));
    const exported = await exportedNames(entries.map(({ report }) => report));
    written.push(...entries.map(({ report }) => report));
    problems.push(...extracted.flatMap((extraction) => extraction.problems));
    problems.push(
      ...forgotten(
        extracted.flatMap((extraction) => extraction.unexported),
        exported,
      ),
    );
  }
  for (const stale of (await readdir(FOLDER)).filter((name) => !written.includes(name))) {
    if (options.update) await rm(`${FOLDER}/${stale}`);
    else problems.push(`docs/api-reports/${stale} belongs to no export: npm run api`);
  }
  return problems;
}

interface Extraction {
  readonly problems: readonly string[];
  /** Names that the entry's declarations mention and the entry does not export. */
  readonly unexported: readonly { readonly name: string; readonly report: string }[];
}

function extract(
  workspace: string,
  types: string,
  options: { readonly report: string; readonly update: boolean },
): Extraction {
  const { report, update } = options;
  const problems: string[] = [];
  const unexported: { name: string; report: string }[] = [];
  const { apiReportChanged } = Extractor.invoke(
    ExtractorConfig.prepare({
      configObject: configuration(workspace, types, report),
      configObjectFullPath: undefined,
      packageJsonFullPath: `${ROOT}${workspace}/package.json`,
    }),
    {
      localBuild: update,
      messageCallback: (message) => {
        message.handled = true;
        // A name that another declaration of the report has too gets a number.
        const name =
          message.messageId === 'ae-forgotten-export' ? /"(\w+?)(?:_\d+)?"/.exec(message.text)?.[1] : undefined;
        if (name !== undefined) unexported.push({ name, report });
        else if (message.logLevel === ExtractorLogLevel.Error) problems.push(`${report}: ${message.text}`);
      },
    },
  );
  if (apiReportChanged && !update) {
    problems.push(
      `docs/api-reports/${report} is not what the sources export: npm run api, and look at the difference (it builds anew: TypeScript orders unions by what it compiled before)`,
    );
  }
  return { problems, unexported };
}

/** A type may be mentioned by one entry and exported by another; exported by none, nobody can name it. */
function forgotten(unexported: Extraction['unexported'], exported: ReadonlySet<string>): readonly string[] {
  return unexported
    .filter(({ name }) => !exported.has(name))
    .map(({ name, report }) => `${report} mentions ${name}, which no entry of the package exports`);
}

async function exportedNames(reports: readonly string[]): Promise<ReadonlySet<string>> {
  const texts = await Promise.all(reports.map(async (report) => readFile(`${TEMPORARY}/${report}`, 'utf8')));
  const declared = texts
    .join('\n')
    .matchAll(/^export (?:abstract )?(?:const|function|interface|type|class|enum) (\w+)/gm);
  return new Set([...declared].map(([, name]) => name ?? ''));
}

function reportName(workspace: string, entry: string): string {
  return `${workspace}${entry === '.' ? '' : `.${entry.slice(2).replaceAll('/', '.')}`}.api.md`;
}

function configuration(workspace: string, types: string, report: string): IConfigFile {
  const silent = { logLevel: ExtractorLogLevel.None };
  return {
    projectFolder: `${ROOT}${workspace}`,
    mainEntryPointFilePath: `${ROOT}${workspace}/${types}`,
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'ES2022',
          module: 'NodeNext',
          moduleResolution: 'NodeNext',
          strict: true,
          skipLibCheck: true,
          types: ['node'],
        },
      },
    },
    apiReport: { enabled: true, reportFolder: FOLDER, reportTempFolder: TEMPORARY, reportFileName: report },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      // The report is for people who review a change; how comments are written is typedoc's business.
      extractorMessageReporting: { default: silent, 'ae-forgotten-export': { logLevel: ExtractorLogLevel.Error } },
      tsdocMessageReporting: { default: silent },
    },
  };
}
