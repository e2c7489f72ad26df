import type { Pool } from '#platform/database/postgres.ts';
import type { BookingFilter, BookingSearch } from '../ports.ts';
import { type BookingRow, COLUMNS, toBooking } from './booking-rows.ts';
import { IS_STUCK } from './status-lists.ts';

/** The condition of each part of a filter; `$` stands for its value. */
const CONDITIONS: Record<Exclude<keyof BookingFilter, 'stuck'>, string> = {
  customerId: 'customer_id = $',
  hostId: 'host_id = $',
  spaceId: 'space_id = $::uuid',
  status: 'status = ANY($::booking_status[])',
  startsFrom: 'start_at >= $',
  startsBefore: 'start_at < $',
};

/** Finds bookings in PostgreSQL. Only the conditions that are given reach the planner. */
export function bookingSearch(pool: Pool): BookingSearch {
  return {
    async search(filter, limit, after) {
      const { stuck, ...parts } = filter;
      const conditions: string[] = [];
      const values: unknown[] = [];
      const add = (condition: string, value: unknown) => {
        values.push(value);
        conditions.push(condition.replace('$', `$${values.length}`));
      };
      for (const [part, value] of Object.entries(parts)) {
        if (value !== null) add(CONDITIONS[part as keyof typeof CONDITIONS], value);
      }
      if (stuck !== null) conditions.push(stuck ? IS_STUCK : `(${IS_STUCK}) IS NOT TRUE`);
      if (after !== null) add('id < $::uuid', after);
      values.push(limit);
      const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
      const { rows } = await pool.query<BookingRow>(
        `SELECT ${COLUMNS} FROM booking ${where} ORDER BY id DESC LIMIT $${values.length}`,
        values,
      );
      return rows.map(toBooking);
    },
  };
}
