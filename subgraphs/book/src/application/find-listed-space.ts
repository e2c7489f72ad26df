import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type { BookPorts } from '../ports.ts';

const YOUNG_MS = 10_000;
const WAIT_MS = 2_000;
const STEP_MS = 25;

/**
 * The space, from book's own catalogue. A space listed seconds ago may still be on its way here:
 * its id tells its age (UUIDv7, RFC 9562 section 5.7), and for a young one this waits up to 2 s.
 */
export async function findListedSpace(
  ports: BookPorts,
  id: string,
): Promise<CatalogueSpace | null> {
  const started = ports.clock().getTime();
  const age = started - Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  const deadline = Math.abs(age) < YOUNG_MS ? started + WAIT_MS : started;
  for (;;) {
    const space = await ports.catalogue.find(id);
    if (space || ports.clock().getTime() >= deadline) return space;
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
