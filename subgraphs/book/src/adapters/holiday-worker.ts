import { parentPort } from 'node:worker_threads';
import type { Holiday } from '../domain/public-holidays.ts';
import { computeHolidays } from './compute-holidays.ts';

/** What the service asks of the thread that computes holidays; jobs are done in order. */
export interface HolidayJob {
  id: number;
  country: string;
  year: number;
}

export interface HolidayAnswer {
  id: number;
  holidays?: Holiday[];
  error?: string;
}

parentPort?.on('message', ({ id, country, year }: HolidayJob) => {
  let answer: HolidayAnswer;
  try {
    answer = { id, holidays: computeHolidays(country, year) };
  } catch (error) {
    answer = { id, error: (error as Error).message };
  }
  parentPort?.postMessage(answer);
});
