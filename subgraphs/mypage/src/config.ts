import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import {
  contextShape,
  isDatabaseUrl,
  NO_DATABASE_URL,
  peersShape,
  readConfig,
  setting,
} from '#platform/config/settings.ts';

const { BOOK_URL, PAYMENT_URL, SPACE_URL } = peersShape;

/** What mypage reads from its environment. */
export const mypageShape = {
  ...contextShape,
  // The contexts whose stored events rebuild the views.
  BOOK_URL,
  PAYMENT_URL,
  SPACE_URL,
  ...grouped('bookings', {
    VIEW_VERSIONS_KEEP_MINUTES: setting
      .integer(1, 10_000)
      .default(10)
      .describe('Minutes for which versions of views are kept for subscribers that reconnect.'),
  }),
  ...grouped('connections', {
    MYPAGE_DATABASE_URL: z
      .string()
      .regex(/^(file:|(mysql|mariadb):\/\/)/, 'must be a file: or mysql:// address')
      .refine(isDatabaseUrl, NO_DATABASE_URL)
      .meta({
        description:
          "`mysql://`, `mariadb://` or `file:` (SQLite) address of mypage's database; `npm start` " +
          'without it creates a SQLite file.',
        examples: ['mysql://mypage:replace-me@localhost:3306/mypage'],
      }),
  }),
};

/** mypage's settings; throws ConfigError with a sentence for each that is missing or wrong. */
export function mypageConfig(env: NodeJS.ProcessEnv) {
  return readConfig(mypageShape, env);
}
