/** Which servers a system runs on; see docs/getting-started.md. */
export type Profile = 'embedded' | 'servers';
