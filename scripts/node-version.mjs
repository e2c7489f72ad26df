/** Ends the process with a sentence when this Node is too old; later failures would be riddles. */
export function requireNode(major = 20, minor = 19) {
  const [haveMajor = 0, haveMinor = 0] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  console.error(
    `spacerent needs Node ${major}.${minor} or newer; this is Node ${process.versions.node}.`,
  );
  process.exit(1);
}
