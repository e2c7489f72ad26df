import { z } from 'zod';
import { processShape, queueShape, readConfig } from '#platform/config.ts';

export function mypageConfig(env: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...processShape,
      ...queueShape,
      MYPAGE_DATABASE_URL: z
        .string()
        .regex(/^(file:|(mysql|mariadb):\/\/)/, 'must be a file: or mysql:// address'),
    },
    env,
  );
}
