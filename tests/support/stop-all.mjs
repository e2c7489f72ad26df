/** Ends what the global set-ups started, last first. */
export default async function stopAll() {
  for (let stop = globalThis.stopAll.pop(); stop; stop = globalThis.stopAll.pop()) await stop();
}
