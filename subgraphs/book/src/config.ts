import {
  metricsShape,
  migrationsShape,
  outboxShape,
  peersShape,
  processShape,
  queueShape,
  readConfig,
  setting,
} from '#platform/config.ts';

export function bookConfig(env: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...processShape,
      ...queueShape,
      ...metricsShape,
      ...migrationsShape,
      ...peersShape,
      ...outboxShape,
      BOOK_DATABASE_URL: setting.postgresUrl,
      /** How long a slot is held for its payment. */
      HOLD_SECONDS: setting.integer(1, 86_400).default(900),
      /** How many slots one customer may hold unpaid at a time. */
      MAX_UNPAID_HOLDS: setting.integer(1, 1_000_000).default(5),
      /** How long book waits for payment before the outcome counts as unknown. */
      PAYMENT_TIMEOUT_MS: setting.integer(50, 60_000).default(2_000),
      /** How many deferred payments each process asks for again per second, at most. */
      DEFERRED_PAYMENTS_PER_SECOND: setting.integer(2, 1_000).default(50),
      /** How often the bookings that changed are compared across the contexts. */
      RECONCILIATION_SECONDS: setting.integer(1, 86_400).default(10),
      /** How old a change is before it is compared: what follows from it may still be under way. */
      RECONCILIATION_DELAY_SECONDS: setting.integer(0, 86_400).default(60),
    },
    env,
  );
}
