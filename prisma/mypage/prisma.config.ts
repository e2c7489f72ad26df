import { defineConfig } from 'prisma/config';

// Only the Prisma CLI reads this; the service applies the same migrations itself at start.
export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations/sqlite' },
  datasource: { url: process.env.MYPAGE_DATABASE_URL ?? 'file:./mypage.sqlite' },
});
