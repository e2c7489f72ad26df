import type { Payload } from './payload.ts';

const FINAL_TEXT = 0x81;
/** The largest lengths that fit into a header's second byte, and into two bytes after it. */
const SHORT = 125;
const MEDIUM = 0xffff;

/** Writes one subscription's answers as graphql-transport-ws messages in WebSocket frames. */
export type Framer = (payloads: readonly Payload[]) => Buffer;

/**
 * Makes the framer of the subscription with that id. All answers of a moment are in one buffer, ready
 * for the socket: with many subscribers, each write costs the system more than all else.
 */
export function framer(id: string): Framer {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const headBytes = Buffer.byteLength(head);
  const lengthOf = ({ jsonBytes }: Payload) => headBytes + jsonBytes + 1;

  return (payloads) => {
    let size = 0;
    for (const payload of payloads) size += headerBytes(lengthOf(payload)) + lengthOf(payload);
    const frames = Buffer.allocUnsafe(size);
    let at = 0;
    for (const payload of payloads) {
      at = writeHeader(frames, at, lengthOf(payload));
      at += frames.write(head, at);
      at += frames.write(payload.json, at);
      at = frames.writeUInt8(CLOSING_BRACE, at);
    }
    return frames;
  };
}

const CLOSING_BRACE = '}'.charCodeAt(0);

/** RFC 6455, section 5.2; what a server sends is not masked. */
function headerBytes(length: number): number {
  if (length <= SHORT) return 2;
  return length <= MEDIUM ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = FINAL_TEXT;
  if (length <= SHORT) return frames.writeUInt8(length, at + 1);
  if (length <= MEDIUM) {
    frames[at + 1] = SHORT + 1;
    return frames.writeUInt16BE(length, at + 2);
  }
  frames[at + 1] = SHORT + 2;
  return frames.writeBigUInt64BE(BigInt(length), at + 2);
}
