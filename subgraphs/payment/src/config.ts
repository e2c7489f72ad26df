import { grouped } from '#platform/config/setting-groups.ts';
import { publishingContextShape, readConfig, setting } from '#platform/config/settings.ts';

/** What payment reads from its environment. */
export const paymentShape = {
  ...publishingContextShape,
  ...grouped('connections', {
    PAYMENT_DATABASE_URL: setting.postgresUrl.meta({
      description:
        "`postgresql://` address of payment's database; `npm start` without it starts the embedded PostgreSQL.",
      examples: ['postgresql://payment:replace-me@localhost:5432/payment'],
    }),
  }),
  ...grouped('bookings', {
    PROVIDER_TIMEOUT_MS: setting
      .integer(50, 120_000)
      .default(10_000)
      .describe(
        'Timeout in milliseconds of a request from payment to its provider; after it the outcome is ' +
          'unknown.',
      ),
    PAYMENT_ANSWER_MS: setting
      .integer(50, 120_000)
      .default(1_500)
      .describe(
        'Milliseconds after which payment responds that a charge is pending; keep it below ' +
          '`PAYMENT_TIMEOUT_MS`.',
      ),
    MAX_REFUND_ATTEMPTS: setting
      .integer(1, 1_000)
      .default(8)
      .describe(
        'Refusals by the provider after which a refund is left to operators (`REFUND_FAILED`).',
      ),
  }),
};

/** payment's settings; throws ConfigError with a sentence for each that is missing or wrong. */
export function paymentConfig(env: NodeJS.ProcessEnv) {
  return readConfig(paymentShape, env);
}
