import { z } from 'zod';

/** A whole number from `min` to `max`. */
export const integer = (min: number, max: number) =>
  z.coerce
    .number(`must be a whole number from ${min} to ${max}`)
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

export const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'must be an http:// or https:// address',
});
