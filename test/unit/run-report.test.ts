import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ctrfJson,
  diffRuns,
  diffText,
  junitXml,
  ladderMermaid,
  ladderOf,
  ladderText,
  readIdentityText,
  readRunSummary,
  reportHtml,
  runSummaryJsonSchema,
  snapshotsCsv,
  summaryOf,
} from '../../harness/src/report/index.js';
import type { RunSummary, SampledCall } from '../../harness/src/report/index.js';
import { toldRun } from '../support/told-run.js';

const told = await toldRun({ keepsMessages: true });
const { record, summary } = told;

test('a report has its verdict first, failures before what is right, and nothing that is fetched', () => {
  const page = reportHtml(record);
  const places = [
    'Failed',
    'What is not as it is true',
    'Tracebacks beside the true path',
    'Thresholds and metrics',
  ].map((text) => page.indexOf(text));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(page.indexOf('≠ accusation')).toBeLessThan(page.indexOf('≠ call-outcome'));
  expect(page).toContain("default-src 'none'");
  expect(page.match(/\b(?:src|href)="(?!#)[^"]*"/g)).toBeNull();
});

test('text of peers is text in the report, whatever it looks like', () => {
  const evil = '</pre><script>alert(1)</script><img src=x onerror=alert(1)>"\'\u202e\u0000';
  const spoiled = record.samples.map((sample): SampledCall => {
    const messages = sample.messages.map((message) => ({
      ...message,
      text: message.text.replace('Max-Forwards: 70', evil),
    }));
    const hops = sample.seen.hops.map((hop) => ({ ...hop, attestation: evil }));
    return { ...sample, messages, seen: { ...sample.seen, hops } };
  });
  const findings = [{ kind: 'verdict', callIndex: 0, provider: evil, expected: evil, seen: evil } as const];
  const plan = { ...record.plan, scenario: { ...record.plan.scenario, why: evil } };
  const page = reportHtml({ ...record, plan, samples: spoiled, oracle: { ...record.oracle, findings } });
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/[\u0000\u202e]/);
  for (const text of [junitXml({ ...record, plan: { ...plan, scenario: { ...plan.scenario, name: evil } } })]) {
    expect(text).not.toContain('<script');
    expect(text).not.toContain('\u0000');
  }
});

test('a ladder has both sides of each hop, what was lost, and the verdict where it came to be', () => {
  const sample = record.samples.find(({ index }) => index === 4);
  if (sample === undefined) throw new Error('call 4 is not sampled');
  const ladder = ladderOf(sample, new Set());
  expect(ladder.lifelines.map(({ id }) => id)).toEqual(['caller', 'fern', 'elm', 'birch', 'alder', 'callee']);
  const arrows = ladder.rows.filter((row) => row.kind === 'arrow');
  // Six messages on each of five legs.
  expect(arrows).toHaveLength(30);
  const between = arrows.filter(({ from, to }) => ![from, to].includes(0) && ![from, to].includes(5));
  for (const { sentMs, receivedMs } of between)
    expect([typeof sentMs, typeof receivedMs]).toEqual(['number', 'number']);
  expect(arrows.some(({ isLost }) => isLost)).toBe(false);
  expect(ladder.rows.filter((row) => row.kind === 'note' && !row.isTrue)).toMatchObject([
    { at: 4, text: 'No-TN-Validation (C), true is TN-Validation-Passed' },
  ]);
  const lossy = ladderOf(
    {
      ...sample,
      messages: sample.messages.filter(
        ({ provider, direction, text }) => !(provider === 'birch' && direction === 'in' && text.startsWith('ACK')),
      ),
    },
    new Set(),
  );
  expect(lossy.rows.filter((row) => row.kind === 'arrow' && row.isLost)).toMatchObject([
    { label: 'ACK', from: 2, to: 3 },
  ]);
  const text = ladderText('call 4', ladder);
  expect(text).toContain('! No-TN-Validation');
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(200);
  const mermaid = ladderMermaid('x\n  participant evil', ladder);
  expect(mermaid.split('\n').filter((line) => line.includes('participant'))).toHaveLength(5);
});

/** What is left of a sample where a provider is somebody else's: it sees nothing, and no hop of it is known. */
function withExternal(sample: SampledCall, provider: string): SampledCall {
  return {
    ...sample,
    seen: { ...sample.seen, hops: sample.seen.hops.filter((hop) => hop.provider !== provider) },
    messages: sample.messages.filter((message) => message.provider !== provider),
  };
}

test('an external switch has a line of its own, and what it swallowed is not drawn behind it', () => {
  const sample = record.samples.find(({ index }) => index === 4);
  if (sample === undefined) throw new Error('call 4 is not sampled');
  const seen = withExternal(sample, 'elm');
  const swallowed: SampledCall = {
    ...seen,
    messages: seen.messages.filter(({ provider, text }) => provider !== 'birch' || !text.startsWith('BYE')),
  };
  const ladder = ladderOf(swallowed, new Set(['elm']));
  expect(ladder.lifelines).toMatchObject(
    [
      ['caller', 'caller'],
      ['fern', 'hop'],
      ['elm', 'external'],
      ['birch', 'hop'],
      ['alder', 'hop'],
      ['callee', 'callee'],
    ].map(([id, kind]) => ({ id, kind })),
  );
  const arrows = ladder.rows.filter((row) => row.kind === 'arrow');
  const between = (from: number, to: number): readonly string[] =>
    arrows.filter((arrow) => arrow.from === from && arrow.to === to).map(({ label }) => label);
  // Nothing of the switch's neighbours is drawn past it, and the callee gets what its provider sent alone.
  expect(arrows.filter(({ from, to }) => Math.abs(from - to) !== 1)).toEqual([]);
  expect([between(1, 2), between(2, 3)].map((labels) => labels.includes('INVITE'))).toEqual([true, true]);
  expect([between(1, 2), between(2, 3)].map((labels) => labels.includes('BYE'))).toEqual([true, false]);
  expect(arrows.some(({ isLost }) => isLost)).toBe(false);
});

test('an external switch that stands last has a line before the callee', () => {
  const sample = record.samples.find(({ index }) => index === 4);
  if (sample === undefined) throw new Error('call 4 is not sampled');
  const ladder = ladderOf(withExternal(sample, 'alder'), new Set(['alder']));
  expect(ladder.lifelines.map(({ id }) => id)).toEqual(['caller', 'fern', 'elm', 'birch', 'alder', 'callee']);
  const arrows = ladder.rows.filter((row) => row.kind === 'arrow');
  expect(arrows.filter(({ from, to }) => from === 5 || to === 5)).toEqual([]);
});

test('a message that was sent again is marked, and is not taken for another', () => {
  const sample = record.samples.find(({ index }) => index === 4);
  if (sample === undefined) throw new Error('call 4 is not sampled');
  const again = sample.messages.filter(({ provider, direction, text }) => {
    return provider === 'fern' && direction === 'out' && text.startsWith('INVITE');
  });
  const messages = [...sample.messages, ...again].toSorted((one, other) => one.atMs - other.atMs);
  const resent = ladderOf({ ...sample, messages }, new Set()).rows.filter(
    (row) => row.kind === 'arrow' && row.isRetransmission,
  );
  expect(resent).toMatchObject([{ label: 'INVITE (resent)', from: 1, to: 2, isLost: true }]);
});

test('an Identity is taken apart, and what is none is not', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(readIdentityText(`${part({ alg: 'ES256' })}.${part({ attest: 'A' })}.c2ln;info=<https://x>`)).toEqual({
    header: '{\n  "alg": "ES256"\n}',
    claims: '{\n  "attest": "A"\n}',
    parameters: 'info=<https://x>',
  });
  expect(readIdentityText('..c2ln;info=<https://x>')).toMatchObject({ claims: '(left out: compact form)' });
  for (const text of ['', 'a', 'a.b', 'a.b.c.d', `${'x'.repeat(20_000)}.b.c`])
    expect(readIdentityText(text)).toBeUndefined();
});

test('results for CI have a test for each threshold, failed where it is not met', () => {
  const xml = junitXml(record);
  expect(xml).toContain('tests="5" failures="2"');
  expect(xml).toContain('<failure message="wrong_accusations count==0: it was 1">');
  const ctrf = JSON.parse(ctrfJson(record)) as {
    readonly results: {
      readonly summary: Readonly<Record<string, number>>;
      readonly tests: readonly { readonly status: string }[];
    };
  };
  expect(ctrf.results.summary).toMatchObject({ tests: 5, passed: 3, failed: 2 });
  expect(ctrf.results.tests.filter(({ status }) => status === 'failed')).toHaveLength(2);
});

test('snapshots have a line each second, as wide as its head', () => {
  const [head = '', ...lines] = snapshotsCsv(record.snapshots).trimEnd().split('\r\n');
  expect(lines.length).toBeGreaterThanOrEqual(10);
  for (const line of lines) expect(line.split(',')).toHaveLength(head.split(',').length);
  expect(snapshotsCsv([{ ...record.snapshots[0]!, phase: '=1+"2",3' }])).toContain(`"'=1+""2"",3"`);
});

test('a summary is read back as it was, and what is none is refused with the place', () => {
  expect(readRunSummary(JSON.stringify(summary))).toEqual({ status: 'read', summary });
  expect(readRunSummary('{')).toMatchObject({ status: 'unreadable' });
  expect(readRunSummary(JSON.stringify({ ...summary, digest: 7 }))).toEqual({
    status: 'unreadable',
    why: expect.stringContaining('digest') as string,
  });
});

test('docs/run-summary.schema.json is what summaries are read by', async () => {
  const text = await readFile(new URL('../../docs/run-summary.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(runSummaryJsonSchema())));
});

test('two runs that came to the same differ in nothing; a new finding makes the later one worse', () => {
  expect(diffRuns(summary, summary)).toMatchObject({ isSame: true, isSamePlan: true, isWorse: false, newFindings: [] });
  const { deterministic, measured } = summary;
  const good: RunSummary = {
    ...summary,
    ...{ verdict: 'passed', digest: '0'.repeat(64) },
    deterministic: {
      ...deterministic,
      findings: deterministic.findings.slice(1),
    },
    measured: {
      ...measured,
      metrics: { ...measured.metrics, wrong_accusations: { kind: 'count', count: 0 } },
      thresholds: measured.thresholds.map((one) => ({ ...one, isMet: true })),
    },
  };
  const worse = diffRuns(good, summary);
  expect(worse).toMatchObject({ isWorse: true, isSame: false, verdict: { before: 'passed', after: 'failed' } });
  expect(worse.newFindings).toHaveLength(1);
  expect(worse.metrics).toContainEqual({ metric: 'wrong_accusations', before: '0', after: '1', change: 'worse' });
  expect(diffText(worse).at(-1)).toBe('The later run is worse.');
  expect(diffRuns(summary, good)).toMatchObject({ isWorse: false, goneFindings: worse.newFindings });
});

test('runs of different plans are told to be that before anything is compared, whatever they are called', async () => {
  const { plan } = record;
  const [, ...calls] = plan.calls;
  const other = summaryOf({ ...record, plan: { ...plan, calls } });
  const diff = diffRuns(summary, other);
  expect(diff).toMatchObject({ isSamePlan: false, isSame: false });
  const [first, before = '', after = ''] = diffText(diff);
  expect(first).toMatch(/^The two runs had different plans/);
  expect([before, after]).toEqual([
    expect.stringMatching(/^ {2}before: sample, seed 7, 5 providers, 40 calls \([\da-f]{12}\)$/),
    expect.stringMatching(/^ {2}after: {2}sample, seed 7, 5 providers, 39 calls \([\da-f]{12}\)$/),
  ]);
  const { planDigest } = summary.deterministic;
  const planned = ({ scenario = plan.scenario, ...changes }: Partial<typeof plan>): string =>
    summaryOf({ ...record, plan: { ...plan, ...changes, scenario } }).deterministic.planDigest;
  // What a run is held to is no part of what it does.
  expect(planned({ scenario: { ...plan.scenario, why: 'Another reason.', thresholds: {} } })).toBe(planDigest);
  expect(planned({ seed: 8 })).not.toBe(planDigest);
  expect(planned({ scenario: { ...plan.scenario, maxConcurrent: 3 } })).not.toBe(planDigest);
});

test('the folder of a run has every file, and none of what the network kept', async () => {
  await using directory = await createTemporaryDirectory();
  const folder = join(directory.path, 'run');
  await toldRun({ folder, pcap: 'sampled' });
  expect((await readdir(folder)).toSorted()).toEqual([
    ...['calls', 'ctrf.json', 'junit.xml', 'pcap', 'plan.json', 'report.html', 'snapshots.csv', 'summary.json'],
  ]);
  expect((await readdir(join(folder, 'pcap'))).toSorted()).toEqual(
    ['alder', 'birch', 'dune', 'elm', 'fern'].map((name) => `${name}.pcap`),
  );
  expect(await readdir(join(folder, 'calls', '4'))).toEqual(['ladder.mmd', 'ladder.txt']);
  await expect(toldRun({ folder })).rejects.toMatchObject({ code: 'invalid-argument' });
});
