import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { CANCEL_BOOKING, listSpace, newCustomer, sql } from '../support/customer.ts';
import { mypageSql } from '../support/mypage-database.ts';
import { waitForRebuild } from '../support/rebuild.ts';
import { describeSystems, type System, until } from '../support/system.ts';

const PSEUDONYM = /erased-[0-9a-f-]{36}/;
const BEGIN = `mutation ($customerId: ID!) {
  result: beginCustomerErasure(customerId: $customerId, reason: "a test") {
    ... on CustomerErasureSuccess { pseudonym } ... on CustomerNotErasable { message }
  }
}`;
const ERASE_PAYMENT = `mutation ($customerId: ID!, $pseudonym: ID!) {
  result: erasePaymentCustomer(customerId: $customerId, pseudonym: $pseudonym) {
    ... on CustomerErasureSuccess { replaced next }
  }
}`;
const ERASE_BOOK = `mutation ($customerId: ID!, $pseudonym: ID!) {
  result: eraseBookCustomer(customerId: $customerId, pseudonym: $pseudonym) {
    ... on CustomerErasureSuccess { replaced } ... on CustomerNotErasable { message }
  }
}`;
const REBUILD = `mutation { rebuildMyPage { __typename } }`;
const LATEST = '{ myPageRebuild { state differences } }';

describeSystems('the erasure of a customer', (system) => {
  function command(token: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['scripts/ops.mjs', 'erase-customer', ...args, '--url', system.instance().graphqlUrl],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', OPERATOR_TOKEN: token } },
    );
    return { status, output: stdout + stderr };
  }

  /** Repeats the command while events of the customer are still being delivered. */
  const erase = (token: string, customer: string) =>
    until('the customer is erased', async () => {
      const { status, output } = command(token, '--customer', customer, '--reason', 'a test');
      if (status === 0) return output;
      expect(output).toContain('still being delivered');
      return null;
    });

  /** A customer whose only booking is cancelled and refunded. */
  async function formerCustomer() {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForStatus(booking.id, 'REGISTERED');
    await kim.cancel(booking.id);
    await kim.waitForView(booking.id, { status: 'CANCELLED', paymentStatus: 'REFUNDED' });
    return { kim, space, id: booking.id as string };
  }

  test('an erasure replaces the id of the customer with one pseudonym in all contexts', async () => {
    const { kim, id } = await formerCustomer();
    const lee = await formerCustomer();
    expect(await findTablesWith(system, kim.name)).toEqual(
      expect.arrayContaining(['book.booking', 'book.audit_entry', 'payment.payment', 'mypage']),
    );
    const operator = `olga-${randomUUID()}`;
    const token = await system.token(operator, 'operator');
    const output = await erase(token, kim.name);
    const [pseudonym] = PSEUDONYM.exec(output) as [string];

    expect(await findTablesWith(system, kim.name)).toEqual([]);
    expect(
      await sql(system, 'book', 'SELECT customer_id, status FROM booking WHERE id = $1', [id]),
    ).toEqual([{ customer_id: pseudonym, status: 'CANCELLED' }]);
    expect(
      await sql(system, 'payment', 'SELECT customer_id FROM payment WHERE booking_id = $1', [id]),
    ).toEqual([{ customer_id: pseudonym }]);
    const views = 'SELECT customer_id FROM booking_status_view WHERE booking_id = ?';
    for (const row of await mypageSql(system, views, [id])) expect(row.customer_id).toBe(pseudonym);
    const entries = await sql(
      system,
      'book',
      `SELECT user_id, action FROM audit_entry WHERE subject_id IN ($1::uuid, $2::uuid) ORDER BY id`,
      [id, pseudonym.slice('erased-'.length)],
    );
    expect(entries).toEqual([
      { user_id: pseudonym, action: 'requestBooking' },
      { user_id: pseudonym, action: 'cancelBooking' },
      { user_id: operator, action: 'eraseCustomer' },
    ]);
    // Other customers keep their data.
    expect((await lee.kim.view(lee.id)).status).toBe('CANCELLED');
    expect(await kim.view(id)).toBeNull();
    expect(command(token, '--customer', kim.name, '--reason', 'again').output).toContain(
      'no such customer',
    );
  }, 60_000);

  test('an erasure also changes the stored events, so that a rebuild of mypage finds no difference', async () => {
    const { kim } = await formerCustomer();
    const token = await system.token('an-operator', 'operator');
    await erase(token, kim.name);
    await until('a rebuild begins', async () => {
      const { data } = await system.graphql(token, REBUILD);
      return data.rebuildMyPage.__typename === 'RebuildMyPageStarted';
    });
    await waitForRebuild(system);
    const { data } = await system.graphql(token, LATEST);
    expect(data.myPageRebuild).toEqual({ state: 'SWITCHED', differences: 0 });
    expect(await findTablesWith(system, kim.name)).toEqual([]);
  }, 120_000);

  test('an erasure that was interrupted continues with the same pseudonym', async () => {
    const { kim } = await formerCustomer();
    const token = await system.token('an-operator', 'operator');
    const pseudonym = await until('the erasure begins', async () => {
      const { data } = await system.graphql(token, BEGIN, { customerId: kim.name });
      return data.result.pseudonym as string | undefined;
    });
    const variables = { customerId: kim.name, pseudonym };
    const { data } = await system.graphql(token, ERASE_PAYMENT, variables);
    expect(data.result).toEqual({ replaced: 1, next: null });
    expect(await erase(token, kim.name)).toContain(pseudonym);
    expect(await findTablesWith(system, kim.name)).toEqual([]);
  }, 60_000);

  test('an erasure does not complete when the customer has booked again meanwhile', async () => {
    const { kim, space } = await formerCustomer();
    const token = await system.token('an-operator', 'operator');
    const pseudonym = await until('the erasure begins', async () => {
      const { data } = await system.graphql(token, BEGIN, { customerId: kim.name });
      return data.result.pseudonym as string | undefined;
    });
    const { booking } = await kim.request(space.id);
    const { data } = await system.graphql(token, ERASE_BOOK, { customerId: kim.name, pseudonym });
    expect(data.result.message).toContain(`booking ${booking.id} is not over`);
    expect((await kim.booking(booking.id)).id).toBe(booking.id);
    await kim.waitForStatus(booking.id, 'REGISTERED');
    await kim.cancel(booking.id);
    await kim.waitForStatus(booking.id, 'CANCELLED');
    // A half-erased view would be a difference in the rebuilds of other tests.
    expect(await erase(token, kim.name)).toContain(pseudonym);
  });

  test('an erasure is refused, and changes nothing, while a booking of the customer is live', async () => {
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForStatus(booking.id, 'REGISTERED');
    const token = await system.token('an-operator', 'operator');
    const { status, output } = command(token, '--customer', kim.name, '--reason', 'a test');
    expect([status, output]).toEqual([
      1,
      `The customer's booking ${booking.id} is not over: cancel it, or wait for its end.\n`,
    ]);
    expect((await kim.view(booking.id)).status).toBe('REGISTERED');
    await system.graphql(token, CANCEL_BOOKING, { id: booking.id });
  });

  test('an erasure is for operators only, and its command explains which argument is missing', async () => {
    const kim = await newCustomer(system);
    const asCustomer = command(kim.token, '--customer', kim.name, '--reason', 'a test');
    expect(asCustomer).toEqual({ status: 1, output: expect.stringContaining('operator') });
    expect(command(kim.token, '--reason', 'a test').output).toBe(
      'Name the customer with --customer.\n',
    );
    expect(command(kim.token, '--customer', kim.name).output).toBe('Say why with --reason.\n');
    expect(command(kim.token, '--help').output).toContain('npm run ops -- erase-customer');
  });

  test.each(['book', 'payment', 'space'] as const)(
    'an erasure is the only change that the audit log of %s allows, and only of the customer id',
    async (context) => {
      const erasing = "SELECT set_config('spacerent.erasing_customer', 'on', false)";
      const pseudonym = `erased-${randomUUID()}`;
      for (const statement of [
        "UPDATE audit_entry SET user_id = 'nobody'",
        `UPDATE audit_entry SET user_id = '${pseudonym}', action = 'nothing'`,
        'DELETE FROM audit_entry',
        'TRUNCATE audit_entry',
      ]) {
        const withFlag = `DO $$ BEGIN PERFORM set_config('spacerent.erasing_customer', 'on', true); ${statement}; END $$`;
        await expect(sql(system, context, withFlag)).rejects.toThrow('append-only');
      }
      await sql(system, context, erasing);
      const outside = `UPDATE audit_entry SET user_id = '${pseudonym}' WHERE FALSE`;
      await expect(sql(system, context, outside)).rejects.toThrow('append-only');
    },
  );
});

/** The tables of all contexts that contain the text. */
async function findTablesWith(system: System, text: string): Promise<string[]> {
  const tables: string[] = [];
  for (const context of ['book', 'payment', 'space'] as const) {
    const candidates = await sql(
      system,
      context,
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    for (const { name } of candidates) {
      const query = `SELECT FROM "${name}" AS t WHERE position($1 IN t::text) > 0 LIMIT 1`;
      if ((await sql(system, context, query, [text])).length > 0) tables.push(`${context}.${name}`);
    }
  }
  for (const table of ['booking_status_view', 'view_version', 'dead_letter']) {
    const column = table === 'dead_letter' ? 'event' : 'customer_id';
    const query = `SELECT 1 FROM ${table} WHERE ${column} LIKE ?`;
    if ((await mypageSql(system, query, [`%${text}%`])).length > 0) tables.push('mypage');
  }
  return tables;
}
