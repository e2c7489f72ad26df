import { describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { reportDays } from '../src/application/host-report.ts';
import { hostSpaces } from '../src/application/host-spaces.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';
import { countDays, toLocalDate } from '../src/domain/local-dates.ts';
import { OpenMinutesSum, openMinutesOn, toOpenMinutes } from '../src/domain/open-minutes.ts';
import type { HostViews, ReportedBooking } from '../src/ports.ts';
import { type SpaceView, toSpaceView } from '../src/space-view.ts';
import { bookingEvent, paymentEvent, spaceEvent } from './a-history.ts';
import { projectAll } from './a-view-database.ts';

const BERLIN = uuidv7();
const SEOUL = uuidv7();

const space = (spaceId: string, timeZone: string, changes: Partial<SpaceView> = {}): SpaceView => ({
  ...toSpaceView(spaceEvent(1, { spaceId, timeZone })),
  ...changes,
});

/** The views of one host in memory. */
function hostViews(spaces: SpaceView[], events: ProjectedEvent[][]) {
  const bookings = events.map((each) => projectAll(each) as ReportedBooking);
  return {
    spaceZones: async (_hostId: string, spaceId: string | null) =>
      new Map(
        spaces
          .filter((each) => spaceId === null || each.spaceId === spaceId)
          .map((each) => [each.spaceId, each.timeZone]),
      ),
    spaces: async (_hostId: string, spaceIds: readonly string[]) =>
      spaces.filter((each) => spaceIds.includes(each.spaceId)),
    async *bookingsBetween(
      _hostId: string,
      { spaceId, from, to }: Parameters<HostViews['bookingsBetween']>[1],
    ) {
      yield bookings.filter(
        (each) =>
          (spaceId === null || each.spaceId === spaceId) &&
          Number(each.startAt) >= from.getTime() &&
          Number(each.startAt) < to.getTime(),
      );
    },
  };
}

function paid(spaceId: string, startAt: string, endAt: string): ProjectedEvent[] {
  const changes = {
    bookingId: uuidv7(),
    spaceId,
    slot: { startAt: new Date(startAt), endAt: new Date(endAt) },
  };
  return [bookingEvent(2, 'PAID', changes), paymentEvent(2, 'APPROVED', changes)];
}

async function report(
  views: ReturnType<typeof hostViews>,
  firstDate: string,
  lastDate: string,
  spaceId: string | null = null,
) {
  const spaces = hostSpaces(views, 'haru', spaceId);
  const days = await reportDays(views, spaces, 'haru', { spaceId, firstDate, lastDate });
  return Promise.all(
    days.map(async ({ revenue, usedSpaceIds, ...day }) => ({
      ...day,
      openMinutes: await spaces.openMinutes(day.date, usedSpaceIds),
      revenue: Object.fromEntries(revenue),
    })),
  );
}

describe('a report', () => {
  test('a report counts a booking on the day of its zone on which it starts, also over a clock change', async () => {
    // In Berlin, clocks skip from 02:00 to 03:00 on 31 March 2030.
    const views = hostViews(
      [space(BERLIN, 'Europe/Berlin')],
      [
        paid(BERLIN, '2030-03-30T22:30:00Z', '2030-03-31T02:30:00Z'),
        paid(BERLIN, '2030-03-30T23:00:00Z', '2030-03-31T00:00:00Z'),
        paid(BERLIN, '2030-03-31T00:30:00Z', '2030-03-31T01:30:00Z'),
        paid(BERLIN, '2030-03-31T21:59:00Z', '2030-03-31T22:59:00Z'),
        paid(BERLIN, '2030-03-31T22:00:00Z', '2030-03-31T23:00:00Z'),
      ],
    );
    const day = { openMinutes: 540 };
    expect(await report(views, '2030-03-30', '2030-04-01')).toEqual([
      { date: '2030-03-30', bookings: 1, bookedMinutes: 240, ...day, revenue: { KRW: 60_000 } },
      { date: '2030-03-31', bookings: 3, bookedMinutes: 180, ...day, revenue: { KRW: 180_000 } },
      { date: '2030-04-01', bookings: 1, bookedMinutes: 60, ...day, revenue: { KRW: 60_000 } },
    ]);
    expect(await report(views, '2030-03-31', '2030-03-31')).toHaveLength(1);
  });

  test('a report of all spaces merges the days of their zones by date', async () => {
    const views = hostViews(
      [space(BERLIN, 'Europe/Berlin'), space(SEOUL, 'Asia/Seoul')],
      [
        paid(BERLIN, '2030-06-03T20:00:00Z', '2030-06-03T21:00:00Z'),
        paid(SEOUL, '2030-06-03T20:00:00Z', '2030-06-03T21:00:00Z'),
      ],
    );
    const day = { bookings: 1, bookedMinutes: 60, openMinutes: 1_080, revenue: { KRW: 60_000 } };
    expect(await report(views, '2030-06-01', '2030-06-30')).toEqual([
      { date: '2030-06-03', ...day },
      { date: '2030-06-04', ...day },
    ]);
    expect(await report(views, '2030-06-01', '2030-06-30', SEOUL)).toEqual([
      { date: '2030-06-04', ...day, openMinutes: 540 },
    ]);
  });

  test('a report counts a cancelled booking for what was not refunded, and leaves out days without either', async () => {
    const slot = {
      startAt: new Date('2030-06-03T01:00:00Z'),
      endAt: new Date('2030-06-03T02:00:00Z'),
    };
    const on = (date: string) => ({
      bookingId: uuidv7(),
      spaceId: SEOUL,
      slot: {
        startAt: new Date(`${date}T01:00:00Z`),
        endAt: new Date(`${date}T02:00:00Z`),
      },
    });
    const [kept, returned, rejected, awaiting, deferred] = [
      { ...on('2030-06-03'), slot },
      on('2030-06-04'),
      on('2030-06-05'),
      on('2030-06-06'),
      on('2030-06-07'),
    ];
    const views = hostViews(
      [space(SEOUL, 'Asia/Seoul')],
      [
        [
          bookingEvent(5, 'CANCELLED', kept),
          paymentEvent(3, 'PARTIALLY_REFUNDED', { ...kept, refunded: 45_000 }),
        ],
        [
          bookingEvent(5, 'CANCELLED', returned),
          paymentEvent(3, 'REFUNDED', { ...returned, refunded: 60_000 }),
        ],
        [bookingEvent(2, 'REJECTED', rejected)],
        [bookingEvent(1, 'AWAITING_APPROVAL', awaiting)],
        [bookingEvent(2, 'PAYMENT_DEFERRED', deferred)],
      ],
    );
    expect(await report(views, '2030-06-01', '2030-06-30')).toEqual([
      {
        ...{ date: '2030-06-03', bookings: 0, bookedMinutes: 0, openMinutes: 540 },
        revenue: { KRW: 15_000 },
      },
    ]);
  });

  test('a report has one amount for each currency, and one of 0 for a free booking', async () => {
    const booking = (currency: 'KRW' | 'USD', amount: number) => {
      const changes = { bookingId: uuidv7(), spaceId: SEOUL, price: { amount, currency } };
      return [bookingEvent(2, 'PAID', changes), paymentEvent(2, 'APPROVED', changes)];
    };
    const views = hostViews(
      [space(SEOUL, 'Asia/Seoul')],
      [booking('KRW', 10), booking('KRW', 20), booking('USD', 0)],
    );
    const [day] = await report(views, '2030-06-03', '2030-06-03');
    expect(day?.revenue).toEqual({ KRW: 30, USD: 0 });
  });

  test('a report counts the open minutes of spaces on offer, and of others when they are booked', async () => {
    const archived = space(BERLIN, 'Asia/Seoul', { state: 'ARCHIVED' });
    const active = space(SEOUL, 'Asia/Seoul');
    const views = hostViews(
      [archived, active],
      [
        paid(SEOUL, '2030-06-03T01:00:00Z', '2030-06-03T02:00:00Z'),
        paid(BERLIN, '2030-06-04T01:00:00Z', '2030-06-04T02:00:00Z'),
      ],
    );
    const days = await report(views, '2030-06-01', '2030-06-30');
    expect(days.map(({ openMinutes }) => openMinutes)).toEqual([540, 1_080]);
  });

  test('a report counts a booking in UTC as long as no event of its space has come', async () => {
    const views = hostViews([], [paid(SEOUL, '2030-06-03T23:00:00Z', '2030-06-04T00:00:00Z')]);
    expect(await report(views, '2030-06-01', '2030-06-30')).toMatchObject([
      { date: '2030-06-03', openMinutes: 0 },
    ]);
  });
});

describe('local dates', () => {
  test.each([
    ['2030-06-03T14:59:59.999Z', 'Asia/Seoul', '2030-06-03'],
    ['2030-06-03T15:00:00Z', 'Asia/Seoul', '2030-06-04'],
    ['2030-10-27T21:59:59Z', 'Europe/Berlin', '2030-10-27'],
    ['2030-10-27T23:00:00Z', 'Europe/Berlin', '2030-10-28'],
    ['2030-06-03T10:00:00Z', 'Pacific/Kiritimati', '2030-06-04'],
    ['2030-06-03T10:59:00Z', 'Pacific/Pago_Pago', '2030-06-02'],
  ])('the date at %s in %s is %s', (instant, zone, date) => {
    expect(toLocalDate(new Date(instant), zone)).toBe(date);
  });

  test('days are counted with the first and the last', () => {
    expect(countDays('2030-01-01', '2030-01-01')).toBe(1);
    expect(countDays('2028-01-01', '2028-12-31')).toBe(366);
    expect(countDays('2030-01-02', '2030-01-01')).toBe(0);
  });

  test('the open minutes of a date are those of its weekday, or of its exception', () => {
    const openingHours = [
      { day: 'MONDAY', opens: '09:00', closes: '12:00' },
      { day: 'MONDAY', opens: '11:00', closes: '13:30' },
      { day: 'SUNDAY', opens: '00:00', closes: '24:00' },
    ] as SpaceView['openingHours'];
    const openingExceptions = [
      { date: '2030-06-03', hours: [], reason: 'closed' },
      { date: '2030-06-04', hours: [{ opens: '10:00', closes: '11:00' }], reason: '' },
    ];
    const usual = toOpenMinutes({ openingHours, openingExceptions: [] });
    const minutes = toOpenMinutes({ openingHours, openingExceptions });
    expect(openMinutesOn(usual, '2030-06-03')).toBe(270);
    expect(openMinutesOn(minutes, '2030-06-03')).toBe(0);
    expect(openMinutesOn(minutes, '2030-06-04')).toBe(60);
    expect(openMinutesOn(minutes, '2030-06-05')).toBe(0);
    // Clocks change in Berlin: by the wall clock it is a day as any other.
    expect(openMinutesOn(minutes, '2030-03-31')).toBe(1_440);
    const sum = new OpenMinutesSum();
    for (const each of [usual, minutes, minutes]) sum.add(each);
    const dates = ['2030-06-03', '2030-06-04', '2030-06-05', '2030-06-09', '2030-06-10'];
    expect(dates.map((date) => sum.on(date))).toEqual([270, 120, 0, 4_320, 810]);
  });
});
