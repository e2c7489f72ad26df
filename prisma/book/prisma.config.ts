import { defineConfig } from 'prisma/config';

// Only the Prisma CLI reads this; the services apply the same migrations themselves at start.
export default defineConfig({
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  datasource: { url: process.env.BOOK_DATABASE_URL ?? 'postgresql://localhost:5432/book' },
});
