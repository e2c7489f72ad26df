import { expect, test } from '@jest/globals';
import { Records } from './records.ts';

test('a view that is older than one that was shown before the request is a regression', () => {
  const records = new Records();
  records.startReading()('a', 4, 'PAID');
  const addView = records.startReading();
  addView('a', 2, 'AWAITING_PAYMENT');
  addView('b', 1, 'AWAITING_PAYMENT');
  expect(records.versionRegressions).toEqual(['mypage showed a at version 4, then at 2']);
});

test('a response that arrives after the newer one of an overlapping request is no regression', () => {
  const records = new Records();
  records.startReading()('a', 2, 'AWAITING_PAYMENT');
  const addSlowView = records.startReading();
  records.startReading()('a', 4, 'PAID');
  addSlowView('a', 2, 'AWAITING_PAYMENT');
  expect(records.versionRegressions).toEqual([]);
});

test('a response to an overlapping request is a regression when it is older than what was shown before both', () => {
  const records = new Records();
  records.startReading()('a', 3, 'AWAITING_PAYMENT');
  const addSlowView = records.startReading();
  records.startReading()('a', 4, 'PAID');
  addSlowView('a', 2, 'AWAITING_PAYMENT');
  expect(records.versionRegressions).toEqual(['mypage showed a at version 3, then at 2']);
});
