import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { MANIFEST, type Manifest, type ManifestFile, parseManifest } from './manifest.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Speed before size: most of the pages are nearly empty, and become small at any level. */
const GZIP_LEVEL = 1;

/** Writes a backup: a compressed tar file, readable by its owner alone, whose last entry is the manifest. */
export class ArchiveWriter {
  readonly #pack = pack();
  readonly #written: Promise<void>;
  /** Why the output has ended early, such as a full disk. */
  #failure: unknown;
  readonly files: ManifestFile[] = [];

  constructor(file: string) {
    const output = createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true });
    this.#written = pipeline(this.#pack, createGzip({ level: GZIP_LEVEL }), output);
    this.#written.catch((error) => {
      this.#failure ??= error;
    });
  }

  /** Adds a file that may be written meanwhile: as many bytes as it has now. */
  async addFile(path: string, handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    await this.#add(path, size, readChunks(handle, size));
  }

  async addContent(path: string, content: string | Buffer): Promise<void> {
    const bytes = Buffer.from(content);
    await this.#add(path, bytes.length, [bytes]);
  }

  /** Adds the manifest and resolves once the file is on the disk. */
  async finish(manifest: Omit<Manifest, 'files'>): Promise<void> {
    await this.addContent(MANIFEST, JSON.stringify({ ...manifest, files: this.files }));
    this.#pack.finalize();
    await this.#written;
  }

  destroy(): Promise<void> {
    this.#pack.destroy(new Error('The backup was ended.'));
    return this.#written.catch(() => {});
  }

  async #add(
    path: string,
    size: number,
    chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void> {
    try {
      await this.#addEntry(path, size, chunks);
    } catch (error) {
      // tar-stream knows only that its output has ended.
      throw this.#failure ?? error;
    }
  }

  async #addEntry(
    path: string,
    size: number,
    chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  ): Promise<void> {
    const hash = createHash('sha256');
    const entry = this.#pack.entry({ name: path, size, mode: 0o600 });
    // The output's failure reaches the entry as well; without a listener it would end the process.
    entry.on('error', () => {});
    for await (const chunk of chunks) {
      hash.update(chunk);
      if (!entry.write(chunk)) await this.#unlessFailed(once(entry, 'drain'));
    }
    const ended = once(entry, 'finish');
    entry.end(null);
    await this.#unlessFailed(ended);
    if (path !== MANIFEST) this.files.push({ path, bytes: size, sha256: hash.digest('hex') });
  }

  /** A full disk ends the output, and nothing else would end the wait for it. */
  #unlessFailed(work: Promise<unknown>): Promise<unknown> {
    return Promise.race([work, this.#written]);
  }
}

/** `size` bytes of the file; zeros for those by which it has become shorter. */
async function* readChunks(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let position = 0; position < size; ) {
    const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    yield bytesRead > 0 ? buffer.subarray(0, bytesRead) : buffer;
    position += bytesRead || buffer.length;
  }
}

/** Reads all of a backup and compares it with its manifest; throws a sentence for one that is not whole. */
export async function verifyArchive(file: string): Promise<Manifest> {
  const found = new Map<string, string>();
  let text: string | undefined;
  await readEntries(file, async (path, chunks) => {
    if (text !== undefined) throw damaged(file, `${path} follows the manifest`);
    if (path === MANIFEST) {
      text = (await collect(chunks)).toString('utf8');
      return;
    }
    found.set(path, await digest(chunks));
  });
  if (text === undefined) throw damaged(file, 'its manifest is missing');
  const manifest = parseManifest(text, file);
  const wrong = manifest.files.find(({ path, sha256 }) => found.get(path) !== sha256);
  if (wrong) throw damaged(file, `${wrong.path} does not have its checksum`);
  if (found.size !== manifest.files.length) throw damaged(file, 'it has files without a checksum');
  return manifest;
}

/** Writes the entries of a verified backup; `toTarget` says where, undefined: nowhere. */
export async function extractArchive(
  file: string,
  toTarget: (path: string) => string | undefined,
): Promise<void> {
  await readEntries(file, async (path, chunks) => {
    const target = path === MANIFEST ? undefined : toTarget(path);
    if (target === undefined) return void (await digest(chunks));
    const handle = await open(target, 'wx', 0o600);
    try {
      for await (const chunk of chunks) await handle.write(chunk);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  });
}

async function readEntries(
  file: string,
  read: (path: string, chunks: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const entries = extract();
  const reading = pipeline(createReadStream(file), createGunzip(), entries);
  reading.catch(() => {});
  try {
    for await (const entry of entries) {
      if (entry.header.type === 'file')
        await read(entry.header.name, entry as AsyncIterable<Buffer>);
      else entry.resume();
    }
    await reading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // zlib and tar-stream know only that the bytes are wrong.
    if (code?.startsWith('Z_') || !code) throw toSentence(file, error);
    if (code === 'ENOENT') throw new Error(`There is no backup ${file}.`);
    throw error;
  }
}

function toSentence(file: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (message.startsWith(file)) return error as Error;
  return code === 'Z_DATA_ERROR' && message === 'incorrect header check'
    ? new Error(`${file} is not a backup of spacerent.`)
    : damaged(file, message);
}

function damaged(file: string, how: string): Error {
  return new Error(`${file} is damaged: ${how}. Nothing was restored.`);
}

async function digest(chunks: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
