/** Distinct STOP rows as a Ribbon SBC writes them, 301 fields each, in time order. */
export function ribbonRows(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(ribbonStopRow(index)));
}

const SECOND_MS = 1_000;

function ribbonStopRow(index: number): string {
  const startMs = Date.UTC(2026, 10, 25, 8) + index * 40;
  const endMs = startMs + 31 * SECOND_MS;
  const npa = ['202', '212', '312', '415'][index % 4] ?? '202';
  const calling = `${npa}55501${String(index % 100).padStart(2, '0')}`;
  const called = `1${npa}55501${String((index * 7) % 100).padStart(2, '0')}`;
  const fields = Array.from({ length: STOP_FIELDS }, () => '');
  const put = (place: number, ...texts: readonly string[]): void => void fields.splice(place, texts.length, ...texts);
  put(
    0,
    'STOP',
    'SBC01',
    `0x${(0x1000_0000_0000 + index).toString(16).toUpperCase().padStart(16, '0')}`,
    `${index * 4}`,
  );
  put(4, 'GMT-06:00-Central', ...dateAndTime(startMs), '1', '57', '601', ...dateAndTime(endMs), '2', '2500', '16');
  put(15, 'IP-TO-IP', 'SUBSCRIBER-TO-NETWORK', 'DEFAULT', '', calling, called, '', '0');
  put(28, 'RL_LD_1', '1', 'SBC01:TG-OUT-A', '198.51.100.2', '198.51.100.66', `TG-IN-${index % 9}`);
  put(
    35,
    '192.0.2.10:10020/192.0.2.77:20330',
    '',
    '198.51.100.2:10022/198.51.100.66:40110',
    '201600',
    '1260',
    '201120',
    '1257',
  );
  put(
    51,
    `"SIP,${index}-in@192.0.2.77,<sip:${calling}@192.0.2.77>;tag=in${index},<sip:${called}@192.0.2.10>;tag=a${index},0,,,,,,,,,,,,,,200,,"`,
  );
  put(63, '1', '0', '2', '9', 'TG-OUT-A', `"SIP,${index}-out@198.51.100.2,,,0,,,,,,,,,,,,,,200,,"`, calling);
  put(81, `0x${(0x5000_0000 + index).toString(16).toUpperCase()}`);
  put(124, '192.0.2.10', '192.0.2.77', `${index}`);
  put(230, '"P:1,0,2,3,4,5","0,0,12,9,0,0,3,2"');
  return fields.join(',');
}

/** As of SBC Core 9.2; older ones have fewer. */
const STOP_FIELDS = 301;

/** `MM/DD/YYYY` and `HH:MM:SS.s` */
function dateAndTime(atMs: number): readonly [string, string] {
  const text = new Date(atMs).toISOString();
  return [`${text.slice(5, 7)}/${text.slice(8, 10)}/${text.slice(0, 4)}`, text.slice(11, 21)];
}
