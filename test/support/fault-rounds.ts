/** How many times as often fault tests are to try: 1 in `npm test`, more by `npm run faults`, which sets HOPBACK_FAULT_ROUNDS. */
export const FAULT_ROUNDS: number = Math.max(1, Math.floor(Number(process.env['HOPBACK_FAULT_ROUNDS'] ?? '1')) || 1);
