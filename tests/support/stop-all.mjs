/** Ends what the global set-up of the same project started, last first. */
export default async function stopAll() {
  for (const stop of globalThis.stopAll.reverse()) await stop();
}
