import type { InvalidSpace } from '../refusals.ts';
import type { AddOn, PriceRule, RefundTier } from '../space-terms.ts';
import {
  amountProblem,
  entryProblem,
  invalid,
  isDate,
  rangeProblem,
  sizeProblem,
  textProblem,
} from './fields.ts';
import { CLOSES, OPENS } from './hours.ts';

/** Limits against denial of service: every quote reads all price rules and tiers. */
const MAX_PRICE_RULES = 50;
const MAX_TIERS = 50;
const MAX_ADD_ONS = 30;
const MAX_ADD_ON_QUANTITY = 100_000;

export function tiersProblem(tiers: readonly RefundTier[]): InvalidSpace | null {
  return (
    sizeProblem('refundTiers', tiers, MAX_TIERS) ??
    entryProblem(tiers, ({ daysBefore, percent }, index) => {
      const field = `refundTiers[${index}]`;
      if (daysBefore < 0 || daysBefore > 3650) {
        return invalid(`${field}.daysBefore`, 'Write a number of days from 0 to 3650.');
      }
      if (percent < 0 || percent > 100) {
        return invalid(`${field}.percent`, 'Write a percentage from 0 to 100.');
      }
      if (tiers.some((other, at) => at < index && other.daysBefore === daysBefore)) {
        return invalid(`${field}.daysBefore`, `Two tiers are for ${daysBefore} days.`);
      }
      return null;
    })
  );
}

export function priceRulesProblem(rules: readonly PriceRule[]): InvalidSpace | null {
  return (
    sizeProblem('priceRules', rules, MAX_PRICE_RULES) ??
    entryProblem(rules, (rule, index) => {
      const field = `priceRules[${index}]`;
      return (
        textProblem(`${field}.name`, 'name', rule.name, 1, 100) ??
        daysProblem(`${field}.days`, rule.days) ??
        timesProblem(field, rule) ??
        datesProblem(field, rule) ??
        amountProblem(`${field}.hourlyRate`, rule.hourlyRate)
      );
    })
  );
}

function daysProblem(field: string, days: PriceRule['days']): InvalidSpace | null {
  if (days === null) return null;
  if (days.length === 0) return invalid(field, 'Name a day, or leave the field out for every day.');
  return entryProblem(days, (day, index) =>
    days.indexOf(day) < index ? invalid(`${field}[${index}]`, `${day} is named twice.`) : null,
  );
}

function timesProblem(field: string, { from, to }: PriceRule): InvalidSpace | null {
  if (from !== null && !OPENS.test(from)) {
    return invalid(`${field}.from`, 'Write HH:MM, from 00:00 to 23:59.');
  }
  if (to !== null && !CLOSES.test(to)) {
    return invalid(`${field}.to`, 'Write HH:MM, from 00:00 to 24:00.');
  }
  // A rule without `from` begins at midnight.
  if (to === (from ?? '00:00')) {
    return invalid(
      `${field}.to`,
      'The rule covers no time: write another end, or leave from and to out for the whole day.',
    );
  }
  return null;
}

function datesProblem(field: string, { firstDate, lastDate }: PriceRule): InvalidSpace | null {
  if (firstDate !== null && !isDate(firstDate)) {
    return invalid(`${field}.firstDate`, 'Write a date YYYY-MM-DD.');
  }
  if (lastDate !== null && !isDate(lastDate)) {
    return invalid(`${field}.lastDate`, 'Write a date YYYY-MM-DD.');
  }
  if (firstDate !== null && lastDate !== null && lastDate < firstDate) {
    return invalid(
      `${field}.lastDate`,
      `The last date must not be before the first one, ${firstDate}.`,
    );
  }
  return null;
}

export function addOnsProblem(addOns: readonly AddOn[]): InvalidSpace | null {
  return (
    sizeProblem('addOns', addOns, MAX_ADD_ONS) ??
    entryProblem(addOns, ({ name, price, maxQuantity }, index) => {
      const field = `addOns[${index}]`;
      return (
        textProblem(`${field}.name`, 'name', name, 1, 100) ??
        amountProblem(`${field}.price`, price) ??
        rangeProblem(`${field}.maxQuantity`, maxQuantity, 1, MAX_ADD_ON_QUANTITY)
      );
    })
  );
}
