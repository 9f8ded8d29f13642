import { expect, test } from 'vitest';
import { ScriptIndex } from '../../harness/src/platform/domain/campaigns/scripts/script-index.js';
import type { ScriptPlacement } from '../../harness/src/platform/domain/campaigns/scripts/types.js';
import { viewOf } from '../support/script-index-view.js';

const WARRANTY =
  'Hello, this is Dana with the renewal office. The factory coverage of your car ran out last month and we kept your file open. Press 4 to hear your price before Friday, or press 8 to be taken off our list.';
const METER =
  'Attention customer of Lakeside Power. A crew is on its way to cut your electricity within 40 minutes because of an unpaid bill. Press 1 to call the crew back and settle the bill at the billing desk.';

function joined(placement: ScriptPlacement): Extract<ScriptPlacement, { kind: 'joined' }> {
  if (placement.kind !== 'joined') throw new Error(`not joined: ${JSON.stringify(placement)}`);
  return placement;
}

function scriptsOf(index: ScriptIndex, transcripts: readonly string[], language?: string): (string | undefined)[] {
  return transcripts.map((transcript, at) => {
    index.add(`call ${String(at)}`, transcript, language);
    return index.scriptOf(`call ${String(at)}`);
  });
}

test('a script is known again with other names, keys and numbers, in words or digits', () => {
  const index = new ScriptIndex();
  const other = WARRANTY.replace('Dana', 'Peter').replace('Press 4', 'Press seven').replace('press 8', 'press nine');
  expect(new Set(scriptsOf(index, [WARRANTY, other])).size).toBe(1);
});

test('two scripts that only end alike stay two', () => {
  const index = new ScriptIndex();
  const ending = ' To be removed from our calling list press 9. Thank you and have a great day.';
  expect(new Set(scriptsOf(index, [WARRANTY + ending, METER + ending])).size).toBe(2);
});

test('a voicemail that started late joins the whole script', () => {
  const index = new ScriptIndex();
  index.add('whole', WARRANTY);
  expect(joined(index.add('late', WARRANTY.slice(95))).scriptId).toBe('script-1');
});

test('the whole script joins a piece that came first', () => {
  const index = new ScriptIndex();
  index.add('early end', METER.slice(0, 95));
  expect(joined(index.add('whole', METER)).scriptId).toBe('script-1');
});

test('a transcript that contains two pieces merges their scripts under the older id, and the younger id leads to it', () => {
  const index = new ScriptIndex();
  const first = index.add('start', METER.slice(0, 105));
  const second = index.add('end', METER.slice(106));
  expect([first.kind, second.kind]).toEqual(['opened', 'opened']);
  const { merges, scriptId } = joined(index.add('whole', METER));
  expect(merges).toEqual([{ kept: 'script-1', gone: 'script-2' }]);
  expect(scriptId).toBe('script-1');
  expect(index.scriptOf('end')).toBe('script-1');
  expect(viewOf(index).scripts).toMatchObject([{ ordinal: 1, count: 3, members: ['start', 'end', 'whole'] }]);
  expect(index.statistics()).toMatchObject({ scripts: 1, merges: 1 });
});

test('a piece that two scripts have joins one of them and makes no one of the two', () => {
  const index = new ScriptIndex();
  const common =
    ' please hold the line while we connect you with the next free agent of the enrollment floor who has your papers';
  index.add('a', WARRANTY + common);
  index.add('b', METER + common);
  const placement = joined(index.add('piece', common));
  expect(placement.merges).toEqual([]);
  expect(index.statistics().scripts).toBe(2);
});

test.each([
  ['', 'empty'],
  ['   ...  ', 'empty'],
  ['Press one now.', 'too-short'],
  ['Hello? Hello? Hello? Hello? Hello? Hello?', 'too-short'],
  ['[Music] Thank you for watching!', 'only-noise'],
  ['♪♪ (upbeat music) ♪♪', 'only-noise'],
  ['请不吝点赞 订阅 转发 打赏支持明镜与点点栏目', 'only-noise'],
  ['按一', 'too-short'],
])('%j belongs to no script: %s', (transcript, reason) => {
  expect(new ScriptIndex().add('a', transcript)).toMatchObject({ kind: 'none', reason });
});

test('in the strict index, words that recognisers invent, loops and a second playing do not part transcripts', () => {
  const index = new ScriptIndex({ strictness: 'same-recording' });
  const looped = WARRANTY.replace('kept your file open', 'kept your file open kept your file open kept your file open');
  const invented = `${WARRANTY} [Music] Thanks for watching!`;
  expect(new Set(scriptsOf(index, [WARRANTY, invented, looped, `${WARRANTY} ${WARRANTY}`])).size).toBe(1);
});

test('Spanish, Chinese and a language without any table here are known again', () => {
  const spanish =
    'Le informamos que su cuenta de luz tiene un saldo vencido y el servicio sera cortado hoy. Oprima {} para hablar con el departamento de pagos ahora mismo.';
  const chinese = '您好,这里是海关查验中心,您的包裹里有违禁物品,请在今天之内按{}与值班人员联系,否则移交法院处理。';
  const tagalog =
    'Magandang araw po, ang inyong account sa bangko ay pansamantalang isinara. Pindutin ang {} upang makausap ang aming kinatawan at maibalik ito ngayon.';
  for (const [text, one, other] of [
    [spanish, '1', 'cinco'],
    [chinese, '1', '九'],
    [tagalog, '1', '2'],
  ] as const) {
    const index = new ScriptIndex();
    expect(new Set(scriptsOf(index, [text.replace('{}', one), text.replace('{}', other)])).size).toBe(1);
  }
});

test('a Chinese transcript that was cut joins the whole', () => {
  const whole =
    '这里是中央电力公司,您的电费已经拖欠两个月,今天下午三点将要停电,请马上按2转接收费处办理付款手续,谢谢合作。';
  const index = new ScriptIndex();
  index.add('whole', whole, 'zh');
  expect(joined(index.add('late', whole.slice(18), 'zh')).scriptId).toBe('script-1');
});

test('the strict index parts two recordings of one script that say another number, the other does not', () => {
  const one = 'Call the prize desk today at 800 555 0123 and have your winning number 4 4 1 ready. Again 800 555 0123.';
  const other = one.replaceAll('0123', '0188').replace('4 4 1', '7 2 9');
  expect(new Set(scriptsOf(new ScriptIndex(), [one, other])).size).toBe(1);
  expect(new Set(scriptsOf(new ScriptIndex({ strictness: 'same-recording' }), [one, other])).size).toBe(2);
});

test('the script heard longest ago is forgotten beyond the limit, one heard often is kept', () => {
  const index = new ScriptIndex({ limits: { maxScripts: 8 } });
  index.add('often 1', METER);
  index.add('often 2', METER);
  for (let at = 0; at < 40; at += 1) {
    const words = Array.from(
      { length: 20 },
      (_, word) => `w${String.fromCharCode(97 + (at % 26))}x${'abcdefghijklmnopqrst'[word] ?? ''}${'y'.repeat(at)}`,
    );
    index.add(`once ${String(at)}`, words.join(' '));
  }
  expect(index.statistics()).toMatchObject({ scripts: 8, forgottenScripts: 33 });
  expect(joined(index.add('often 3', METER)).scriptId).toBe('script-1');
  expect(viewOf(index).scripts.map(({ ordinal }) => ordinal)).not.toContain(2);
});
