/** @import { Mutation } from './mutation.ts' */
import { backupMutations } from './backup-mutations.mjs';
import { bookMutations } from './book-mutations.mjs';
import { databaseMutations } from './database-mutations.mjs';
import { lifecycleMutations } from './lifecycle-mutations.mjs';
import { messagingMutations } from './messaging-mutations.mjs';
import { mypageMutations } from './mypage-mutations.mjs';
import { paymentMutations } from './payment-mutations.mjs';
import { routerMutations } from './router-mutations.mjs';
import { spaceMutations } from './space-mutations.mjs';

/**
 * Every guarantee that keeps bookings from being lost or duplicated, by area.
 * @type {readonly Mutation[]}
 */
export const mutations = [
  ...messagingMutations,
  ...bookMutations,
  ...paymentMutations,
  ...spaceMutations,
  ...mypageMutations,
  ...routerMutations,
  ...databaseMutations,
  ...lifecycleMutations,
  ...backupMutations,
];
