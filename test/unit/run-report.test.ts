import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
// eslint-disable-next-line import/no-unassigned-import -- matchers are there when it is loaded
import '@hopback/harness/vitest';
import { expect, test } from 'vitest';
import { withExternalParties } from '../../harness/src/network/plan/index.js';
import type { SeenCall } from '../../harness/src/oracle/index.js';
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
  storyLines,
  summaryOf,
} from '../../harness/src/report/index.js';
import type { RunRecord, RunSummary, SampledCall } from '../../harness/src/report/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { sampleRun } from '../support/run-sample.js';

const told = await sampleRun({ keepsMessages: true });
const { record, summary } = told;
/** Comes to a wrong verdict at its last provider. */
const sample = record.samples.find(({ index }) => index === 4)!;

const arrowsOf = (ladder: ReturnType<typeof ladderOf>) => ladder.rows.filter((row) => row.kind === 'arrow');

test('a report has its verdict first, failures before what is right, and nothing that is fetched', () => {
  const page = reportHtml(record);
  const titles = ['Failed', 'Discrepancies', 'Tracebacks beside the true path', 'Thresholds and metrics'];
  const places = titles.map((text) => page.indexOf(text));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(page.indexOf('≠ accusation')).toBeLessThan(page.indexOf('≠ call-outcome'));
  expect(page).toContain("default-src 'none'");
  expect(page.match(/\b(?:src|href)="(?!#)[^"]*"/g)).toBeNull();
});

test('text of peers is text in the report, whatever it looks like', () => {
  const evil = '</pre><script>alert(1)</script><img src=x onerror=alert(1)>"\'\u202e\u0000';
  const spoiled = record.samples.map((one): SampledCall => {
    const hops = one.seen.hops.map((hop) => ({ ...hop, attestation: evil }));
    const spoil = (text: string): string => text.replace('Max-Forwards: 70', evil);
    const messages = one.messages.map((message) => ({ ...message, text: spoil(message.text) }));
    return { ...one, messages, seen: { ...one.seen, hops } };
  });
  const findings = [{ kind: 'verdict', callIndex: 0, provider: evil, expected: evil, seen: evil } as const];
  const plan = { ...record.plan, scenario: { ...record.plan.scenario, why: evil } };
  const page = reportHtml({ ...record, plan, samples: spoiled, oracle: { ...record.oracle, findings } });
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toContain('<img');
  expect(page).not.toMatch(/[\u0000\u202e]/);
  const xml = junitXml({ ...record, plan: { ...plan, scenario: { ...plan.scenario, name: evil } } });
  expect(xml).not.toMatch(/<script|\u0000/);
});

test('a ladder has both sides of each hop, what was lost, and the verdict where it came to be', () => {
  const ladder = ladderOf(sample, record.plan);
  expect(ladder.lifelines.map(({ id }) => id)).toEqual(['caller', 'fern', 'elm', 'birch', 'alder', 'callee']);
  const arrows = arrowsOf(ladder);
  // Six messages on each of five legs.
  expect(arrows).toHaveLength(30);
  const between = arrows.filter(({ from, to }) => ![from, to].includes(0) && ![from, to].includes(5));
  for (const { sentMs, receivedMs } of between)
    expect([typeof sentMs, typeof receivedMs]).toEqual(['number', 'number']);
  expect(arrows.some(({ isLost }) => isLost)).toBe(false);
  expect(ladder.rows.filter((row) => row.kind === 'note' && !row.isTrue)).toMatchObject([
    { at: 4, text: 'No-TN-Validation (C), expected TN-Validation-Passed' },
  ]);
  const isLostAck = ({ provider, direction, text }: SampledCall['messages'][number]): boolean =>
    provider === 'birch' && direction === 'in' && text.startsWith('ACK');
  const messages = sample.messages.filter((message) => !isLostAck(message));
  const lossy = ladderOf({ ...sample, messages }, record.plan);
  expect(arrowsOf(lossy).filter(({ isLost }) => isLost)).toMatchObject([{ label: 'ACK', from: 2, to: 3 }]);
  const text = ladderText('call 4', ladder);
  expect(text).toContain('! No-TN-Validation');
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(200);
  const mermaid = ladderMermaid('x\n  participant evil', ladder);
  expect(mermaid.split('\n').filter((line) => line.includes('participant'))).toHaveLength(5);
});

/** The ladder of the sample where a provider is external: it sees nothing, and none of its hops is known. */
function ladderWithExternal(id: string, isSeen: (message: SampledCall['messages'][number]) => boolean = () => true) {
  const hops = sample.seen.hops.filter(({ provider }) => provider !== id);
  const messages = sample.messages.filter((message) => message.provider !== id && isSeen(message));
  const plan = withExternalParties(record.plan, { providers: [id], callers: [] });
  return ladderOf({ ...sample, seen: { ...sample.seen, hops }, messages }, plan);
}

test('an external switch has a line of its own, and what it swallowed is not drawn behind it', () => {
  const ladder = ladderWithExternal('elm', ({ provider, text }) => provider !== 'birch' || !text.startsWith('BYE'));
  expect(ladder.lifelines.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
    ...['caller caller', 'fern hop', 'elm external', 'birch hop', 'alder hop', 'callee callee'],
  ]);
  const arrows = arrowsOf(ladder);
  const between = (from: number, to: number): readonly string[] =>
    arrows.filter((arrow) => arrow.from === from && arrow.to === to).map(({ label }) => label);
  // Nothing of the switch's neighbours is drawn past it, and the callee gets what its provider sent alone.
  expect(arrows.filter(({ from, to }) => Math.abs(from - to) !== 1)).toEqual([]);
  expect([between(1, 2), between(2, 3)].map((labels) => labels.includes('INVITE'))).toEqual([true, true]);
  expect([between(1, 2), between(2, 3)].map((labels) => labels.includes('BYE'))).toEqual([true, false]);
  expect(arrows.some(({ isLost }) => isLost)).toBe(false);
});

test('an external switch that stands last has a line before the callee', () => {
  const ladder = ladderWithExternal('alder');
  expect(ladder.lifelines.map(({ id }) => id)).toEqual(['caller', 'fern', 'elm', 'birch', 'alder', 'callee']);
  expect(arrowsOf(ladder).filter(({ from, to }) => from === 5 || to === 5)).toEqual([]);
});

test('a message that was sent again is marked, and is not taken for another', () => {
  const again = sample.messages.filter(({ provider, direction, text }) => {
    return provider === 'fern' && direction === 'out' && text.startsWith('INVITE');
  });
  const messages = [...sample.messages, ...again].toSorted((one, other) => one.atMs - other.atMs);
  const resent = arrowsOf(ladderOf({ ...sample, messages }, record.plan)).filter((row) => row.isRetransmission);
  expect(resent).toMatchObject([{ label: 'INVITE (resent)', from: 1, to: 2, isLost: true }]);
});

test('an Identity is taken apart, and other texts are not', () => {
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
  expect(JSON.parse(ctrfJson(record))).toMatchObject({
    results: { summary: { tests: 5, passed: 3, failed: 2 } },
  });
  expect(ctrfJson(record).match(/"status": ?"failed"/g)).toHaveLength(2);
});

test('snapshots have a line each second, as wide as its head', () => {
  const [head = '', ...lines] = snapshotsCsv(record.snapshots).trimEnd().split('\r\n');
  expect(lines.length).toBeGreaterThanOrEqual(10);
  for (const line of lines) expect(line.split(',')).toHaveLength(head.split(',').length);
  expect(snapshotsCsv([{ ...record.snapshots[0]!, phase: '=1+"2",3' }])).toContain(`"'=1+""2"",3"`);
});

test('a summary is read back as it was, and other documents are refused with the place of the error', () => {
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
    deterministic: { ...deterministic, findings: deterministic.findings.slice(1) },
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
  await sampleRun({ folder, pcap: 'sampled' });
  expect((await readdir(folder)).toSorted()).toEqual([
    ...['calls', 'ctrf.json', 'junit.xml', 'pcap', 'plan.json', 'report.html', 'snapshots.csv', 'summary.json'],
  ]);
  expect((await readdir(join(folder, 'pcap'))).toSorted()).toEqual(
    ['alder', 'birch', 'dune', 'elm', 'fern'].map((name) => `${name}.pcap`),
  );
  expect(await readdir(join(folder, 'calls', '4'))).toEqual(['ladder.mmd', 'ladder.txt']);
  await expect(sampleRun({ folder })).rejects.toMatchObject({ code: 'invalid-argument' });
});

const story = (changed: Partial<RunRecord> = {}): string => storyLines({ ...record, ...changed }).join('\n');
/** As it is read: lines are broken where a terminal ends. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

test('a run is told on 80 columns: the campaign, what was found, each traceback, who is named', () => {
  const lines = storyLines(record);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  const titles = lines.filter((line) => /^[A-Z ]+$/.test(line) && line !== '');
  expect(titles).toEqual(['WHAT HAPPENED', 'WHAT WAS FOUND', 'WHO IS NAMED', 'COMPARED WITH THE TRUTH']);
});

test('what is missing or wrong is told as loudly as what is right', () => {
  const text = flat(story());
  expect(text).toContain('✗ No campaign was found.');
  expect(text).toContain('IS ACCUSED, and has done nothing.');
  expect(text).toContain('✗ FAILED:');
});

test('tracebacks that took the same course are told once', () => {
  const { facts } = record;
  const tracebacks = facts.tracebacks.flatMap((one) => [one, one]);
  const twice = story({ facts: { ...facts, tracebacks } });
  expect(twice.match(/2 tracebacks of call/g)).toHaveLength(facts.tracebacks.length);
});

test('a run without calls has a story too, and names of peers change no screen', () => {
  const { facts, plan } = record;
  const empty = story({ facts: { ...facts, calls: [], tracebacks: [] } });
  expect(empty).not.toContain('NaN');
  expect(empty).not.toContain('Infinity');
  const providers = plan.providers.map((one) => ({ ...one, name: 'Evil\u001b[31m Inc.' }));
  expect(story({ plan: { ...plan, providers } })).not.toContain('\u001b');
});

function callOf(index: number): SeenCall {
  const call = told.facts.calls.find((one) => one.index === index);
  if (call === undefined) throw new Error(`no call ${index}`);
  return call;
}

test('a call is held against verstat, attestation and its end, at the callee or at a provider', () => {
  expect(callOf(0)).toHaveVerstat('TN-Validation-Passed');
  expect(callOf(4)).toHaveVerstat('No-TN-Validation');
  expect(callOf(4)).toHaveVerstat('TN-Validation-Passed', 'birch');
  expect(callOf(4)).not.toHaveVerstat('TN-Validation-Passed');
  expect(callOf(0)).toHaveAttestation('C');
  expect(callOf(1)).toHaveAttestation('A', 'birch');
  expect(callOf(6)).toEndWith(503);
  expect(callOf(0)).not.toEndWith(486);
});

test('a run is held against its thresholds and against whom its tracebacks named', () => {
  expect(told).not.toPassThresholds();
  expect(told).toTraceTo('dune');
  expect(told).not.toTraceTo('elm');
  expect(told).not.toAccuseNobodyElse();
  const nothing = { ...told.oracle, findings: [], findingsInAll: 0 };
  const honest = { ...told, verdict: 'passed' as const, thresholds: [], oracle: nothing };
  expect(honest).toPassThresholds();
  for (const verdict of ['failed', 'incomplete', 'timeout', 'no-calls'] as const)
    expect({ ...honest, verdict }).not.toPassThresholds();
  expect(honest).toAccuseNobodyElse();
});

test('what fails says what there was in its place, hop by hop', () => {
  const message = [
    'call 4 should have come to TN-Validation-Passed at alder; it came to No-TN-Validation',
    '  fern: not asked',
    '  elm: not asked',
    '  birch: TN-Validation-Passed (C)',
    '  alder: No-TN-Validation (C)',
  ].join('\n');
  expect(() => expect(callOf(4)).toHaveVerstat('TN-Validation-Passed')).toThrow(
    expect.objectContaining({ message }) as Error,
  );
  expect(() => expect(callOf(6)).toEndWith(486)).toThrow('call 6 should end with 486; it ended with 503');
  expect(() => expect(told).toPassThresholds()).toThrow('wrong_accusations count==0: it was 1');
  expect(() => expect(told).toTraceTo('elm')).toThrow('tracebacks should lead to elm; they named dune');
  expect(() => expect(told).toAccuseNobodyElse()).toThrow('call 0: dune is innocent');
});
