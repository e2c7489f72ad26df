import { badInput } from './errors.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The id in lower case; throws BAD_USER_INPUT naming `field` when it is no UUID. */
export function parseId(id: string, field: string): string {
  if (!UUID.test(id)) throw badInput(field, `${JSON.stringify(id)} is no id: ids are UUIDs.`);
  return id.toLowerCase();
}
