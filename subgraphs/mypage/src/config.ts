import { z } from 'zod';
import { peersShape, processShape, queueShape, readConfig } from '#platform/config.ts';

const { BOOK_URL, PAYMENT_URL, SPACE_URL } = peersShape;

export function mypageConfig(env: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...processShape,
      ...queueShape,
      /** Whose stored events rebuild the views. */
      BOOK_URL,
      PAYMENT_URL,
      SPACE_URL,
      MYPAGE_DATABASE_URL: z
        .string()
        .regex(/^(file:|(mysql|mariadb):\/\/)/, 'must be a file: or mysql:// address'),
    },
    env,
  );
}
