import type { BlockRecord } from '../load/records.ts';
import { Records } from '../load/records.ts';

const LISTS = ['requests', 'cancels', 'reschedules', 'goodwill', 'decisions'] as const;

/** Remembers which responses were given until now. */
export function rememberResponses(records: Records): Records {
  const remembered = new Records();
  for (const list of [...LISTS, 'blocks', 'spaces'] as const) {
    (remembered[list] as unknown[]).push(...structuredClone(records[list] as unknown[]));
  }
  for (const [id, status] of records.shownStatuses) remembered.shownStatuses.set(id, status);
  return remembered;
}

/**
 * The records with the responses that were given before, and all later requests as if none had come: a backup
 * that was begun in between must have the former, and may have the latter.
 */
export function answeredBefore(before: Records, all: Records): Records {
  const merged = rememberResponses(before);
  for (const list of LISTS) {
    const later = structuredClone(all[list].slice(before[list].length));
    for (const record of later) record.outcome = { kind: 'unknown', reason: 'after the backup' };
    (merged[list] as unknown[]).push(...later);
  }
  for (const record of merged.reschedules.slice(before.reschedules.length)) record.responded = null;
  merged.blocks.length = 0;
  merged.blocks.push(...all.blocks.map((record, index) => toBlock(record, before.blocks[index])));
  return merged;
}

function toBlock(record: BlockRecord, before: BlockRecord | undefined): BlockRecord {
  if (!before) return { ...record, outcome: { kind: 'unknown', reason: 'after the backup' } };
  return { ...before, removal: record.removal === before.removal ? before.removal : 'unknown' };
}
