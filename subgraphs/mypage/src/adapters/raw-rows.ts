import type { Prisma } from '#prisma/mypage/generated/sqlite/client.ts';

/** Inserts rows by one statement; `into` is the table with its columns in the order of the values. */
export async function insertRows(
  tx: Prisma.TransactionClient,
  into: string,
  rows: readonly (readonly unknown[])[],
): Promise<void> {
  if (rows.length === 0) return;
  const row = `(${placeholders(rows[0]?.length ?? 0)})`;
  await tx.$executeRawUnsafe(
    `INSERT INTO ${into} VALUES ${rows.map(() => row).join(', ')}`,
    ...rows.flat(),
  );
}

export function placeholders(count: number): string {
  return Array(count).fill('?').join(', ');
}
