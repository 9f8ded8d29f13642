import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Schedule } from '../../core/runtime/clock.js';

/** What became of work that has a time budget. */
export type BudgetResult<Value> =
  | { readonly status: 'done'; readonly value: Value }
  | { readonly status: 'threw'; readonly cause: unknown }
  | { readonly status: 'late' };

/**
 * Waits for work no longer than its budget. Work that is late goes on unheard.
 * @param work - may throw or reject
 * @returns how it went; never rejects
 * @internal
 */
export function withinBudget<Value>(
  work: () => Promise<Value>,
  {
    budgetMs,
    schedule = MACHINE_CLOCK.schedule,
  }: { readonly budgetMs: number; readonly schedule?: Schedule | undefined },
): Promise<BudgetResult<Value>> {
  return new Promise((resolve) => {
    const cancel = schedule(() => resolve({ status: 'late' }), budgetMs);
    work().then(
      (value) => {
        cancel();
        resolve({ status: 'done', value });
      },
      (cause: unknown) => {
        cancel();
        resolve({ status: 'threw', cause });
      },
    );
  });
}
