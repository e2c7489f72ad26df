/**
 * Gathers the calls of one tick into one: a list of 100 spaces is one statement, not 100. `load`
 * gets the keys and resolves with a value for each, in their order; when it rejects, every call of
 * the batch does.
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
): (key: Key) => Promise<Value> {
  interface Call {
    key: Key;
    resolve: (value: Value) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Call[] = [];

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    try {
      const values = await load(batch.map(({ key }) => key));
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as Value);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return (key) =>
    new Promise((resolve, reject) => {
      // After the promise jobs of this tick: resolvers that continue from one batch form the next.
      if (waiting.length === 0) queueMicrotask(() => process.nextTick(flush));
      waiting.push({ key, resolve, reject });
    });
}
