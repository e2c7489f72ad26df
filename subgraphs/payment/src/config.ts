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

export function paymentConfig(env: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...processShape,
      ...queueShape,
      ...metricsShape,
      ...migrationsShape,
      ...peersShape,
      ...outboxShape,
      PAYMENT_DATABASE_URL: setting.postgresUrl,
      /** How long payment waits for the provider before the outcome counts as unknown. */
      PROVIDER_TIMEOUT_MS: setting.integer(50, 120_000).default(10_000),
      /** After how long a call is answered with PENDING; shorter than book's PAYMENT_TIMEOUT_MS. */
      PAYMENT_ANSWER_MS: setting.integer(50, 120_000).default(1_500),
      /** After so many refusals by the provider a refund is left to operators. */
      MAX_REFUND_ATTEMPTS: setting.integer(1, 1_000).default(8),
    },
    env,
  );
}
