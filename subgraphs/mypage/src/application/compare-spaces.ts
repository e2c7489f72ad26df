import type { ViewGenerations } from '../ports.ts';
import type { SpaceView } from '../space-view.ts';

const PAGE_SIZE = 500;

/**
 * The ids of the live spaces that the built generation lacks, has in an older version, or has otherwise in
 * the same one. A space that the live generation lacks is no difference: releases up to 0.2.0 kept none.
 */
export async function findDifferingSpaces(
  generations: Pick<ViewGenerations, 'spacesAfter'>,
  [live, built]: readonly [number, number],
): Promise<string[]> {
  const expected = await readAll(generations, live);
  const found = new Map((await readAll(generations, built)).map((each) => [each.spaceId, each]));
  return expected.filter((each) => isDifferent(each, found.get(each.spaceId))).map(toId);
}

async function readAll(
  generations: Pick<ViewGenerations, 'spacesAfter'>,
  generation: number,
): Promise<SpaceView[]> {
  const spaces: SpaceView[] = [];
  for (;;) {
    const page = await generations.spacesAfter(generation, spaces.at(-1)?.spaceId ?? '', PAGE_SIZE);
    spaces.push(...page);
    if (page.length < PAGE_SIZE) return spaces;
  }
}

function isDifferent(live: SpaceView, built: SpaceView | undefined): boolean {
  if (!built || built.version < live.version) return true;
  return built.version === live.version && !isEqual(built, live);
}

/** Of values that are JSON. */
function isEqual(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other;
  const others = new Map(Object.entries(other));
  const entries = Object.entries(one);
  return (
    entries.length === others.size &&
    entries.every(([name, value]) => others.has(name) && isEqual(value, others.get(name)))
  );
}

const toId = ({ spaceId }: SpaceView) => spaceId;
