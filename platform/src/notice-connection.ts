/** One connection that carries notices: Redis where there is one, else PostgreSQL. */
export interface NoticeConnection {
  publish(text: string): Promise<unknown>;
  listen(heard: (text: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Resolves when the connection is lost or closed. */
  ended: Promise<unknown>;
  close(): void;
}
