import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { newCustomer, nextSlot } from '../support/customer.ts';
import { System, until } from '../support/system.ts';

const SUPERVISOR = 'dist/supervisor/src/main.js';

/** Runs a program of the build with the given settings as its whole environment. */
function run(program: string, settings: Record<string, string>) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [program], { env: { PATH, HOME, ...settings } });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output.text += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output, ended };
}

async function runToFailure(program: string, settings: Record<string, string>) {
  const { output, ended } = run(program, settings);
  const code = await ended;
  expect(output.text).not.toMatch(/^\s+at /m);
  return { code, text: output.text };
}

describe('npm start', () => {
  const running = new System('embedded', process.env.SYSTEM_EMBEDDED as string);

  test('npm start on data that is in use names the running instance', async () => {
    const { code, text } = await runToFailure(SUPERVISOR, {
      SPACERENT_HOME: running.home,
      PORT: '0',
    });
    expect(code).toBe(1);
    expect(text).toMatch(/already runs on .* \(process \d+, http:\/\/localhost:\d+\/graphql/);
    const { status } = await running.graphql(null, '{ __typename }');
    expect(status).toBe(200);
  });

  test('npm start on an occupied port names the port and writes nothing', async () => {
    const home = mkdtempSync(join(tmpdir(), 'spacerent-start-'));
    const PORT = new URL(running.address).port;
    const { code, text } = await runToFailure(SUPERVISOR, {
      SPACERENT_HOME: join(home, 'new'),
      PORT,
    });
    expect(code).toBe(1);
    expect(text).toContain(PORT);
    rmSync(home, { recursive: true });
  });

  test('npm start with wrong settings names each of them', async () => {
    const { code, text } = await runToFailure(SUPERVISOR, {
      PORT: 'four thousand',
      SPACERENT_DEMO: 'perhaps',
      BOOK_DATABASE_URL: 'mysql://wrong',
    });
    expect(code).not.toBe(0);
    for (const name of [
      'PORT',
      'SPACERENT_DEMO',
      'BOOK_DATABASE_URL',
      'REDIS_URL',
      'AUTH_JWKS_URL',
    ]) {
      expect(text).toContain(name);
    }
  });

  test.each([
    [
      'router/src/main.js',
      ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE', 'BOOK_URL', 'LOG_LEVEL'],
    ],
    [
      'subgraphs/book/src/main.js',
      ['BOOK_DATABASE_URL', 'PAYMENT_URL', 'LOG_LEVEL', 'HOLD_SECONDS'],
    ],
    ['subgraphs/payment/src/main.js', ['PAYMENT_DATABASE_URL', 'BOOK_URL', 'LOG_LEVEL']],
    ['subgraphs/space/src/main.js', ['SPACE_DATABASE_URL', 'MYPAGE_URL', 'LOG_LEVEL']],
    ['subgraphs/mypage/src/main.js', ['MYPAGE_DATABASE_URL', 'LOG_LEVEL']],
  ])(
    'the program %s without settings names those that are missing and those that are wrong',
    async (program, names) => {
      const settings = { LOG_LEVEL: 'loud', HOLD_SECONDS: '-1' };
      const { code, text } = await runToFailure(join('dist', program), settings);
      expect(code).toBe(2);
      for (const name of names) expect(text).toContain(name);
    },
  );

  test('npm start after a stop finds all data again', async () => {
    const home = mkdtempSync(join(tmpdir(), 'spacerent-again-'));
    const system = new System('embedded', home);
    const start = async () => {
      const started = run(SUPERVISOR, { SPACERENT_HOME: home, PORT: '0' });
      await until('it is ready', async () => started.output.text.includes('Ctrl-C stops'), 60);
      return started;
    };
    const stop = async ({ child, ended }: ReturnType<typeof run>) => {
      child.kill('SIGINT');
      expect(await ended).toBe(0);
    };
    const spaces = async () => {
      const { data } = await system.graphql(null, '{ spaces { edges { node { id name } } } }');
      return data.spaces.edges as { node: { id: string } }[];
    };

    const first = await start();
    const listed = await spaces();
    expect(listed).toHaveLength(3);
    const kim = await newCustomer(system, 'kim');
    const slot = nextSlot(30);
    slot.startAt = slot.startAt.replace('T00', 'T03');
    slot.endAt = slot.endAt.replace('T01', 'T04');
    const { booking } = await kim.request(listed[0]?.node.id as string, { slot });
    await kim.waitForStatus(booking.id, 'REGISTERED');
    await stop(first);

    const second = await start();
    expect(await spaces()).toEqual(listed);
    expect(await kim.view(booking.id)).toMatchObject({ status: 'REGISTERED', slot });
    expect(await kim.booking(booking.id)).toMatchObject({ payment: { status: 'APPROVED' } });
    await stop(second);
    rmSync(home, { recursive: true });
  }, 150_000);
});
