// @ts-check
/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const spaceMutations = [
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
        'WHERE id = $9::uuid AND version = $10',
        'WHERE id = $9::uuid AND $10::int IS NOT NULL',
      ],
    ],
    tests: 'registration-store',
  },
];
