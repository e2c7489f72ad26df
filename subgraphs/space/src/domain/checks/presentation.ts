import type { InvalidSpace } from '../refusals.ts';
import { type Photo, toAmenityKey } from '../space-terms.ts';
import { entryProblem, invalid, sizeProblem, textProblem } from './fields.ts';

const MAX_PHOTOS = 20;
const MAX_URL_LENGTH = 2_000;
export const MAX_AMENITIES = 50;
export const MAX_AMENITY_LENGTH = 50;

export function photosProblem(photos: readonly Photo[]): InvalidSpace | null {
  return (
    sizeProblem('photos', photos, MAX_PHOTOS) ??
    entryProblem(photos, ({ url, alt }, index) => {
      if (!isPublicUrl(url)) {
        return invalid(
          `photos[${index}].url`,
          `Write an address that begins with https://, has a host and no credentials, of at most ${MAX_URL_LENGTH} characters.`,
        );
      }
      return textProblem(`photos[${index}].alt`, 'alternative text', alt, 0, 200);
    })
  );
}

/** Pages load it as it is written, so what a browser would repair or run as a script is refused. */
function isPublicUrl(url: string): boolean {
  if (url.length > MAX_URL_LENGTH || !/^https:\/\/[^/]/i.test(url)) return false;
  if (/[\s\\\p{Cc}]/u.test(url) || !URL.canParse(url)) return false;
  const { hostname, username, password } = new URL(url);
  return hostname !== '' && username === '' && password === '';
}

export function amenitiesProblem(amenities: readonly string[]): InvalidSpace | null {
  const keys = new Set<string>();
  return (
    sizeProblem('amenities', amenities, MAX_AMENITIES) ??
    entryProblem(amenities, (amenity, index) => {
      const field = `amenities[${index}]`;
      const key = toAmenityKey(amenity);
      if (keys.has(key)) return invalid(field, `${JSON.stringify(amenity)} is named twice.`);
      keys.add(key);
      if (/\p{Cc}/u.test(amenity)) {
        return invalid(field, 'An amenity must not hold control characters.');
      }
      return textProblem(field, 'amenity', amenity, 1, MAX_AMENITY_LENGTH);
    })
  );
}
