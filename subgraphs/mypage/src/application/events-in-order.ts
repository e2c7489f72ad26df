import type { PublishingContext, StoredEvent, StoredEvents } from '../ports.ts';

interface Source {
  from: PublishingContext;
  page: StoredEvent[];
  at: number;
  /** The position after which the next page begins; undefined: there is none. */
  after: string | null | undefined;
}

/**
 * All stored events of the contexts, merged by their ids and so by time: the events of one booking are close
 * together, so most of them share a batch and one write of the view.
 */
export async function* eventsInOrder(
  contexts: readonly PublishingContext[],
  page: StoredEvents['page'],
): AsyncGenerator<StoredEvent> {
  const sources: Source[] = contexts.map((from) => ({ from, page: [], at: 0, after: null }));

  async function refill(source: Source): Promise<void> {
    while (needsPage(source)) {
      const { events, next } = await page(source.from, source.after ?? null);
      Object.assign(source, { page: events, at: 0, after: next ?? undefined });
    }
  }

  for (;;) {
    if (sources.some(needsPage)) await Promise.all(sources.map(refill));
    const first = sources
      .filter(({ page, at }) => at < page.length)
      .reduce<Source | null>(
        (best, each) => (best && nextId(best) < nextId(each) ? best : each),
        null,
      );
    if (!first) return;
    yield first.page[first.at] as StoredEvent;
    first.at += 1;
  }
}

/** Is the page read to its end, and is there a next one? */
function needsPage({ page, at, after }: Source): boolean {
  return at === page.length && after !== undefined;
}

function nextId({ page, at }: Source): string {
  return page[at]?.id ?? '';
}
