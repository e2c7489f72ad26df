import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type { BookPorts } from '../ports.ts';

const MAX_YOUNG_AGE_MS = 10_000;
const MAX_WAIT_MS = 1_500;

/**
 * The space, from book's own catalogue. The event of a space that was listed seconds ago may still
 * be on its way: its id shows its age (UUIDv7, RFC 9562 section 5.7), and for a young one this waits
 * for the event, 1.5 s at most, and reads the catalogue once more. Ids that do not exist cost two queries at most.
 */
export async function findListedSpace(
  ports: BookPorts,
  id: string,
): Promise<CatalogueSpace | null> {
  const space = await ports.catalogue.find(id);
  if (space || !isYoung(id, ports.clock())) return space;
  const waited = await ports.catalogue.whenStored(id, MAX_WAIT_MS);
  return waited ? ports.catalogue.find(id) : null;
}

function isYoung(id: string, now: Date): boolean {
  const createdMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  return Math.abs(now.getTime() - createdMs) < MAX_YOUNG_AGE_MS;
}
