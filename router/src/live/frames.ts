import type { Payload } from './payload.ts';

const FINAL_TEXT = 0x81;
/** The largest lengths that fit into a header's second byte, and into two bytes after it. */
const MAX_SHORT_LENGTH = 125;
const MAX_MEDIUM_LENGTH = 0xffff;

/** Encodes one subscription's payloads as graphql-transport-ws messages in WebSocket frames. */
export type Framer = (payloads: readonly Payload[]) => Buffer;

/**
 * Creates the framer of the subscription with this id. All payloads of one call share a buffer, because
 * with many subscribers the number of writes to sockets dominates the cost.
 */
export function framer(id: string): Framer {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const headBytes = Buffer.byteLength(head);
  const messageLength = ({ jsonBytes }: Payload) => headBytes + jsonBytes + 1;

  return (payloads) => {
    let size = 0;
    for (const payload of payloads)
      size += headerBytes(messageLength(payload)) + messageLength(payload);
    const frames = Buffer.allocUnsafe(size);
    let at = 0;
    for (const payload of payloads) {
      at = writeHeader(frames, at, messageLength(payload));
      at += frames.write(head, at);
      at += frames.write(payload.json, at);
      at = frames.writeUInt8(CLOSING_BRACE, at);
    }
    return frames;
  };
}

const CLOSING_BRACE = '}'.charCodeAt(0);

/** RFC 6455, section 5.2; a server does not mask its frames. */
function headerBytes(length: number): number {
  if (length <= MAX_SHORT_LENGTH) return 2;
  return length <= MAX_MEDIUM_LENGTH ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = FINAL_TEXT;
  if (length <= MAX_SHORT_LENGTH) return frames.writeUInt8(length, at + 1);
  if (length <= MAX_MEDIUM_LENGTH) {
    frames[at + 1] = MAX_SHORT_LENGTH + 1;
    return frames.writeUInt16BE(length, at + 2);
  }
  frames[at + 1] = MAX_SHORT_LENGTH + 2;
  return frames.writeBigUInt64BE(BigInt(length), at + 2);
}
