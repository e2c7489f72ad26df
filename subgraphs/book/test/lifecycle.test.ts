import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { bookingEvents, bookingStatus, finalBookingStatuses } from '#contracts/book.ts';
import { projectFile } from '#platform/config/project.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import {
  checkedStatuses,
  eventTypeFor,
  expiringStatuses,
  finalStatuses,
  holdsSlot,
  isExpiring,
  isFinal,
  pendingStatuses,
  statuses,
  transitions,
} from '../src/domain/lifecycle.ts';

describe('the lifecycle', () => {
  test('the statuses of the contract are those of the lifecycle', () => {
    expect([...bookingStatus.options].sort()).toEqual([...statuses].sort());
  });

  test('every status publishes an event of the contract', () => {
    for (const status of statuses)
      expect(Object.keys(bookingEvents)).toContain(eventTypeFor(status));
  });

  test('the groups of statuses are those that the triggers and partial indexes name', () => {
    expect(expiringStatuses).toEqual(['AWAITING_APPROVAL', 'REQUESTED', 'PAYMENT_DEFERRED']);
    expect(checkedStatuses).toEqual(['PAID', 'CANCELLING']);
    expect(pendingStatuses).toEqual([
      'AWAITING_APPROVAL',
      'REQUESTED',
      'PAYMENT_DEFERRED',
      'PAID',
      'CANCELLING',
    ]);
    expect(finalStatuses).toEqual(['REJECTED', 'CANCELLED', 'DECLINED', 'EXPIRED']);
    expect(new Set(finalStatuses)).toEqual(finalBookingStatuses);
  });

  test('a final status holds no slot, and every other status can reach a final one', () => {
    const reachesEnd = new Set(finalStatuses);
    for (const _ of statuses) {
      for (const { from, to } of transitions) if (reachesEnd.has(to)) reachesEnd.add(from);
    }
    expect([...reachesEnd].sort()).toEqual([...statuses].sort());
    for (const status of finalStatuses) expect(holdsSlot(status, false)).toBe(false);
  });
});

describe('the documentation', () => {
  const page = readFileSync(projectFile('docs/architecture/booking-lifecycle.md'), 'utf8');

  test('the diagram in docs/architecture shows the transitions of the lifecycle', () => {
    const edges = new Map<string, string[]>([
      ['[*] --> AWAITING_APPROVAL', ['request']],
      ['[*] --> REQUESTED', ['request']],
    ]);
    for (const { from, verb, to } of transitions) {
      const edge = `${from} --> ${to}`;
      edges.set(edge, [...(edges.get(edge) ?? []), verb]);
    }
    const lines = [
      ...[...edges].map(([edge, verbs]) => `  ${edge}: ${verbs.join(', ')}`),
      ...finalStatuses.map((status) => `  ${status} --> [*]`),
    ];
    expect(/```mermaid\n([^`]*)```/.exec(page)?.[1]?.trimEnd()).toBe(
      ['stateDiagram-v2', ...lines].join('\n'),
    );
  });

  test('the table in docs/architecture shows the statuses of the lifecycle', () => {
    const cells = page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) =>
        line
          .split('|')
          .slice(1, 5)
          .map((cell) => cell.trim().replaceAll('`', '')),
      );
    const holds = (status: (typeof statuses)[number]) => {
      if (holdsSlot(status, true)) return 'yes';
      return holdsSlot(status, false) ? 'until its registration is cancelled' : 'no';
    };
    expect(cells).toEqual(
      statuses.map((status) => [
        status,
        eventTypeFor(status),
        holds(status),
        isFinal(status) ? 'yes' : 'no',
      ]),
    );
  });
});

describe('the database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase('book');
  });
  afterAll(() => database?.drop());

  const insert = (status: string, live: boolean, registrationCancelled: boolean) =>
    database.query<{ live: boolean; deadline: boolean; check: boolean; method: string }>(
      `INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
              time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
              payment_method, status, live, version, requested_at, hold_expires_at,
              registration_cancelled, correlation_id)
       VALUES ($1::uuid, $1::text, '', $1, 'hana', 'Loft', 'Asia/Seoul', '2030-06-03 01:00Z',
               '2030-06-03 03:00Z', 1, 1000, 'KRW', '[]', 'pm_ok', $2::booking_status, $3, 1, now(),
               now(), $4, 'test')
       RETURNING live, deadline_at IS NOT NULL AS deadline, next_check_at IS NOT NULL AS check,
                 payment_method AS method`,
      [uuidv7(), status, live, registrationCancelled],
    );

  test.each(statuses)(
    'the constraints and triggers of a %s booking agree with the lifecycle',
    async (status) => {
      for (const registrationCancelled of [false, true]) {
        const live = holdsSlot(status, registrationCancelled);
        const rows = await insert(status, live, registrationCancelled);
        expect(rows).toEqual([
          {
            live,
            deadline: pendingStatuses.includes(status),
            check: checkedStatuses.includes(status),
            method: isExpiring(status) ? 'pm_ok' : '',
          },
        ]);
        // A trigger corrects `live` where the previous release wrote it for a cancelled registration.
        const opposite = insert(status, !live, registrationCancelled).then(([row]) => row?.live);
        if (status === 'CANCELLING' && registrationCancelled) expect(await opposite).toBe(false);
        else await expect(opposite).rejects.toMatchObject({ constraint: 'booking_live_by_status' });
      }
    },
  );
});
