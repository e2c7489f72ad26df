/** Aborted by Ctrl-C, so that a command ends in order; a second one ends it at once. */
export function abortOnSignal() {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => controller.abort());
  return controller.signal;
}
