import { grouped } from '#platform/config/setting-groups.ts';
import { publishingContextShape, readConfig, setting } from '#platform/config/settings.ts';

/** What book reads from its environment. */
export const bookShape = {
  ...publishingContextShape,
  ...grouped('connections', {
    BOOK_DATABASE_URL: setting.postgresUrl.meta({
      description:
        "`postgresql://` address of book's database; `npm start` without it starts the embedded PostgreSQL.",
      examples: ['postgresql://book:replace-me@localhost:5432/book'],
    }),
  }),
  ...grouped('bookings', {
    HOLD_SECONDS: setting
      .integer(1, 86_400)
      .default(900)
      .describe('Seconds for which a slot is held for its payment.'),
    MAX_UNPAID_HOLDS: setting
      .integer(1, 1_000_000)
      .default(5)
      .describe('Maximum slots that one customer holds unpaid at the same time.'),
    PAYMENT_TIMEOUT_MS: setting
      .integer(50, 60_000)
      .default(2_000)
      .describe(
        'Timeout in milliseconds of a request from book to payment; after it the outcome is unknown.',
      ),
    DEFERRED_PAYMENTS_PER_SECOND: setting
      .integer(2, 1_000)
      .default(50)
      .describe('Maximum deferred payments that each process of book requests again per second.'),
    RECONCILIATION_SECONDS: setting
      .integer(1, 86_400)
      .default(10)
      .describe('Seconds between two comparisons of changed bookings across the contexts.'),
    RECONCILIATION_DELAY_SECONDS: setting
      .integer(0, 86_400)
      .default(60)
      .describe(
        'Minimum age in seconds of a change before it is compared, because its effects may still be ' +
          'under way.',
      ),
  }),
};

/** book's settings; throws ConfigError with a sentence for each that is missing or wrong. */
export function bookConfig(env: NodeJS.ProcessEnv) {
  return readConfig(bookShape, env);
}
