import { z } from 'zod';
import {
  metricsShape,
  migrationsShape,
  peersShape,
  processShape,
  queueShape,
  readConfig,
  setting,
} from '#platform/config.ts';

const { BOOK_URL, PAYMENT_URL, SPACE_URL } = peersShape;

export function mypageConfig(env: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...processShape,
      ...queueShape,
      ...metricsShape,
      ...migrationsShape,
      /** Whose stored events rebuild the views. */
      BOOK_URL,
      PAYMENT_URL,
      SPACE_URL,
      /** How long the versions of views are kept for live subscribers who are away. */
      VIEW_VERSIONS_KEEP_MINUTES: setting.integer(1, 10_000).default(10),
      MYPAGE_DATABASE_URL: z
        .string()
        .regex(/^(file:|(mysql|mariadb):\/\/)/, 'must be a file: or mysql:// address'),
    },
    env,
  );
}
