import { failureKind, listCauses } from '../messaging/failures.ts';
import { MigrationBlocked } from './migrate/migration-blocked.ts';

/** In the order in which they are looked for: the first one that fits names the cause best. */
const reasons: readonly { codes: readonly (string | number)[]; reason: string }[] = [
  { codes: ['ENOTFOUND', 'EAI_AGAIN'], reason: 'its host name is unknown' },
  { codes: ['ECONNREFUSED'], reason: 'nothing listens at its address' },
  // PostgreSQL's SQLSTATE, or the error numbers of MariaDB and MySQL. A wrong password may be a
  // secret that is being changed, in the server first.
  {
    codes: ['28P01', '28000', 1045, 1698],
    reason: 'it refuses the user or the password of the address',
  },
  { codes: ['3D000', 1044, 1049], reason: 'the database does not exist, or is closed to the user' },
  { codes: ['25006', 1290, 1836], reason: 'it is read-only, and is to be migrated' },
  { codes: ['42501', 1142, 1227], reason: 'the user may not change its tables' },
  { codes: ['53300', 1040, 1203], reason: 'it accepts no more connections' },
  { codes: ['53100', 'ENOSPC', 1021, 1114], reason: 'its disk is full' },
  { codes: ['57P03', '57P01', '57P02', 1053], reason: 'it is starting or stopping' },
];

/** Of PostgreSQL, MariaDB and MySQL: what an administrator of the server changes. */
const ACCESS_CODES = new Set(
  ['28P01', '28000', '3D000', '42501'].concat(
    [1044, 1045, 1049, 1142, 1227, 1698].map((errno) => `mysql ${errno}`),
  ),
);

/**
 * Why a database cannot be opened or migrated now, in words without addresses and names; undefined when
 * only other settings or another version of the service would help.
 */
export function describeOutage(error: unknown): string | undefined {
  if (error instanceof MigrationBlocked) return error.reason;
  const codes = new Set(listCauses(error).flatMap(toCodes));
  const isPassing =
    failureKind(error) === 'transient' || [...codes].some((code) => ACCESS_CODES.has(code));
  if (!isPassing) return undefined;
  const known = reasons.find((each) => each.codes.some((code) => codes.has(toKey(code))));
  return known?.reason ?? 'it does not respond as it should';
}

function toCodes({ code, errno, sqlState }: ReturnType<typeof listCauses>[number]): string[] {
  // Node's socket errors have an `errno` too; only MariaDB's have an SQLSTATE as well.
  return [String(code), ...(sqlState === undefined ? [] : [toKey(Number(errno))])];
}

function toKey(code: string | number): string {
  return typeof code === 'number' ? `mysql ${code}` : code;
}
