/** Requests of one process that wait for a space to be stored. They hold no connection. */
export interface StoredNotifications {
  notify(id: string): void;
  /**
   * Resolves with true when `id` was stored or `ms` have passed, whichever is first; at once with
   * false when too many are waiting already.
   */
  wait(id: string, ms: number): Promise<boolean>;
}

const MAX_WAITING = 100;

export function storedNotifications(maxWaiting = MAX_WAITING): StoredNotifications {
  const waiting = new Map<string, Set<() => void>>();
  let count = 0;
  return {
    notify(id) {
      for (const wake of waiting.get(id) ?? []) wake();
    },
    wait(id, ms) {
      if (count >= maxWaiting) return Promise.resolve(false);
      count += 1;
      return new Promise((resolve) => {
        const those = waiting.get(id) ?? new Set();
        waiting.set(id, those);
        const wake = () => {
          clearTimeout(timer);
          count -= 1;
          those.delete(wake);
          if (those.size === 0 && waiting.get(id) === those) waiting.delete(id);
          resolve(true);
        };
        const timer = setTimeout(wake, ms);
        those.add(wake);
      });
    },
  };
}
