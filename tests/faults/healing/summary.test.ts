import { describe, expect, test } from '@jest/globals';
import { LATE_MS, summarize } from './summary.ts';

const FAULT_AT = 1_000;
const sent = (operation: string, startedAt: number, endedAt: number, failure?: string) => ({
  operation,
  startedAt,
  endedAt,
  failure,
});

describe('the summary of a fault', () => {
  test('counts failed and late requests that ended after the fault, also those that began before it', () => {
    const summary = summarize(
      [
        sent('Read', 0, FAULT_AT - 1, 'refused'),
        sent('Read', 900, FAULT_AT + 100, 'refused'),
        sent('Request', 1_100, 1_100 + LATE_MS + 1),
        sent('Request', 1_100, 1_100 + LATE_MS),
      ],
      FAULT_AT,
    );
    expect(summary).toMatchObject({ requests: 3, failed: 1, late: 1 });
  });

  test('lasts until the end of the last failed request', () => {
    const summary = summarize(
      [
        sent('Spaces', 1_000, 1_500, 'refused'),
        sent('Spaces', 1_200, 4_500, 'refused'),
        sent('Spaces', 1_600, 1_700),
      ],
      FAULT_AT,
    );
    expect(summary.failedForSeconds).toBe(3.5);
    expect(summarize([sent('Spaces', 1_000, 1_500)], FAULT_AT).failedForSeconds).toBeUndefined();
  });

  test('names the operations that worked throughout, and counts the messages of the others', () => {
    const one = 'book 01a228a9-57ba-76d8-a739-9712cc66a5cb:\n <b>gone</b>';
    const other = 'book 01a228a9-57bc-77e1-bd3e-fd50147b29af: gone';
    const summary = summarize(
      [
        sent('Request', 1_000, 1_100, one),
        sent('Request', 1_000, 1_100, other),
        sent('Read', 1_000, 1_100, 'gone'),
      ],
      FAULT_AT,
    );
    expect(summary.failures).toEqual({ book: 2, 'my page': 1 });
    expect(summary.working).toEqual(['cancel', 'read a booking', 'search', 'free slots']);
    expect(summary.messages).toContain('1 × Read: gone');
  });
});
