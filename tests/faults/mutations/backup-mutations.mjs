/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const backupMutations = [
  {
    name: 'the redelivery of a restore: the read model lacks what was acknowledged after its copy',
    edits: [
      [
        'supervisor/src/backup/restore.ts',
        'redelivered += await redeliverEvents(pool, { publisher, consumer, from });',
        'redelivered += from ? 0 : await redeliverEvents(pool, { publisher, consumer, from });',
      ],
    ],
    tests: 'faults/backup/backup',
  },
  {
    name: 'the checksums of a backup: a damaged one is restored',
    edits: [
      [
        'supervisor/src/backup/archive.ts',
        'found.get(path) !== sha256',
        'found.get(path) === undefined && sha256 !== undefined',
      ],
    ],
    tests: 'backup-archive',
  },
  {
    name: 'the refund of a booking that book has lost: its customer loses the money',
    edits: [
      [
        'subgraphs/book/src/application/reconcile-bookings.ts',
        'payment.refundDue ?? payment.amount - payment.refunded',
        'payment.refundDue ?? 0',
      ],
    ],
    tests: 'book/test/reconcile-bookings',
  },
];
