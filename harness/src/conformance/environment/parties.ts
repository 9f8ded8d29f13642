/** Area codes of callers and of called numbers by hundreds of a case number: none that the cases use otherwise. */
const CALLERS = ['202', '405', '406', '407', '408', '409', '410', '412', '413', '414'];
const CALLED = ['305', '501', '502', '503', '504', '505', '507', '508', '509', '510'];

/**
 * Caller and called number of a case: those kept for fiction, 555-0100 to 555-0199, others for each case.
 * @param number - as `V-123`
 */
export function partiesOf(number: string): { readonly origTn: string; readonly destTn: string } {
  const digits = number.replaceAll(/\D/g, '').padStart(3, '0');
  const hundreds = Number(digits.at(-3));
  const line = `55501${digits.slice(-2)}`;
  return { origTn: `1${CALLERS[hundreds] ?? ''}${line}`, destTn: `1${CALLED[hundreds] ?? ''}${line}` };
}
