import { DateTime } from 'luxon';

export const everyDay = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];
const workDays = everyDay.slice(0, 5);

/** Closed in four weeks, so that the calendar of a demo shows it. */
const inFourWeeks = () => DateTime.now().setZone('Asia/Seoul').plus({ weeks: 4 }).toISODate() ?? '';

/** What `npm start` lists. The first one is simple, because the first booking of a reader is there. */
export const demoSpaces = () => [
  {
    name: '한강뷰 회의실 (Han River Meeting Room)',
    description: 'Twelve seats, a whiteboard wall and the river at sunset.',
    address: '서울 영등포구 여의동로 330',
    capacity: 12,
    hourlyRate: 30_000,
    openingHours: everyDay.map((day) => ({ day, opens: '09:00', closes: '22:00' })),
    // The documentation's first booking is in 2030.
    bookingRules: { maxAdvanceDays: 3_650 },
    amenities: ['Wi-Fi', '화이트보드', '주차'],
  },
  {
    name: '북촌 한옥 스튜디오 (Bukchon Hanok Studio)',
    description: 'A restored hanok with a courtyard, for photo shoots and small classes.',
    address: '서울 종로구 북촌로 11길 7',
    capacity: 20,
    hourlyRate: 55_000,
    openingHours: [
      ...workDays.map((day) => ({ day, opens: '10:00', closes: '20:00' })),
      { day: 'SATURDAY', opens: '08:00', closes: '24:00' },
      { day: 'SUNDAY', opens: '08:00', closes: '18:00' },
    ],
    refundTiers: [
      { daysBefore: 14, percent: 100 },
      { daysBefore: 3, percent: 50 },
    ],
    bookingMode: 'APPROVAL',
    bookingRules: {
      ...{ stepMinutes: 60, minMinutes: 120, maxMinutes: 600, minNoticeMinutes: 24 * 60 },
      ...{ maxAdvanceDays: 180, bufferAfterMinutes: 30, approvalHours: 48 },
    },
    openingExceptions: [{ date: inFourWeeks(), hours: [], reason: '한옥 보수 (repairs)' }],
    includedHeadcount: 8,
    extraPersonHourlyRate: 3_000,
    addOns: [
      { name: '조명 세트 (Lights)', unit: 'PER_BOOKING', price: 40_000 },
      { name: '다과 (Tea and sweets)', unit: 'PER_PERSON', price: 6_000 },
    ],
    holidayCountry: 'KR',
    amenities: ['Wi-Fi', '마당', '탈의실'],
  },
  {
    name: '홍대 합주실 (Hongdae Rehearsal Room)',
    description: 'Drums, amplifiers and thick walls, open through the night.',
    address: '서울 마포구 와우산로 21',
    capacity: 6,
    hourlyRate: 18_000,
    openingHours: everyDay.map((day) => ({ day, opens: '00:00', closes: '24:00' })),
    bookingRules: { stepMinutes: 30, minMinutes: 60, maxMinutes: 480, bufferAfterMinutes: 30 },
    priceRules: [
      { name: '심야 (Night)', from: '00:00', to: '07:00', hourlyRate: 12_000 },
      { name: '공휴일 (Holiday)', onHolidays: true, hourlyRate: 25_000 },
      {
        ...{ name: '주말 저녁 (Weekend evening)', days: ['FRIDAY', 'SATURDAY'] },
        ...{ from: '18:00', to: '24:00', hourlyRate: 25_000 },
      },
    ],
    addOns: [{ name: '앰프 (Amplifier)', unit: 'PER_HOUR', price: 2_000, maxQuantity: 3 }],
    holidayCountry: 'KR',
    amenities: ['Wi-Fi', '드럼', '방음'],
  },
];
