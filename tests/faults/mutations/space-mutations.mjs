/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const spaceMutations = [
  {
    name: 'the order of moves: an older version of the booking moves the registration back',
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-registration-store.ts',
        'SELECT FROM joined WHERE version > :causeVersion::int',
        'SELECT FROM joined WHERE FALSE AND version > :causeVersion::int',
      ],
    ],
    tests: 'move-registration',
  },
  {
    name: "the fence: a payment's approval registers a booking that has expired",
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-registration-store.ts',
        'AND payment_id IS NOT NULL),',
        'OR payment_id IS NOT NULL),',
      ],
    ],
    tests: 'space/test/fencing',
  },
  {
    name: "the check of a rival's booking: an overlapping registration counts as a live booking",
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-registration-store.ts',
        "return rival?.found ? { type: 'overlap', use } : { type: 'contested' };",
        "return rival ? { type: 'overlap', use } : { type: 'contested' };",
      ],
    ],
    tests: 'space/test/fencing',
  },
  {
    name: "space's version check: a delayed writer overwrites a newer version",
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-registration-store.ts',
        'WHERE id = :id::uuid AND version = :previousVersion\n',
        'WHERE id = :id::uuid AND :previousVersion::int IS NOT NULL\n',
      ],
    ],
    tests: 'registration-store',
  },
  {
    name: "the version check of updateSpace: of two hosts' changes the later one undoes the earlier",
    edits: [
      [
        'subgraphs/space/src/adapters/prisma-space-store.ts',
        'WHERE id = :id::uuid AND version = :version::int - 1',
        'WHERE id = :id::uuid',
      ],
    ],
    tests: 'space/test/space-updates',
  },
  {
    name: 'the place of a page in the order of the statement: spaces that are listed meanwhile repeat others',
    edits: [
      [
        'subgraphs/space/src/adapters/space-search.ts',
        "const comparison = direction === 'ASC' ? '>' : '<';",
        "const comparison = direction === 'ASC' ? '>=' : '<=';",
      ],
    ],
    tests: 'space/test/space-orders',
  },
];
