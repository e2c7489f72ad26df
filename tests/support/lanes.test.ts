import { describe, expect, test } from '@jest/globals';
import { nextLane } from '../../scripts/testing/lanes.mjs';

const lane = (name: string, load = false) => ({ name, load, profiles: 'embedded', args: [] });
const e2e = lane('e2e');
const parts = lane('parts');
const faults = lane('faults 1', true);
const otherFaults = lane('faults 2', true);

describe('the next run of Jest', () => {
  test('starts at once when none is running', () => {
    expect(nextLane([faults, parts], [], 0)).toBe(faults);
  });

  test('starts alongside another one when half of a core is idle', () => {
    expect(nextLane([parts], [e2e], 0.4)).toBeUndefined();
    expect(nextLane([parts], [e2e], 0.5)).toBe(parts);
  });

  test('is a later one where the first would put systems under load and less than two cores are idle', () => {
    expect(nextLane([faults, parts], [e2e], 1.9)).toBe(parts);
    expect(nextLane([faults, parts], [e2e], 2)).toBe(faults);
  });

  test('starts alongside one that puts systems under load when two cores are idle, unless it does so, too', () => {
    expect(nextLane([otherFaults, parts], [faults], 1.9)).toBeUndefined();
    expect(nextLane([otherFaults, parts], [faults], 2)).toBe(parts);
    expect(nextLane([otherFaults], [faults], 4)).toBeUndefined();
  });

  test('waits while as many are running as memory is there for', () => {
    expect(nextLane([parts], [e2e, e2e, e2e, e2e], 2)).toBeUndefined();
  });
});
