import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectFile } from '#platform/config/project.ts';
import {
  CANCEL_BOOKING,
  listSpace,
  newCustomer,
  nextSlot,
  readProviderLedger,
} from '../../support/customer.ts';
import { eventually } from '../../support/system.ts';
import { findViolations } from '../invariants/check-invariants.ts';
import { waitForQuiescence } from '../invariants/quiescence.ts';
import { Records } from '../load/records.ts';
import { copyBook, restoreBook } from './earlier-book.ts';
import { type EmbeddedSystem, startEmbeddedSystem } from './embedded-system.ts';

const home = mkdtempSync(join(tmpdir(), 'spacerent-book-restored-'));
const never = new AbortController().signal;
let running: EmbeddedSystem;

beforeAll(async () => {
  running = await startEmbeddedSystem(home);
}, 400_000);

afterAll(async () => {
  await running?.stop();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

async function waitUntilQuiet(): Promise<void> {
  const options = { timeoutMs: 60_000, hasten: true, signal: never };
  expect((await waitForQuiescence(running.urls.contexts, options)).unfinished).toEqual([]);
}

/** Runs a command of an operator; rejects with what it printed when it fails. */
async function ops(...args: string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [projectFile('scripts/ops.mjs'), ...args], {
    env: { PATH, HOME, SPACERENT_HOME: home },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(output);
  return output;
}

const RESCHEDULE = `mutation ($input: RescheduleBookingInput!) {
  rescheduleBooking(input: $input) { __typename ... on Problem { message } }
}`;

describe("book's database is restored to an earlier time", () => {
  test('nobody loses money, no slot is sold twice, and what book still knows goes on', async () => {
    const { system } = running;
    const space = await listSpace(system);
    const [kim, lee] = [await newCustomer(system), await newCustomer(system)];
    const book = async (customer: typeof kim, slot = nextSlot()) => {
      const { booking } = await customer.request(space.id, { slot });
      await customer.waitForStatus(booking.id, 'REGISTERED');
      return { id: booking.id as string, slot };
    };
    const kept = await book(kim);
    const cancelledLater = await book(kim);
    const changedLater = await book(kim);
    await waitUntilQuiet();
    const restoredTo = new Date().toISOString();
    await copyBook(running);

    const lost = await book(kim);
    const lostAndSoldAgain = await book(kim);
    await kim.cancel(cancelledLater.id);
    await kim.waitForStatus(cancelledLater.id, 'CANCELLED');
    const input = { bookingId: changedLater.id, idempotencyKey: 'later', expectedDifference: 0 };
    const change = await kim.graphql(RESCHEDULE, { input: { ...input, slot: nextSlot() } });
    expect(change.data.rescheduleBooking.__typename).toBe('RescheduleBookingSuccess');
    await waitUntilQuiet();
    await restoreBook(running);

    // Before the operator comes, another customer takes a slot that book takes for free.
    const { booking: second } = await lee.request(space.id, { slot: lostAndSoldAgain.slot });

    const since = ['--since', restoredTo];
    const expected = [
      [lost.id, 'CANCEL_LOST'],
      [lostAndSoldAgain.id, 'CANCEL_LOST'],
      [cancelledLater.id, 'CANCEL_AS_REFUNDED'],
      [changedLater.id, '-'],
    ];
    await eventually(async () => {
      const listed = await ops('reconcile', ...since);
      for (const [id, remedy] of expected) expect(listed).toContain(`${id}  ${remedy}`);
      expect(listed).not.toContain(kept.id);
    }, 60);
    await ops('reconcile', ...since, '--apply', '--reason', 'book was restored');
    await ops('redeliver', '--to', 'book', ...since);
    const operator = await system.token('operator', 'operator');
    await system.graphql(operator, CANCEL_BOOKING, { id: changedLater.id });
    await waitUntilQuiet();

    for (const { id } of [lost, lostAndSoldAgain, cancelledLater, changedLater]) {
      await kim.waitForView(id, { status: 'CANCELLED' });
      expect(await kim.booking(id)).toMatchObject({
        status: 'CANCELLED',
        registration: { status: 'CANCELLED' },
        payment: { status: 'REFUNDED' },
      });
      const { charges, charged, refunded } = await readProviderLedger(system, id);
      expect({ charges, left: charged - refunded }).toEqual({ charges: 1, left: 0 });
    }
    expect(await kim.booking(kept.id)).toMatchObject({
      status: 'REGISTERED',
      payment: { status: 'APPROVED' },
    });
    // Space may have rejected the second booking while the lost one was registered there: then it is refunded.
    const { status } = await lee.booking(second.id);
    const ledger = await readProviderLedger(system, second.id);
    expect(['REGISTERED', 'CANCELLED']).toContain(status);
    expect(ledger.charged - ledger.refunded).toBe(status === 'REGISTERED' ? 20_000 : 0);

    const again = await book(lee, lost.slot);
    expect(await lee.view(again.id)).toMatchObject({ status: 'REGISTERED' });
    await waitUntilQuiet();
    expect(await findViolations(running.urls, new Records(), new Date())).toEqual([]);
    await eventually(async () => {
      expect(await ops('reconcile', ...since)).toContain('0 bookings contradict.');
    }, 60);
  }, 300_000);
});
