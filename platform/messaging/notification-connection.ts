/** A connection for notifications: to Redis where there is one, else to PostgreSQL. */
export interface NotificationConnection {
  publish(text: string): Promise<unknown>;
  listen(onMessage: (text: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Resolves when the connection is lost or closed. */
  ended: Promise<unknown>;
  close(): void;
}

export interface NotificationServer {
  connect(channel: string): Promise<NotificationConnection>;
}
