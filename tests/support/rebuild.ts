import { type System, until } from './system.ts';

/** Waits until no rebuild of mypage is running. */
export async function waitForRebuild(system: System): Promise<void> {
  const token = await system.token('an-operator', 'operator');
  await until(
    'no rebuild is running',
    async () => {
      const { data } = await system.graphql(token, '{ myPageRebuild { finishedAt } }');
      return !data.myPageRebuild || data.myPageRebuild.finishedAt !== null;
    },
    60,
  );
}
