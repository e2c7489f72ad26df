import type { StoredEvent, StoredEvents, ToldBy } from '../ports.ts';

interface Source {
  from: ToldBy;
  page: StoredEvent[];
  at: number;
  /** Where its next page begins; undefined: there is none. */
  after: string | null | undefined;
}

/**
 * All stored events of the contexts, merged by their ids and so by time: what the contexts tell of
 * one booking lies close together, falls into one group and costs one write of its view.
 */
export async function* eventsInOrder(
  contexts: readonly ToldBy[],
  page: StoredEvents['page'],
): AsyncGenerator<StoredEvent> {
  const sources: Source[] = contexts.map((from) => ({ from, page: [], at: 0, after: null }));

  async function refill(source: Source): Promise<void> {
    while (isDry(source)) {
      const { events, next } = await page(source.from, source.after ?? null);
      Object.assign(source, { page: events, at: 0, after: next ?? undefined });
    }
  }

  for (;;) {
    if (sources.some(isDry)) await Promise.all(sources.map(refill));
    const first = sources
      .filter(({ page, at }) => at < page.length)
      .reduce<Source | null>((best, each) => (best && idOf(best) < idOf(each) ? best : each), null);
    if (!first) return;
    yield first.page[first.at] as StoredEvent;
    first.at += 1;
  }
}

/** Read to its page's end, and there is a next one. */
function isDry({ page, at, after }: Source): boolean {
  return at === page.length && after !== undefined;
}

function idOf({ page, at }: Source): string {
  return page[at]?.id ?? '';
}
