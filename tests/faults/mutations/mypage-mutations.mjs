/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const mypageMutations = [
  {
    name: "the deletion of mypage's failures with the effect: a processed event stays FAILING",
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        'if (clearFailures && failing.length > 0) {',
        'if (clearFailures && failing.length < 0) {',
      ],
    ],
    tests: 'prisma-dead-letters',
  },
  {
    name: "mypage's inbox check: a redelivered event is projected twice",
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        'const unprocessed = events.filter(({ id }) => !processed.has(id) && processed.add(id));',
        'const unprocessed = [...events];',
      ],
    ],
    tests: 'prisma-view-store',
  },
  {
    name: 'the raised versions of a repaired view: its subscribers skip it after the switch',
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-versions-raise.ts',
        'if (liveVersion === undefined || version > liveVersion) continue;',
        'if (liveVersion !== undefined || version > 0) continue;',
      ],
    ],
    tests: 'rebuild-views',
  },
  {
    name: "mypage's version check: a concurrent writer's events are lost from the view",
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        "'(generation = ? AND booking_id = ? AND version = ?)'",
        "'(generation = ? AND booking_id = ? AND ? > 0)'",
      ],
      // Otherwise the key of the stored versions would detect the conflict.
      [
        'subgraphs/mypage/src/adapters/prisma-view-store.ts',
        'keepVersions: true',
        'keepVersions: false',
      ],
    ],
    tests: 'prisma-view-store',
  },
  {
    name: 'the smaller batches after a write conflict: a backlog waits for the next delivery',
    edits: [
      [
        'subgraphs/mypage/src/adapters/view-projection.ts',
        "return failureKind(error) === 'transient' && !isWriteConflict(error);",
        "return failureKind(error) === 'transient';",
      ],
    ],
    tests: 'batch-projector',
  },
  {
    name: 'the lock of a space that is being stored: a booking never gets its host',
    edits: [
      [
        'subgraphs/mypage/src/adapters/space-projection.ts',
        '/*! LOCK IN SHARE MODE */',
        '/* no lock */',
      ],
    ],
    tests: 'unnamed-hosts',
  },
];
