import type { z } from 'zod';
import { badInput } from './errors.ts';

export interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

export interface Connection<Node> {
  edges: { cursor: string; node: Node }[];
  pageInfo: PageInfo;
}

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

/**
 * Reads `first` (1 to 100) and `after`, a cursor of {@link toConnection} whose position matches the schema
 * `position`. Throws BAD_USER_INPUT naming the argument.
 */
export function readPage<Position>(
  args: { first: number | null; after?: string | null | undefined },
  position: z.ZodType<Position>,
): { first: number; after: Position | null } {
  const first = args.first ?? DEFAULT_PAGE_SIZE;
  if (first < 1 || first > MAX_PAGE_SIZE) {
    throw badInput('first', `first must be from 1 to ${MAX_PAGE_SIZE}, not ${first}.`);
  }
  if (args.after === undefined || args.after === null) return { first, after: null };
  try {
    const json = JSON.parse(Buffer.from(args.after, 'base64url').toString());
    return { first, after: position.parse(json) };
  } catch {
    throw badInput(
      'after',
      'after is no cursor of this list: pass on an endCursor as it was given.',
    );
  }
}

/**
 * Makes a connection of up to `first` rows. Fetch `first + 1` rows after the cursor: the extra row shows
 * that there is a next page.
 */
export function toConnection<Row, Node>(
  rows: readonly Row[],
  page: { first: number; after: unknown },
  toPosition: (row: Row) => unknown,
  toNode: (row: Row) => Node,
): Connection<Node> {
  const edges = rows.slice(0, page.first).map((row) => ({
    cursor: Buffer.from(JSON.stringify(toPosition(row))).toString('base64url'),
    node: toNode(row),
  }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
