import { spawnSync } from 'node:child_process';
import { afterAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { listSpace, newCustomer, sql } from '../support/customer.ts';
import { mypageSql } from '../support/mypage-database.ts';
import { describeSystems, eventually, until } from '../support/system.ts';

interface Letter {
  eventId: string;
  state: string;
  error: string;
  payload: string;
}

const LIST = `query ($state: DeadLetterState) {
  bookDeadLetters { edges { node { eventId } } }
  paymentDeadLetters { edges { node { eventId } } }
  spaceDeadLetters(state: $state) { edges { node { eventId type state failures error payload } } }
  myPageDeadLetters(state: $state) { edges { node { eventId type state failures error payload } } }
}`;

describeSystems('a poisoned event', (system) => {
  const poisoned: string[] = [];

  // Other tests list all dead letters, or rebuild from all events.
  afterAll(async () => {
    for (const id of poisoned) {
      await sql(system, 'payment', 'DELETE FROM outbox WHERE id = $1', [id]);
      await sql(system, 'payment', 'DELETE FROM event_archive WHERE id = $1', [id]);
      await sql(system, 'space', 'DELETE FROM dead_letter WHERE event_id = $1', [id]);
      await mypageSql(system, 'DELETE FROM dead_letter WHERE event_id = ?', [id]);
    }
  });

  /** Stores an event with a wrong payload in the outbox of payment. */
  async function poison(payload: object): Promise<string> {
    const id = uuidv7();
    await sql(
      system,
      'payment',
      `INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id,
                           occurred_at, awaiting, attempts, next_attempt_at)
       VALUES ($1, $2, 1, 'payment-approved', 'PaymentApproved', $3, 'poison', now(),
               '{space,mypage}', 0, now())`,
      [id, uuidv7(), JSON.stringify(payload)],
    );
    poisoned.push(id);
    return id;
  }

  async function listed(token: string, state?: string) {
    const { data } = await system.graphql(token, LIST, { state });
    const edges: { node: Letter }[] = [
      ...data.spaceDeadLetters.edges,
      ...data.myPageDeadLetters.edges,
    ];
    return edges.map(({ node }) => node);
  }

  function command(token: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['scripts/ops.mjs', 'dead-letters', ...args, '--url', system.instance().graphqlUrl],
      { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', OPERATOR_TOKEN: token } },
    );
    return { status, output: stdout + stderr };
  }

  test('a poisoned event is parked by each context that fails on it, and other bookings continue', async () => {
    const operator = await system.token('olga', 'operator');
    const eventId = await poison({ paymentId: 'not an id' });
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForStatus(booking.id, 'REGISTERED');

    const parked = await until(
      'it is parked in space and in mypage',
      async () => {
        const found = (await listed(operator)).filter((letter) => letter.eventId === eventId);
        return found.length === 2 && found;
      },
      60,
    );
    expect(parked[0]).toMatchObject({ state: 'PARKED', type: 'PaymentApproved' });
    // A dead letter acknowledges its event, so that the relay does not send it again.
    await eventually(async () => {
      const [row] = await sql(system, 'payment', 'SELECT awaiting FROM outbox WHERE id = $1', [
        eventId,
      ]);
      expect(row.awaiting).toEqual([]);
    });

    expect(command(operator, 'list')).toMatchObject({
      status: 0,
      output: expect.stringContaining(`space  ${eventId}  PARKED  PaymentApproved`),
    });
    expect(command(operator, 'show', 'space', eventId).output).toContain(
      '"paymentId": "not an id"',
    );
    expect(command(operator, 'replay', 'space', eventId)).toMatchObject({
      status: 1,
      output: expect.stringContaining('failed again and stays parked'),
    });
    for (const context of ['space', 'mypage']) {
      expect(command(operator, 'discard', context, eventId, '--reason', 'a test')).toEqual({
        status: 0,
        output: `${eventId}  DISCARDED\n`,
      });
    }
    expect((await listed(operator)).filter((letter) => letter.eventId === eventId)).toEqual([]);
    const discarded = (await listed(operator, 'DISCARDED')).filter((l) => l.eventId === eventId);
    expect(discarded).toHaveLength(2);
  }, 90_000);

  test('a parked event takes effect once when it is replayed after the cause is repaired', async () => {
    const operator = await system.token('olga', 'operator');
    const space = await listSpace(system);
    const kim = await newCustomer(system);
    const constraint = `no_use_${space.id.replaceAll('-', '')}`;
    await sql(
      system,
      'space',
      `ALTER TABLE registration ADD CONSTRAINT ${constraint} CHECK (space_id <> '${space.id}')`,
    );
    const { booking } = await kim.request(space.id);
    const letter = await until(
      'it is parked',
      async () => (await listed(operator)).find((each) => each.payload.includes(booking.id)),
      60,
    );
    expect(letter).toMatchObject({ state: 'PARKED', error: expect.stringContaining(constraint) });
    expect((await kim.view(booking.id)).status).toBe('PAID');

    await sql(system, 'space', `ALTER TABLE registration DROP CONSTRAINT ${constraint}`);
    const responses = ['first', 'second'].map(() =>
      command(operator, 'replay', 'space', letter.eventId),
    );
    expect(responses).toEqual([
      { status: 0, output: `${letter.eventId}  REPLAYED\n` },
      { status: 1, output: `${letter.eventId}: This event is replayed already.\n` },
    ]);
    await kim.waitForView(booking.id, {
      timeline: ['REQUESTED', 'PAID', 'REGISTERED'].map((status) => ({ status })),
    });
    const registrations = await sql(
      system,
      'space',
      'SELECT status FROM registration WHERE booking_id = $1',
      [booking.id],
    );
    expect(registrations).toEqual([{ status: 'REGISTERED' }]);
  }, 90_000);

  test('a dead letter is visible to operators only', async () => {
    const kim = await newCustomer(system);
    const { data, errors } = await kim.graphql(LIST);
    expect(data).toEqual({
      bookDeadLetters: null,
      paymentDeadLetters: null,
      spaceDeadLetters: null,
      myPageDeadLetters: null,
    });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(Array(4).fill('FORBIDDEN'));
    expect(command(kim.token, 'list')).toMatchObject({
      status: 1,
      output: expect.stringContaining('operator'),
    });
  });

  test('the command dead-letters explains what is wrong with its arguments', async () => {
    const operator = await system.token('olga', 'operator');
    const unknownId = uuidv7();
    expect(command(operator, 'replay', 'book', unknownId)).toEqual({
      status: 1,
      output: `${unknownId}: There is no such dead letter.\n`,
    });
    expect(command(operator, 'replay', 'books', unknownId).output).toContain(
      'one of book, payment',
    );
    expect(command(operator, 'discard', 'book', unknownId).output).toContain('--reason');
    expect(command(operator, 'forget').output).toContain('There is no command "forget"');
  });
});
