import type { InvalidSpace } from '../refusals.ts';
import type { BookingRules } from '../space-terms.ts';
import { invalid, rangeProblem } from './fields.ts';

const DAY_MINUTES = 1_440;
const MAX_SLOT_MINUTES = 31 * DAY_MINUTES;
const MAX_NOTICE_MINUTES = 365 * DAY_MINUTES;
const MAX_ADVANCE_DAYS = 3_650;
export const MAX_BUFFER_MINUTES = DAY_MINUTES;
const MAX_APPROVAL_HOURS = 720;

export function bookingRulesProblem(rules: BookingRules): InvalidSpace | null {
  const range = (part: keyof BookingRules, min: number, max: number) =>
    rangeProblem(`bookingRules.${part}`, rules[part], min, max);
  return (
    stepProblem(rules.stepMinutes) ??
    lengthProblem('minMinutes', rules) ??
    lengthProblem('maxMinutes', rules) ??
    (rules.maxMinutes < rules.minMinutes
      ? invalid(
          'bookingRules.maxMinutes',
          `The maximum must be at least the minimum, ${rules.minMinutes}.`,
        )
      : null) ??
    range('minNoticeMinutes', 0, MAX_NOTICE_MINUTES) ??
    range('maxAdvanceDays', 0, MAX_ADVANCE_DAYS) ??
    noticeProblem(rules) ??
    range('bufferBeforeMinutes', 0, MAX_BUFFER_MINUTES) ??
    range('bufferAfterMinutes', 0, MAX_BUFFER_MINUTES) ??
    range('approvalHours', 1, MAX_APPROVAL_HOURS)
  );
}

/** The grid begins anew at each midnight, so a day must be a whole number of steps. */
function stepProblem(step: number): InvalidSpace | null {
  if (step >= 1 && DAY_MINUTES % step === 0) return null;
  return invalid(
    'bookingRules.stepMinutes',
    `The step must divide the ${DAY_MINUTES} minutes of a day, as 15, 30 and 60 do.`,
  );
}

/** A slot would have to start after the last instant at which one may. */
function noticeProblem({ minNoticeMinutes, maxAdvanceDays }: BookingRules): InvalidSpace | null {
  const max = maxAdvanceDays * DAY_MINUTES;
  if (minNoticeMinutes <= max) return null;
  return invalid(
    'bookingRules.minNoticeMinutes',
    `Nothing could be booked: the notice must be at most the ${max} minutes of maxAdvanceDays, ${maxAdvanceDays}.`,
  );
}

function lengthProblem(
  part: 'minMinutes' | 'maxMinutes',
  rules: BookingRules,
): InvalidSpace | null {
  const { stepMinutes: step, [part]: minutes } = rules;
  if (minutes >= 1 && minutes <= MAX_SLOT_MINUTES && minutes % step === 0) return null;
  return invalid(
    `bookingRules.${part}`,
    `Write a multiple of stepMinutes, ${step}, of at most ${MAX_SLOT_MINUTES} minutes (31 days).`,
  );
}
